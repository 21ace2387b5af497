#include "model/rule/uri_policy.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text/url.h"
#include "model/template/template.h"

const enum iclient_field uri_policy_fields[URI_POLICY_FIELD_COUNT] = {ICLIENT_AUTH_URI, ICLIENT_TOKEN_URI,
                                                                      ICLIENT_REFRESH_URI, ICLIENT_REVOKE_URI};
enum { POINTER_MAX = 64 };

static const char *pointer_of(enum iclient_field field)
{
    return iclient_field_row(field)->pointer;
}

static const char *after_scheme(const char *uri)
{
    const char *marks = strstr(uri, "://");
    return marks ? marks + 3 : uri;
}

/* What follows the last template of the authority: ".myshopify.com". */
static const char *literal_tail(const char *uri, size_t *ret_length)
{
    const char *authority = after_scheme(uri);
    const char *end = authority + strcspn(authority, "/?#");
    const char *tail = end;
    while (tail > authority && tail[-1] != '}')
        tail--;
    *ret_length = (size_t)(end - tail);
    return tail;
}

/*
 * The part of a URI that is known now, for the caller to free: all of it without templates; else scheme and authority,
 * of which a template at the front becomes a label of its own ("https://x.myshopify.com"). NULL with *ret_known false
 * when the host is not known at all.
 */
static char *known_part(const char *uri, bool *ret_known)
{
    *ret_known = true;
    if (!template_is_in(uri))
        return strdup(uri);
    const char *authority = after_scheme(uri);
    size_t length = strcspn(authority, "/?#");
    char *known = NULL;
    if (!template_is_in_authority(uri))
        return strndup(uri, (size_t)(authority - uri) + length);
    const char *tail = literal_tail(uri, &length);
    *ret_known = *tail == '.';
    if (*ret_known && asprintf(&known, "%.*sx%.*s", (int)(authority - uri), uri, (int)length, tail) < 0)
        return NULL;
    return known;
}

static void add_domains(struct url_policy *policy, const json_t *domains, struct document_faults *faults)
{
    for (size_t i = 0; i < json_array_size(domains); i++) {
        struct error error = {0};
        enum status status = url_policy_add_domain(policy, json_string_value(json_array_get(domains, i)), &error);
        char pointer[POINTER_MAX];
        snprintf(pointer, sizeof pointer, "%s/%zu", pointer_of(ICLIENT_VALID_DOMAIN_NAMES), i);
        document_check(faults, pointer, status, &error);
    }
}

/* The host as written. A preset may leave the names to the iClient: a self-hosted provider has no domain of its own. */
static void add_host(struct url_policy *policy, const struct field_view *view, enum iclient_field field,
                     struct document_faults *faults)
{
    const char *uri = field_view_text(view, field);
    if (!uri)
        return;
    if (template_is_in_authority(uri)) {
        if (view->preset)
            document_fault(faults, pointer_of(field), "set oauth2.validDomainNames",
                           "a template in the host needs validDomainNames");
        return;
    }
    bool known;
    AUTO_TEXT text = known_part(uri, &known);
    AUTO(url) url = NULL;
    struct error error = {0};
    enum status status = text ? url_parse(text, &url, &error) : ERR_NO_MEMORY;
    if (status == OK)
        status = url_policy_add_exact_host(policy, url_host(url), &error);
    document_check(faults, pointer_of(field), status, &error);
}

/* The names that a preset lists are its own URIs'. Who writes another URI and no names means its host as written. */
static bool is_written_beside_preset(const struct field_view *view, enum iclient_field field)
{
    const char *uri = field_view_text(view, field);
    return uri && !template_is_in_authority(uri) && view->preset && field_view_is_own(view, field) &&
           !field_view_is_own(view, ICLIENT_VALID_DOMAIN_NAMES);
}

/* The template may yet name a listed host below what is known: shop.myshopify.com for {{{…}}}.myshopify.com. */
static bool may_become_listed(const char *uri, const json_t *domains)
{
    size_t length;
    const char *tail = literal_tail(uri, &length);
    const char *port = memchr(tail, ':', length);
    if (port)
        length = (size_t)(port - tail);
    for (size_t i = 0; template_is_in_authority(uri) && i < json_array_size(domains); i++) {
        const json_t *domain = json_array_get(domains, i);
        size_t domain_length = json_string_length(domain);
        if (domain_length > length &&
            strncasecmp(json_string_value(domain) + domain_length - length, tail, length) == 0)
            return true;
    }
    return false;
}

static void check_uri(const struct url_policy *policy, const struct field_view *view, enum iclient_field field,
                      struct document_faults *faults)
{
    const char *uri = field_view_text(view, field);
    bool known;
    AUTO_TEXT text = known_part(uri, &known);
    if (!known || may_become_listed(uri, field_view_get(view, ICLIENT_VALID_DOMAIN_NAMES)))
        return;
    struct error error = {0};
    enum status status = text ? url_policy_check_text(policy, text, &error) : ERR_NO_MEMORY;
    document_check(faults, pointer_of(field), status, &error);
}

struct url_policy *uri_policy_create(const struct field_view *view, bool allow_loopback_http,
                                     struct document_faults *faults)
{
    AUTO(url_policy) policy = NULL;
    if (url_policy_create(allow_loopback_http, &policy, NULL) != OK) {
        faults->no_memory = true;
        return NULL;
    }
    /* The check of URIs against a policy that lacks what had a fault would only tell the same fault again. */
    struct document_faults building = {.list = faults->list, .file = faults->file};
    const json_t *domains = field_view_get(view, ICLIENT_VALID_DOMAIN_NAMES);
    const bool listed = json_array_size(domains) > 0;
    add_domains(policy, domains, &building);
    for (size_t i = 0; i < URI_POLICY_FIELD_COUNT; i++)
        if (!listed || is_written_beside_preset(view, uri_policy_fields[i]))
            add_host(policy, view, uri_policy_fields[i], &building);
    bool complete = !building.has_errors && (domains || !field_view_is_own(view, ICLIENT_VALID_DOMAIN_NAMES));
    for (size_t i = 0; i < URI_POLICY_FIELD_COUNT && complete; i++) {
        const char *uri = field_view_text(view, uri_policy_fields[i]);
        if (uri && (listed || !template_is_in_authority(uri)))
            check_uri(policy, view, uri_policy_fields[i], &building);
    }
    faults->has_errors |= building.has_errors;
    faults->no_memory |= building.no_memory;
    return building.has_errors || building.no_memory ? NULL : TAKE(policy);
}

/* The values that are known, and for any other one that leads nowhere. */
struct known_values {
    template_lookup *look_up;
    const void *context;
};

static enum status look_up_or_stand_in(const void *context, const char *path, struct text_buffer *value)
{
    const struct known_values *known = context;
    enum status status = known->look_up(known->context, path, value);
    if (status != ERR_NOT_FOUND)
        return status;
    return text_buffer_append_text(value, "x") ? OK : ERR_TOO_LARGE;
}

static enum status ignore_path(void *context, const char *path, struct error *ret_error)
{
    (void)context;
    (void)path;
    (void)ret_error;
    return OK;
}

/* What a value may not do where it lands. A template that cannot be read is told where templates are. */
static enum status check_places(const char *uri, template_lookup *look_up, const void *context, struct error *ret_error)
{
    if (!template_is_in(uri) || template_walk(uri, ignore_path, NULL, NULL) != OK)
        return OK;
    struct known_values known = {.look_up = look_up, .context = context};
    AUTO_FINISH(text_buffer) rendered;
    text_buffer_init(&rendered, TEMPLATE_RESULT_MAX);
    return template_render(uri, TEMPLATE_IN_URI, look_up_or_stand_in, &known, &rendered, ret_error);
}

static enum status check_host(const struct url_policy *policy, const char *uri, template_lookup *look_up,
                              const void *context, struct error *ret_error)
{
    if (!template_is_in_authority(uri))
        return OK;
    const char *host = after_scheme(uri);
    /* Scheme and authority alone: the rest decides nothing, and may name what is not known yet. */
    AUTO_TEXT authority = strndup(uri, (size_t)(host - uri) + strcspn(host, "/?#"));
    if (!authority)
        return error_set(ret_error, ERR_NO_MEMORY, "URI");
    AUTO_FINISH(text_buffer) rendered;
    text_buffer_init(&rendered, TEMPLATE_RESULT_MAX);
    enum status status = template_render(authority, TEMPLATE_IN_URI, look_up, context, &rendered, ret_error);
    if (status == ERR_NOT_FOUND)
        return OK;
    return status == OK ? url_policy_check_text(policy, text_buffer_text(&rendered), ret_error) : status;
}

enum status uri_policy_check_rendered(const struct url_policy *policy, const char *uri, template_lookup *look_up,
                                      const void *context, struct error *ret_error)
{
    if (!uri)
        return OK;
    enum status status = check_places(uri, look_up, context, ret_error);
    return status == OK ? check_host(policy, uri, look_up, context, ret_error) : status;
}

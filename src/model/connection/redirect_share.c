#include "model/connection/redirect_share.h"

#include <stdlib.h>
#include <string.h>

#include "base/text/url.h"
#include "model/catalog/document_faults.h"
#include "model/iclient/iclient_record.h"
#include "model/template/template.h"

char *redirect_share_path(const char *redirect_uri)
{
    AUTO(url) url = NULL;
    return url_parse(redirect_uri, &url, NULL) == OK ? strdup(url_path(url)) : NULL;
}

/* ---- servers ---- */

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool has_same_uri(const struct iclient *iclient, const struct iclient *other, enum iclient_field field)
{
    const char *uri = iclient_text(iclient, field);
    if (!same_text(uri, iclient_text(other, field)))
        return false;
    const json_t *domains = iclient_json(iclient, ICLIENT_VALID_DOMAIN_NAMES);
    return !template_is_in_authority(uri) ||
           (domains && json_equal(domains, iclient_json(other, ICLIENT_VALID_DOMAIN_NAMES)));
}

bool redirect_share_is_same_server(const struct iclient *iclient, const struct iclient *other)
{
    const char *issuer = iclient_issuer(iclient);
    if (same_text(issuer, iclient_issuer(other)) && !template_is_in(issuer))
        return true;
    return has_same_uri(iclient, other, ICLIENT_AUTH_URI) && has_same_uri(iclient, other, ICLIENT_TOKEN_URI);
}

/* ---- redirect URIs ---- */

/* The n-th redirect URI that an iClient may use at a login; NULL after the last one. */
static const char *redirect_uri_at(const struct iclient *iclient, size_t index)
{
    const json_t *listed = iclient_json(iclient, ICLIENT_REDIRECT_URIS);
    const char *const others[] = {iclient_text(iclient, ICLIENT_REDIRECT_URI), iclient->default_redirect_uri};
    size_t count = json_array_size(listed);
    if (iclient_grant(iclient) != GRANT_AUTHORIZATION_CODE)
        return NULL;
    if (index < count)
        return json_string_value(json_array_get(listed, index));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i] && count++ == index)
            return others[i];
    return NULL;
}

static bool uri_has_path(const char *uri, const char *path)
{
    /* Most have another one as they are written, without a parser. */
    const char *last = strrchr(path, '/');
    if (!last || !strstr(uri, last))
        return false;
    AUTO_TEXT own = redirect_share_path(uri);
    return same_text(own, path);
}

static bool takes_answers_at(const struct iclient *iclient, const char *path)
{
    const char *uri;
    for (size_t i = 0; (uri = redirect_uri_at(iclient, i)); i++)
        if (uri_has_path(uri, path))
            return true;
    return false;
}

const struct iclient *redirect_share_find(const struct catalog *catalog, const struct iclient *iclient,
                                          const struct redirect_share_query *query)
{
    for (size_t i = 0; i < catalog_iclient_count(catalog); i++) {
        const struct iclient *other = catalog_iclient_at(catalog, i);
        bool is_asked_for = !query->issuer || same_text(iclient_issuer(other), query->issuer);
        if (is_asked_for && strcmp(iclient_id(iclient), iclient_id(other)) != 0 &&
            takes_answers_at(other, query->path) && !redirect_share_is_same_server(iclient, other))
            return other;
    }
    return NULL;
}

/* ---- the check ---- */

/* One redirect URI of an iClient without an issuer. */
struct place {
    char *path;
    const struct iclient *iclient;
    size_t order; /* of the catalog, so that the warnings have one */
};

struct places {
    struct place *list;
    size_t count, capacity;
};

static void places_finish(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        free(places->list[i].path);
    free(places->list);
}

static bool places_add(struct places *places, const struct place *place)
{
    if (places->count == places->capacity) {
        size_t capacity = places->capacity ? 2 * places->capacity : 16;
        struct place *grown = reallocarray(places->list, capacity, sizeof *grown);
        if (!grown)
            return false;
        places->list = grown;
        places->capacity = capacity;
    }
    places->list[places->count++] = *place;
    return true;
}

/* What has no path tells none. False when out of memory. */
static bool places_add_iclient(struct places *places, const struct iclient *iclient, size_t order)
{
    const char *uri;
    if (iclient_issuer(iclient))
        return true;
    for (size_t i = 0; (uri = redirect_uri_at(iclient, i)); i++) {
        struct place place = {.path = redirect_share_path(uri), .iclient = iclient, .order = order};
        if (place.path && !places_add(places, &place)) {
            free(place.path);
            return false;
        }
    }
    return true;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *first = a, *second = b;
    int by_path = strcmp(first->path, second->path);
    if (by_path != 0)
        return by_path;
    return (first->order > second->order) - (first->order < second->order);
}

static void warn(const struct place *place, const struct place *other, struct fault_list *faults)
{
    struct document_faults own = {.list = faults, .file = iclient_file(place->iclient)};
    bool is_listed = iclient_json(place->iclient, ICLIENT_REDIRECT_URIS) != NULL;
    document_warning(&own, is_listed ? "/redirectUris" : "/oauth2/redirectUri",
                     "give it a redirect URI of its own, as it has without redirectUri, or set oauth2.issuer to what "
                     "its server sends as iss",
                     "%s is shared with iClient \"%s\" of another authorization server, and neither has an issuer: an "
                     "answer without iss is refused (RFC 9700 §4.4)",
                     place->path, iclient_name(other->iclient));
}

enum status redirect_share_check(const struct catalog *catalog, struct fault_list *faults)
{
    AUTO_FINISH(places) places = {0};
    for (size_t i = 0; i < catalog_iclient_count(catalog); i++)
        if (!places_add_iclient(&places, catalog_iclient_at(catalog, i), i))
            return ERR_NO_MEMORY;
    if (places.count > 0)
        qsort(places.list, places.count, sizeof *places.list, compare_places);
    /* Each is compared with the first of its path: every pair would be too many, and tell the same. */
    for (size_t i = 1, first = 0; i < places.count; i++) {
        const struct place *place = &places.list[i];
        if (strcmp(place->path, places.list[first].path) != 0)
            first = i;
        else if (!redirect_share_is_same_server(place->iclient, places.list[first].iclient))
            warn(place, &places.list[first], faults);
    }
    return OK;
}

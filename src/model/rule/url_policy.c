#include "model/rule/url_policy.h"

#include <arpa/inet.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

struct host_entry {
    char *name; /* as url_host() gives it */
    bool exact;
};

struct url_policy {
    bool allow_loopback_http;
    size_t count;
    struct host_entry *entries;
};

enum status url_policy_create(bool allow_loopback_http, struct url_policy **ret_policy, struct error *ret_error)
{
    struct url_policy *policy = calloc(1, sizeof *policy);
    if (!policy)
        return error_set(ret_error, ERR_NO_MEMORY, "URL policy");
    policy->allow_loopback_http = allow_loopback_http;
    *ret_policy = policy;
    return OK;
}

void url_policy_destroy(struct url_policy *policy)
{
    if (!policy)
        return;
    for (size_t i = 0; i < policy->count; i++)
        free(policy->entries[i].name);
    free(policy->entries);
    free(policy);
}

static bool is_address(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static enum status add_entry(struct url_policy *policy, char *take_name, bool exact, struct error *ret_error)
{
    AUTO_TEXT name = take_name;
    for (size_t i = 0; i < policy->count; i++) {
        struct host_entry *entry = &policy->entries[i];
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): url_normalise_host() gave it with OK. */
        if (strcmp(entry->name, name) != 0)
            continue;
        entry->exact = entry->exact && exact;
        return OK;
    }
    if (policy->count == URL_POLICY_HOSTS_MAX)
        return error_set(ret_error, ERR_TOO_LARGE, "more than %d domain names", URL_POLICY_HOSTS_MAX);
    struct host_entry *grown = reallocarray(policy->entries, policy->count + 1, sizeof *grown);
    if (!grown)
        return error_set(ret_error, ERR_NO_MEMORY, "URL policy");
    policy->entries = grown;
    policy->entries[policy->count++] = (struct host_entry){TAKE(name), exact};
    return OK;
}

/* The frequent misunderstandings, each with what to do instead. */
static const struct {
    const char *part;
    const char *says;
} domain_mistakes[] = {
    {"{{", "a domain name cannot have a template"},
    {"*", "a domain name needs no wildcard: its subdomains are valid too"},
    {"://", "a domain name has no scheme"},
    {"/", "a domain name has no path"},
    {"@", "a domain name has no user"},
};

static enum status normalise_domain(const char *domain, char **ret_name, struct error *ret_error)
{
    if (domain[0] == '\0')
        return error_set(ret_error, ERR_INVALID, "a domain name is empty");
    for (size_t i = 0; i < sizeof domain_mistakes / sizeof domain_mistakes[0]; i++) {
        if (strstr(domain, domain_mistakes[i].part))
            return error_set(ret_error, ERR_INVALID, "\"%.200s\": %s", domain, domain_mistakes[i].says);
    }
    enum status status = url_normalise_host(domain, ret_name, ret_error);
    if (status == ERR_INVALID)
        return error_set(ret_error, ERR_INVALID, "\"%.200s\" is no domain name", domain);
    return status;
}

/* Whoever can register a name below a public suffix would be valid. Any top-level name counts as one, but localhost. */
static enum status check_not_public(const char *name, struct error *ret_error)
{
    if (strcmp(name, "localhost") == 0)
        return OK;
    const psl_ctx_t *list = psl_builtin();
    if (!list)
        return error_set(ret_error, ERR_UNSUPPORTED, "libpsl has no list of public suffixes built in");
    if (psl_is_public_suffix(list, name))
        return error_set(ret_error, ERR_INVALID, "\"%s\" is a public suffix: anybody can have a name below it", name);
    return OK;
}

enum status url_policy_add_domain(struct url_policy *policy, const char *domain, struct error *ret_error)
{
    AUTO_TEXT name = NULL;
    enum status status = normalise_domain(domain, &name, ret_error);
    if (status != OK)
        return status;
    bool exact = is_address(name);
    if (!exact)
        status = check_not_public(name, ret_error);
    return status == OK ? add_entry(policy, TAKE(name), exact, ret_error) : status;
}

enum status url_policy_add_exact_host(struct url_policy *policy, const char *host, struct error *ret_error)
{
    AUTO_TEXT name = NULL;
    enum status status = normalise_domain(host, &name, ret_error);
    return status == OK ? add_entry(policy, TAKE(name), true, ret_error) : status;
}

static bool entry_matches(const struct host_entry *entry, const char *host)
{
    size_t host_length = strlen(host);
    size_t name_length = strlen(entry->name);
    if (host_length < name_length || strcmp(host + host_length - name_length, entry->name) != 0)
        return false;
    if (host_length == name_length)
        return true;
    return !entry->exact && host[host_length - name_length - 1] == '.';
}

enum status url_policy_check(const struct url_policy *policy, const struct url *url, struct error *ret_error)
{
    const char *host = url_host(url);
    if (strcmp(url_scheme(url), "https") != 0) {
        if (!url_host_is_loopback(url))
            return error_set(ret_error, ERR_DENIED, "host %s: only https is allowed", host);
        if (!policy->allow_loopback_http)
            return error_set(ret_error, ERR_DENIED, "host %s: http needs http.allowLoopbackHttp", host);
    }
    for (size_t i = 0; i < policy->count; i++) {
        if (entry_matches(&policy->entries[i], host))
            return OK;
    }
    return error_set(ret_error, ERR_DENIED, "host %s is not among the valid domain names", host);
}

enum status url_policy_check_text(const struct url_policy *policy, const char *url, struct error *ret_error)
{
    AUTO(url) parsed = NULL;
    enum status status = url_parse(url, &parsed, ret_error);
    return status == OK ? url_policy_check(policy, parsed, ret_error) : status;
}

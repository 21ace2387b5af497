#ifndef MODEL_RULE_URL_POLICY_H
#define MODEL_RULE_URL_POLICY_H

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text/url.h"

/*
 * Where an iClient's credentials may be sent (validDomainNames): https only, a listed host or a subdomain of it at a
 * label boundary. Names are normalised (case, IDN A-labels, trailing dot). http is for loopback hosts, and only when
 * the daemon's configuration allows it.
 */
struct url_policy;

enum { URL_POLICY_HOSTS_MAX = 256 };

/*
 * Refuses as a domain: an empty name, a public suffix ("com", "co.uk", "github.io"), a name with scheme, port, path,
 * wildcard or template; address literals are allowed and match exactly. localhost is allowed.
 */
enum status url_policy_create(bool allow_loopback_http, struct url_policy **ret_policy, struct error *ret_error);
void url_policy_destroy(struct url_policy *policy);
AUTO_DEFINE(url_policy);
enum status url_policy_add_domain(struct url_policy *policy, const char *domain, struct error *ret_error);
/* Adds a host that matches exactly only (the default when an iClient lists no domains: the hosts of its URIs). */
enum status url_policy_add_exact_host(struct url_policy *policy, const char *host, struct error *ret_error);

/* ERR_DENIED with a message that names the host and the rule; it never quotes path or query. */
enum status url_policy_check(const struct url_policy *policy, const struct url *url, struct error *ret_error);
/* Parses, then checks. ERR_INVALID, ERR_DENIED. */
enum status url_policy_check_text(const struct url_policy *policy, const char *url, struct error *ret_error);

#endif

#ifndef MODEL_CATALOG_TENANT_ACCESS_H
#define MODEL_CATALOG_TENANT_ACCESS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fault_list.h"
#include "model/rule/access_rule.h"

/*
 * Who, beside operators, may do what with a tenant's OAuth clients: the daemon's "tenants",
 * {"acme": {"oauth_clients": {"get": {"users": […], "groups": […], "units": […]}, "edit": …}}}. What is not said is
 * allowed to nobody else. Immutable, reference counted.
 */
struct tenant_access;

/* One row each: symbol, the group it stands in, its name there. "tenants.oauth_clients.get" in integrator's words. */
#define TENANT_PERMISSION_TABLE(X)                                                                                     \
    X(OAUTH_CLIENTS_GET, "oauth_clients", "get")                                                                       \
    X(OAUTH_CLIENTS_EDIT, "oauth_clients", "edit")                                                                     \
    X(OAUTH_CLIENTS_CREATE, "oauth_clients", "create")                                                                 \
    X(OAUTH_CLIENTS_DELETE, "oauth_clients", "delete")
#define TENANT_PERMISSION_SYMBOL(symbol, group, name) TENANT_##symbol,
enum tenant_permission { TENANT_PERMISSION_TABLE(TENANT_PERMISSION_SYMBOL) TENANT_PERMISSION_COUNT };
#undef TENANT_PERMISSION_SYMBOL

enum { TENANT_ACCESS_TENANTS_MAX = 1024 };

/*
 * tenants: the object; pointer: where it stands in file, for faults: unknown members with the nearest known one,
 * tenants that are no names, and all that access_rule_from_json() refuses. ERR_INVALID when there were some;
 * ERR_NO_MEMORY.
 */
enum status tenant_access_from_json(const json_t *tenants, const char *file, const char *pointer,
                                    const struct identity_resolver *resolve, struct fault_list *faults,
                                    struct tenant_access **ret_access);
/* NULL gives NULL. */
struct tenant_access *tenant_access_hold(struct tenant_access *access);
void tenant_access_destroy(struct tenant_access *access); /* drops one hold */
AUTO_DEFINE(tenant_access);

/* Every rule; access may be NULL. */
void tenant_access_visit_rules(const struct tenant_access *access, access_rule_visit *visit, void *context);

/* The rule of that permission; NULL: there is none, nobody but operators. access may be NULL. Borrowed. */
const struct access_rule *tenant_access_rule(const struct tenant_access *access, const char *tenant,
                                             enum tenant_permission permission);

#endif

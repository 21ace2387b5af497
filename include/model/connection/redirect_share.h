#ifndef MODEL_CONNECTION_REDIRECT_SHARE_H
#define MODEL_CONNECTION_REDIRECT_SHARE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/fault_list.h"
#include "model/catalog/catalog.h"

/*
 * Which authorization servers' answers arrive at the same place (RFC 9700 §4.4). The place is the path of a redirect
 * URI: the daemon's endpoint has one address, whatever host a redirect URI names it by.
 */

/*
 * The path of a redirect URI, for the caller to free; NULL: out of memory, or a provider's name for it that has none.
 */
char *redirect_share_path(const char *redirect_uri);

/*
 * Whether two iClients log in at the same authorization server, as far as configuration says: the same issuer without a
 * template, or the same authorization and token URI. A template in their host stands for the same servers only when
 * both list the same validDomainNames.
 */
bool redirect_share_is_same_server(const struct iclient *iclient, const struct iclient *other);

/* Whose answers are looked for. */
struct redirect_share_query {
    const char *path;
    const char *issuer; /* only of an iClient that names this one; NULL: of any */
};

/*
 * An iClient of another authorization server whose answers arrive at the path, too; of any tenant. NULL: none. Costs
 * what the catalog's iClients cost: for a login, not for a token.
 */
const struct iclient *redirect_share_find(const struct catalog *catalog, const struct iclient *iclient,
                                          const struct redirect_share_query *query);

/* Warns of every iClient that shares a path with one of another server where neither names an issuer. ERR_NO_MEMORY. */
enum status redirect_share_check(const struct catalog *catalog, struct fault_list *faults);

#endif

#ifndef MODEL_RULE_NAME_RULE_H
#define MODEL_RULE_NAME_RULE_H

#include <stdbool.h>

/*
 * Names stand in paths, in the store's keys and in the log: [A-Za-z0-9][A-Za-z0-9._-]{0,63} for iClients, connections,
 * tenants, components and providers.
 */
#define NAME_RULE_TEXT "must be [A-Za-z0-9][A-Za-z0-9._-]{0,63}"
bool name_is_valid(const char *name);

#endif

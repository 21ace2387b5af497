#ifndef MODEL_CATALOG_TENANT_H
#define MODEL_CATALOG_TENANT_H

#include <stdbool.h>
#include <string.h>

/* The tenant of what names none. It is not shown where it can be left out. */
#define TENANT_DEFAULT "default"

static inline bool tenant_is_default(const char *tenant)
{
    return strcmp(tenant, TENANT_DEFAULT) == 0;
}

#endif

#ifndef MODEL_CATALOG_COMPONENT_CLIENT_H
#define MODEL_CATALOG_COMPONENT_CLIENT_H

#include "model/catalog/component_reading.h"

/*
 * oauth2.clientId and clientSecret: as the block has them, as the variable that a "{{NAME}}" there names, or from the
 * pair of envVars that looks like them. False when out of memory.
 */
bool component_client_add(struct component_reading *reading);

#endif

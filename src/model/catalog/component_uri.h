#ifndef MODEL_CATALOG_COMPONENT_URI_H
#define MODEL_CATALOG_COMPONENT_URI_H

#include "model/catalog/component_reading.h"

/*
 * The four URIs. "{{NAME}}" in one becomes {{{iClient.settings.NAME}}} where NAME is a variable of the component, else
 * {{{connection.settings.NAME}}}; validDomainNames then says what may stand around it. False when out of memory.
 */
bool component_uris_add(struct component_reading *reading);

#endif

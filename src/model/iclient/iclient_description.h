#ifndef MODEL_ICLIENT_ICLIENT_DESCRIPTION_H
#define MODEL_ICLIENT_ICLIENT_DESCRIPTION_H

#include "model/iclient/iclient_field.h"

/* What a field means, in one sentence for a person who writes a document. Never NULL. */
const char *iclient_field_description(enum iclient_field field);

#endif

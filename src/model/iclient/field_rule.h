#ifndef MODEL_ICLIENT_FIELD_RULE_H
#define MODEL_ICLIENT_FIELD_RULE_H

#include "model/iclient/iclient_field.h"

enum { FIELD_TEXT_MAX = 8192 };

/*
 * What is wrong with the text of a field (or with one element of it), beyond its type: a sentence such as "is empty".
 * NULL when nothing is.
 */
const char *field_rule_broken(enum iclient_field field, const char *text);

/*
 * The spelling that row->choices has for text or what row->other_words calls so, case ignored; NULL when it is neither.
 */
const char *field_choice(const struct iclient_field_row *row, const char *text);

#endif

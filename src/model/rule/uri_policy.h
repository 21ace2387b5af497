#ifndef MODEL_RULE_URI_POLICY_H
#define MODEL_RULE_URI_POLICY_H

#include "model/catalog/document_faults.h"
#include "model/iclient/field_view.h"
#include "model/template/template.h"
#include "model/rule/url_policy.h"

/* The fields that requests go to. */
enum { URI_POLICY_FIELD_COUNT = 4 };
extern const enum iclient_field uri_policy_fields[URI_POLICY_FIELD_COUNT];

/*
 * The URL policy of a document: its validDomainNames, or without them the exact hosts of its URIs as written, beside
 * the names that its preset lists; and the check of every URI against it, as far as it can be known before templates
 * are rendered. NULL after a fault.
 */
struct url_policy *uri_policy_create(const struct field_view *view, bool allow_loopback_http,
                                     struct document_faults *faults);

/*
 * What templates make of the values that look_up has: the host, which the policy must allow, and each value in its
 * place (template.h, TEMPLATE_IN_URI). uri NULL, or without a template: OK. So is a value that look_up does not find:
 * what only a login or an answer brings is checked when it is sent. ERR_DENIED, ERR_INVALID (a value that cannot stand
 * there), ERR_NO_MEMORY.
 */
enum status uri_policy_check_rendered(const struct url_policy *policy, const char *uri, template_lookup *look_up,
                                      const void *context, struct error *ret_error);

#endif

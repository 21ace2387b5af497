#ifndef MODEL_URI_POLICY_H
#define MODEL_URI_POLICY_H

#include "model/document_faults.h"
#include "model/field_view.h"
#include "model/url_policy.h"

/*
 * The URL policy of a document: its validDomainNames, or without them the exact hosts of its URIs as written; and the
 * check of every URI against it, as far as it can be known before templates are rendered. NULL after a fault.
 */
struct url_policy *uri_policy_create(const struct field_view *view, bool allow_loopback_http,
                                     struct document_faults *faults);

#endif

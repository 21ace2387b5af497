#ifndef MODEL_TEMPLATE_TEMPLATE_CHECK_H
#define MODEL_TEMPLATE_TEMPLATE_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "model/catalog/document_faults.h"
#include "model/iclient/field_view.h"
#include "model/template/template.h"

/*
 * What can be known of templates before anything is rendered: their syntax, whether their first name is one of the
 * contexts (docs/CONFIGURATION.md, Templates) and whether that context exists in the request where the template stands.
 */
enum template_request {
    REQUEST_AUTHORIZATION = 1,
    REQUEST_CODE = 2,       /* the token request of the authorization code grant */
    REQUEST_UNATTENDED = 4, /* the token request of the other grants */
    REQUEST_REFRESH = 8,
    REQUEST_REVOKE = 16,
    REQUEST_JWT = 32, /* header and payload, which any of the others may need */
};

struct template_site {
    enum iclient_field field;
    const char *pointer;
    const char *path;
};
/* Called for each template whose syntax and context are right. */
typedef void template_site_visit(void *context, const struct template_site *site);

/* Walks all fields of the view that may have templates. code_grant: whether token.* is the code grant's request. */
void template_check_fields(const struct field_view *view, bool code_grant, struct document_faults *faults,
                           template_site_visit *visit, void *context);
/* Calls visit without telling faults; faults->no_memory is set all the same. */
void template_check_silently(const struct field_view *view, struct document_faults *faults, template_site_visit *visit,
                             void *context);
/* As template_check_fields() for the strings of one value at pointer, in the requests given (a set of enum
 * template_request). */
void template_check_value(const json_t *value, const char *pointer, unsigned requests, struct document_faults *faults,
                          template_site_visit *visit, void *context);

#endif

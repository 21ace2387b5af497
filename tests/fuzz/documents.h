#ifndef TEST_FUZZ_DOCUMENTS_H
#define TEST_FUZZ_DOCUMENTS_H

#include "base/fault_list.h"
#include "canary.h"
#include "model/iclient/iclient.h"
#include "protocol/jwt/jwt_signature.h"

/* What every document that is read must keep to, taken or refused. */
static inline enum status give_reference(void *context, const char *file, enum secret_source source, const char *name,
                                         struct secret **ret_secret, struct error *ret_error)
{
    (void)context;
    (void)file;
    if (source == SECRET_FROM_FILE)
        return error_set(ret_error, ERR_IO, "no such file");
    *ret_secret = secret_from_text(strlen(name) % 2 ? CANARY : CANARY CANARY);
    return OK;
}

static const struct secret_resolver document_resolver = {.read = give_reference};

static inline void require_faults(const struct fault_list *faults, enum status status)
{
    REQUIRE(status == OK || status == ERR_INVALID, "status %d", (int)status);
    REQUIRE(fault_list_has_errors(faults) == (status != OK), "faults and status disagree");
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        const struct fault *fault = fault_list_at(faults, i);
        AUTO_TEXT text = fault_format(fault);
        REQUIRE(fault->pointer[0] == '\0' || fault->pointer[0] == '/', "%s", fault->pointer);
        REQUIRE(fault->message[0], "a fault without words");
        REQUIRE(!canary_is_in(text), "a secret in a fault: %s", text);
    }
}

/* What the API gives back. */
static inline void require_masked(const json_t *document)
{
    AUTO_TEXT text = fuzz_dump(document);
    REQUIRE(!canary_is_in(text), "a secret is given back: %s", text);
}

static inline enum status read_iclient(const json_t *document, const struct secret_resolver *resolve, bool with_keys,
                                       struct fault_list *faults, struct iclient **ret_iclient)
{
    static struct provider_preset *preset;
    struct iclient_options options = {.default_redirect_uri = "http://127.0.0.1:8085/callback",
                                      .check_jwt_key = with_keys ? jwt_key_check : NULL};
    if (!preset)
        preset = provider_preset_create_empty("custom_oauth2");
    enum status status = iclient_from_json(document, preset, "crm.json", &options, resolve, faults, ret_iclient);
    require_faults(faults, status);
    REQUIRE((status == OK) == (*ret_iclient != NULL), "half a result");
    return status;
}

#endif

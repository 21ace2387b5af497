/* Any iClient document: refused with words, or taken; its secrets are given back by nothing but iclient_secret(). */
#include <ctype.h>

#include "documents.h"
#include "model/connection/connection.h"
#include "model/connection/connection_binding.h"

static void require_fields(const struct iclient *iclient)
{
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        const json_t *value = iclient_json(iclient, field);
        if (value)
            require_masked(value);
        enum iclient_field_kind kind = iclient_field_row(field)->kind;
        AUTO_JSON parsed = kind == FIELD_BODY      ? iclient_body(iclient, field)
                           : kind == FIELD_HEADERS ? iclient_headers(iclient, field)
                                                   : NULL;
        REQUIRE((kind != FIELD_BODY && kind != FIELD_HEADERS) || !value || parsed, "a field that cannot be read later");
    }
}

static void require_derived(const struct iclient *iclient)
{
    REQUIRE(strlen(iclient_id(iclient)) == 24, "the id %s", iclient_id(iclient));
    REQUIRE(iclient_name(iclient)[0] && isalnum((unsigned char)iclient_name(iclient)[0]), "a name");
    REQUIRE((iclient_grant(iclient) == GRANT_NONE) == (iclient_no_grant_reason(iclient) != NULL),
            "no grant, no reason");
    AUTO(connection) connection = connection_implicit(iclient);
    REQUIRE(connection && strcmp(connection_name(connection), iclient_name(iclient)) == 0, "implicit connection");
    AUTO(token_binding) binding = connection_binding(connection, NULL, NULL);
    AUTO(token_binding) again = connection_binding(connection, NULL, NULL);
    REQUIRE(binding && again && token_binding_conflict(binding, again) == BINDING_PART_COUNT, "no binding of its own");
}

/* What was given back is a document again once its secrets are filled in, and means the same. */
static void require_stable(const json_t *given)
{
    AUTO_JSON filled = json_deep_copy(given);
    AUTO(fault_list) faults = fault_list_create();
    AUTO(iclient) again = NULL;
    canary_put_iclient(filled);
    enum status status = read_iclient(filled, NULL, false, faults, &again);
    REQUIRE(status == OK, "what was given back is refused: %s: %s", fault_list_at(faults, 0)->pointer,
            fault_list_at(faults, 0)->message);
    AUTO_JSON given_again = iclient_to_json(again);
    REQUIRE(json_equal(given, given_again), "what was given back comes back otherwise");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_TEXT text = fuzz_text(data, size, 0);
    AUTO_JSON document = canary_is_in(text) ? NULL : fuzz_json(text, strlen(text));
    if (!document)
        return 0;
    {
        /* As it is, with its keys, for the checks that a canary cannot pass. */
        AUTO(fault_list) faults = fault_list_create();
        AUTO(iclient) iclient = NULL;
        read_iclient(document, &document_resolver, true, faults, &iclient);
    }
    canary_put_iclient(document);
    AUTO_JSON before = json_deep_copy(document);
    AUTO(fault_list) faults = fault_list_create();
    AUTO(iclient) iclient = NULL;
    enum status status = read_iclient(document, &document_resolver, false, faults, &iclient);
    REQUIRE(json_equal(before, document), "the document was changed");
    if (status != OK)
        return 0;
    AUTO_JSON given = iclient_to_json(iclient);
    require_masked(given);
    require_fields(iclient);
    require_derived(iclient);
    require_stable(given);
    return 0;
}

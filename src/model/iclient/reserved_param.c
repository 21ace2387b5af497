#include "model/iclient/reserved_param.h"

#include <string.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"

enum { IN_AUTHORIZATION = 1, IN_TOKEN = 2, IN_REFRESH = 4, IN_ALL = 7, POINTER_MAX = 512 };

/*
 * Where each would collide. The refresh request alone may repeat redirect_uri and scope (RFC 6749 §6 for the scope;
 * some providers ask for the redirect URI again).
 */
static const struct {
    const char *name;
    unsigned where;
} reserved[] = {
    {"response_type", IN_ALL},
    {"client_id", IN_ALL},
    {"client_secret", IN_ALL},
    {"redirect_uri", IN_AUTHORIZATION | IN_TOKEN},
    {"scope", IN_AUTHORIZATION},
    {"state", IN_ALL},
    {"code", IN_ALL},
    {"code_challenge", IN_ALL},
    {"code_challenge_method", IN_ALL},
    {"code_verifier", IN_ALL},
    {"grant_type", IN_ALL},
    {"username", IN_TOKEN | IN_REFRESH},
    {"password", IN_ALL},
    {"assertion", IN_ALL},
    {"client_assertion", IN_ALL},
    {"client_assertion_type", IN_ALL},
    {"refresh_token", IN_ALL},
    {"token", IN_ALL},
    {"token_type_hint", IN_ALL},
};

static bool is_reserved(const char *name, unsigned where)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if ((reserved[i].where & where) && strcmp(reserved[i].name, name) == 0)
            return true;
    return false;
}

bool reserved_param_is_of_login(const char *name)
{
    return is_reserved(name, IN_AUTHORIZATION);
}

static void check(const json_t *params, const char *pointer, unsigned where, struct document_faults *faults)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)params, name, value) {
        if (!is_reserved(name, where))
            continue;
        AUTO_FINISH(text_buffer) at;
        text_buffer_init(&at, POINTER_MAX);
        text_buffer_append_text(&at, pointer);
        json_pointer_append(&at, name);
        document_fault(faults, text_buffer_text(&at), NULL, "is set by the daemon itself and cannot be overridden");
    }
}

void reserved_param_check(const struct field_view *view, struct document_faults *faults)
{
    static const struct {
        enum iclient_field field;
        unsigned where;
    } fields[] = {{ICLIENT_AUTH_PARAMS, IN_AUTHORIZATION},
                  {ICLIENT_TOKEN_PARAMS, IN_TOKEN},
                  {ICLIENT_REFRESH_PARAMS, IN_REFRESH}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        check(field_set_get(view->own, fields[i].field), iclient_field_row(fields[i].field)->pointer, fields[i].where,
              faults);
}

void reserved_param_check_connection(const json_t *params, const char *pointer, struct document_faults *faults)
{
    check(params, pointer, IN_TOKEN, faults);
}

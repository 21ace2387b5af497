#include "model/iclient/iclient_field.h"

#include <string.h>
#include <strings.h>

#include "base/fault_list.h"

#define CHOICES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define GRANT_NAMES CHOICES("authorizecode", "password", "clientcredentials", "jwtbearer")

#define ROW(symbol, pointer_text, kind_name, fallback_text)                                                            \
    [ICLIENT_##symbol] = {.pointer = (pointer_text), .kind = FIELD_##kind_name, .fallback = (fallback_text)},

static const struct iclient_field_row rows[ICLIENT_FIELD_COUNT] = {
    ICLIENT_FIELD_TABLE(ROW)[ICLIENT_FORM_TYPE].choices = CHOICES("assistant", "http"),
    [ICLIENT_TYPE].choices = CHOICES("confidential", "public"),
    [ICLIENT_ALLOWED_GRANTS].choices = GRANT_NAMES,
    [ICLIENT_JWT_SIGNATURE_METHOD].choices = CHOICES("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256",
                                                     "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"),
    [ICLIENT_JWT_SIGNATURE_METHOD].other_words = (const struct iclient_field_word[]){{"hmac-sha256", "HS256"},
                                                                                     {"hmac-sha384", "HS384"},
                                                                                     {"hmac-sha512", "HS512"},
                                                                                     {"rsa-sha256", "RS256"},
                                                                                     {"rsa-sha384", "RS384"},
                                                                                     {"rsa-sha512", "RS512"},
                                                                                     {NULL, NULL}},
    [ICLIENT_JWT_USE].choices = CHOICES("assertion", "clientAssertion", "accessToken"),
    [ICLIENT_GRANT_TYPE].choices = GRANT_NAMES,
    [ICLIENT_PKCE].choices = CHOICES("s256", "plain"),
    [ICLIENT_PKCE].choice_nullable = true,
    [ICLIENT_CLIENT_CREDENTIALS_LOCATION].choices = CHOICES("basicauthheader", "body"),
    [ICLIENT_CLIENT_CREDENTIALS_ENCODING].choices = CHOICES("form", "none"),
    [ICLIENT_TOKEN_AUTH_METHOD].choices =
        CHOICES("client_secret_jwt", "private_key_jwt", "none", "basicauthheader", "body"),
    [ICLIENT_TOKEN_METHOD].choices = CHOICES("POST", "GET"),
    [ICLIENT_REFRESH_METHOD].choices = CHOICES("POST", "GET"),
    [ICLIENT_REVOKE_METHOD].choices = CHOICES("POST", "GET", "DELETE"),
    [ICLIENT_BODY_FORMAT].choices = CHOICES("form", "json"),
    [ICLIENT_EXPIRES_IN_UNIT].choices = CHOICES("seconds", "milliseconds", "minutes", "hours", "days"),
    [ICLIENT_ACCESS_TOKEN_LOCATION].choices = CHOICES("header", "url", "body"),
    [ICLIENT_RESPONSE_METADATA].paths = true,
    [ICLIENT_FAIL_VALUES].comma_separated = true,
    [ICLIENT_VALID_DOMAIN_NAMES].comma_separated = true,
};

static const struct {
    const char *pointer;
    enum iclient_field field;
} second_pointers[] = {
    {"/jwt/headers", ICLIENT_JWT_HEADER},
};
enum { SECOND_POINTER_COUNT = sizeof second_pointers / sizeof second_pointers[0] };

static const char *const groups[] = {
    "/jwt",           "/oauth2",     "/oauth2/auth", "/oauth2/token", "/oauth2/refresh",
    "/oauth2/revoke", "/salesforce", "/ebay",        "/netsuite",     "/amazonmws",
};
enum { GROUP_COUNT = sizeof groups / sizeof groups[0] };

const struct iclient_field_row *iclient_field_row(enum iclient_field field)
{
    return &rows[field];
}

const char *iclient_field_second_pointer(size_t index, enum iclient_field *ret_field)
{
    if (index >= SECOND_POINTER_COUNT)
        return NULL;
    *ret_field = second_pointers[index].field;
    return second_pointers[index].pointer;
}

/* The last step of pointer when it stands directly under parent, else NULL. */
static const char *leaf_under(const char *pointer, const char *parent, size_t parent_length)
{
    if (strncmp(pointer, parent, parent_length) != 0 || pointer[parent_length] != '/')
        return NULL;
    const char *leaf = pointer + parent_length + 1;
    return strchr(leaf, '/') ? NULL : leaf;
}

enum iclient_field iclient_field_find(const char *parent, const char *name)
{
    size_t length = strlen(parent);
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        const char *leaf = leaf_under(rows[field].pointer, parent, length);
        if (leaf && strcmp(leaf, name) == 0)
            return field;
    }
    for (size_t i = 0; i < SECOND_POINTER_COUNT; i++) {
        const char *leaf = leaf_under(second_pointers[i].pointer, parent, length);
        if (leaf && strcmp(leaf, name) == 0)
            return second_pointers[i].field;
    }
    return ICLIENT_FIELD_COUNT;
}

const char *iclient_field_group(const char *parent, const char *name)
{
    size_t length = strlen(parent);
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        const char *leaf = leaf_under(groups[i], parent, length);
        if (leaf && strcmp(leaf, name) == 0)
            return groups[i];
    }
    return NULL;
}

const char *iclient_field_nearest(const char *parent, const char *name)
{
    const char *here[ICLIENT_FIELD_COUNT + GROUP_COUNT];
    const char *everywhere[ICLIENT_FIELD_COUNT];
    size_t here_count = 0;
    size_t length = strlen(parent);
    const char *same_name = NULL;
    /* Groups first: a "token" in the wrong place is more likely the one of oauth2 than that of jwt. */
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        const char *leaf = leaf_under(groups[i], parent, length);
        if (leaf)
            here[here_count++] = leaf;
        else if (!same_name && strcasecmp(strrchr(groups[i], '/') + 1, name) == 0)
            same_name = groups[i];
    }
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        everywhere[field] = strrchr(rows[field].pointer, '/') + 1;
        if (leaf_under(rows[field].pointer, parent, length))
            here[here_count++] = everywhere[field];
        else if (!same_name && strcasecmp(everywhere[field], name) == 0)
            same_name = rows[field].pointer;
    }
    const char *nearest = nearest_name(name, here, here_count);
    if (nearest)
        return nearest;
    return same_name ? same_name : nearest_name(name, everywhere, ICLIENT_FIELD_COUNT);
}

/* The length of path's beginning that spells pointer with dots for slashes; 0 when it does not. */
static size_t match_path(const char *pointer, const char *path)
{
    size_t length = 0;
    for (const char *from = pointer + 1; *from; from++, length++) {
        char wanted = *from == '/' ? '.' : *from;
        if (path[length] != wanted)
            return 0;
    }
    return path[length] == '\0' || path[length] == '.' ? length : 0;
}

static bool is_at(const char *pointer, const char *path, const char **ret_rest)
{
    size_t length = match_path(pointer, path);
    if (length > 0)
        *ret_rest = path[length] == '.' ? path + length + 1 : path + length;
    return length > 0;
}

enum iclient_field iclient_field_find_path(const char *path, const char **ret_rest)
{
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        if (is_at(rows[field].pointer, path, ret_rest))
            return field;
    }
    for (size_t i = 0; i < SECOND_POINTER_COUNT; i++) {
        if (is_at(second_pointers[i].pointer, path, ret_rest))
            return second_pointers[i].field;
    }
    return ICLIENT_FIELD_COUNT;
}

#include "iclientctl/check/explain_document.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "model/catalog/document_secrets.h"
#include "model/iclient/iclient_field.h"

/* What our references name: a secret, or a key for a signature method. */
#define ANY_SECRET "secret"

enum { POINTER_MAX = 128, RSA_BITS = 2048 };

/* ---- keys for the occasion ---- */

static const struct {
    const char *method, *type, *curve;
} key_types[] = {
    {"RS256", "RSA", NULL},   {"RS384", "RSA", NULL},     {"RS512", "RSA", NULL},   {"PS256", "RSA", NULL},
    {"PS384", "RSA", NULL},   {"PS512", "RSA", NULL},     {"ES256", "EC", "P-256"}, {"ES384", "EC", "P-384"},
    {"ES512", "EC", "P-521"}, {"EdDSA", "ED25519", NULL},
};

enum { KEY_TYPES = sizeof key_types / sizeof key_types[0] };

struct secret_stand_ins {
    struct secret_resolver resolver;
    const char *secret;             /* of the placeholders */
    struct secret *keys[KEY_TYPES]; /* made when first asked for */
};

static EVP_PKEY *make_key(const char *type, const char *curve)
{
    if (strcmp(type, "RSA") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)RSA_BITS);
    return curve ? EVP_PKEY_Q_keygen(NULL, NULL, type, curve) : EVP_PKEY_Q_keygen(NULL, NULL, type);
}

static struct secret *key_to_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct secret *pem = NULL;
    char *text;
    if (bio && key && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        long length = BIO_get_mem_data(bio, &text);
        pem = secret_create(text, (size_t)length);
    }
    BIO_free(bio);
    return pem;
}

static struct secret *make_pem(size_t type)
{
    EVP_PKEY *key = make_key(key_types[type].type, key_types[type].curve);
    struct secret *pem = key_to_pem(key);
    EVP_PKEY_free(key);
    return pem;
}

/* NULL when no method of that name takes a private key, or none could be made. */
static struct secret *find_key(struct secret_stand_ins *stand_ins, const char *method)
{
    for (size_t i = 0; i < KEY_TYPES; i++) {
        if (strcmp(key_types[i].method, method) != 0)
            continue;
        if (!stand_ins->keys[i])
            stand_ins->keys[i] = make_pem(i);
        return secret_hold(stand_ins->keys[i]);
    }
    return NULL;
}

static enum status read_stand_in(void *context, const char *file, enum secret_source source, const char *name,
                                 struct secret **ret_secret, struct error *ret_error)
{
    (void)file;
    (void)source;
    struct secret_stand_ins *stand_ins = context;
    struct secret *secret = find_key(stand_ins, name);
    if (!secret)
        secret = secret_from_text(stand_ins->secret);
    if (!secret)
        return error_set(ret_error, ERR_NO_MEMORY, "secret");
    *ret_secret = secret;
    return OK;
}

struct secret_stand_ins *secret_stand_ins_create(struct placeholders *placeholders)
{
    AUTO(secret_stand_ins) stand_ins = calloc(1, sizeof *stand_ins);
    if (!stand_ins)
        return NULL;
    stand_ins->secret = placeholder_add(placeholders, SECRET_MASK);
    stand_ins->resolver = (struct secret_resolver){.read = read_stand_in, .context = stand_ins};
    return stand_ins->secret ? TAKE(stand_ins) : NULL;
}

void secret_stand_ins_destroy(struct secret_stand_ins *stand_ins)
{
    if (!stand_ins)
        return;
    for (size_t i = 0; i < KEY_TYPES; i++)
        secret_destroy(stand_ins->keys[i]);
    free(stand_ins);
}

const struct secret_resolver *secret_stand_ins_resolver(const struct secret_stand_ins *stand_ins)
{
    return &stand_ins->resolver;
}

/* ---- documents ---- */

static bool replace(json_t *object, const char *name, const char *stand_in)
{
    return json_object_set_new(object, name, json_pack("{s:s}", "$env", stand_in)) == 0;
}

static json_t *replace_leaves(const json_t *value);

/* NULL when out of memory. */
static json_t *replace_members(const json_t *object)
{
    AUTO_JSON copy = json_object();
    const char *name;
    json_t *member;
    json_object_foreach ((json_t *)(uintptr_t)object, name, member) {
        if (json_object_set_new(copy, name, replace_leaves(member)) != 0)
            return NULL;
    }
    return TAKE(copy);
}

static json_t *replace_elements(const json_t *array)
{
    AUTO_JSON copy = json_array();
    size_t index;
    json_t *element;
    json_array_foreach (array, index, element) {
        if (json_array_append_new(copy, replace_leaves(element)) != 0)
            return NULL;
    }
    return TAKE(copy);
}

/* Every leaf of a free object; one that is null is no secret. */
static json_t *replace_leaves(const json_t *value)
{
    if (json_is_null(value))
        return json_null();
    if (json_is_array(value))
        return replace_elements(value);
    if (json_is_object(value) && !secret_reference_is(value))
        return replace_members(value);
    return json_pack("{s:s}", "$env", ANY_SECRET);
}

static bool replace_at(json_t *document, const char *pointer, enum iclient_field_kind kind, const char *stand_in)
{
    char parent[POINTER_MAX];
    snprintf(parent, sizeof parent, "%s", pointer);
    char *name = strrchr(parent, '/');
    *name++ = '\0';
    json_t *level = json_read_pointer(document, parent);
    const json_t *value = json_object_get(level, name);
    if (kind == FIELD_SECRET_OBJECT)
        return !json_is_object(value) || json_object_set_new(level, name, replace_members(value)) == 0;
    return !value || replace(level, name, stand_in);
}

json_t *explain_document_iclient(const json_t *document, const char *method)
{
    AUTO_JSON copy = json_deep_copy(document);
    bool done = copy != NULL;
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        const struct iclient_field_row *row = iclient_field_row(field);
        bool key = field == ICLIENT_JWT_PRIVATE_KEY || field == ICLIENT_SALESFORCE_PRIVATE_KEY;
        if (row->kind == FIELD_SECRET || row->kind == FIELD_SECRET_OBJECT)
            done = done && replace_at(copy, row->pointer, row->kind, key && method ? method : ANY_SECRET);
    }
    return done ? TAKE(copy) : NULL;
}

json_t *explain_document_connection(const json_t *document)
{
    AUTO_JSON copy = json_deep_copy(document);
    bool done = copy && replace_at(copy, "/password", FIELD_SECRET, ANY_SECRET) &&
                replace_at(copy, "/encrypted", FIELD_SECRET_OBJECT, ANY_SECRET);
    return done ? TAKE(copy) : NULL;
}

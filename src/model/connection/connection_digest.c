#include "model/connection/connection_digest.h"

#include <stdlib.h>
#include <string.h>

#include "base/text/text_buffer.h"
#include "model/connection/connection_record.h"
#include "model/secret/digest.h"
#include "model/iclient/iclient_record.h"

_Static_assert((int)CONNECTION_DIGEST_SIZE == (int)DIGEST_HEX_SIZE, "one digest");
enum { FIELD_TEXT_LIMIT = 1024 * 1024 };

/* Each step takes the digest so far with it: secrets of any number and size need no buffer for all of them. */
static bool add_bytes(char digest[DIGEST_HEX_SIZE], const char *bytes, size_t length)
{
    const struct digest_part parts[] = {digest_text(digest), {.bytes = bytes, .length = length}};
    return digest_parts(parts, sizeof parts / sizeof parts[0], digest);
}

static bool add_text(char digest[DIGEST_HEX_SIZE], const char *text)
{
    return add_bytes(digest, text, text ? strlen(text) : 0);
}

static bool add_secret(char digest[DIGEST_HEX_SIZE], const struct secret *secret)
{
    return add_bytes(digest, secret_reveal(secret), secret_length(secret));
}

static bool add_secrets(char digest[DIGEST_HEX_SIZE], const struct secret_object *secrets)
{
    bool is_done = true;
    for (size_t i = 0; is_done && i < secret_object_count(secrets); i++)
        is_done = add_secret(digest, secret_object_at(secrets, i));
    return is_done;
}

/* In a document a secret is a mask. */
static bool add_field(char digest[DIGEST_HEX_SIZE], const struct iclient *iclient, enum iclient_field field)
{
    const json_t *value = iclient_json(iclient, field);
    if (!value)
        return add_text(digest, NULL);
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, FIELD_TEXT_LIMIT);
    if (!text_buffer_append_json(&text, value))
        return false;
    bool is_secret = iclient_field_row(field)->kind == FIELD_SECRET;
    return add_text(digest, text_buffer_text(&text)) &&
           (!is_secret || add_secret(digest, iclient_secret(iclient, field)));
}

static const char *digest_of_iclient(struct iclient *iclient)
{
    if (iclient->digest)
        return iclient->digest;
    char digest[DIGEST_HEX_SIZE] = "";
    bool is_done = add_text(digest, iclient->default_redirect_uri) && add_secrets(digest, iclient->fields.encrypted);
    for (int i = 0; is_done && i < ICLIENT_FIELD_COUNT; i++)
        is_done = add_field(digest, iclient, (enum iclient_field)i);
    if (is_done)
        iclient->digest = strdup(digest);
    return iclient->digest;
}

bool connection_digest(const struct connection *connection, char ret_digest[CONNECTION_DIGEST_SIZE])
{
    /* A cache: what an iClient is to the outside does not change by it. */
    const char *of_iclient = digest_of_iclient((struct iclient *)connection->iclient);
    if (!of_iclient)
        return false;
    memcpy(ret_digest, of_iclient, CONNECTION_DIGEST_SIZE);
    const struct connection_content *content = connection->content;
    return !content || (add_text(ret_digest, content->text) && add_secret(ret_digest, content->password) &&
                        add_secrets(ret_digest, content->encrypted));
}

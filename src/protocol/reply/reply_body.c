#include "protocol/reply/reply_body.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/json/json_read.h"
#include "base/text/url.h"

enum { FORM_NAME_MAX = 128 };

static const char form_name_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

/*
 * The content type is no help: some send form text as text/plain and JSON as text/html. So the shape decides, but for
 * XML: markup may be any page.
 */
static bool looks_like_form(const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    if (!equals || equals == text)
        return false;
    for (const char *at = text; at < equals; at++) {
        if (!strchr(form_name_characters, *at))
            return false;
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] > '~' || strchr("<>{}\"", text[i]))
            return false;
    }
    return true;
}

/* One name=value; names that no OAuth reply has are passed over. ERR_INVALID when a name comes twice. */
static enum status read_pair(const char *pair, size_t length, json_t *object)
{
    const char *equals = memchr(pair, '=', length);
    size_t name_length = equals ? (size_t)(equals - pair) : 0;
    char name[FORM_NAME_MAX];
    if (name_length == 0 || name_length >= sizeof name)
        return OK;
    memcpy(name, pair, name_length);
    name[name_length] = '\0';
    if (name[strspn(name, form_name_characters)] != '\0')
        return OK;
    if (json_object_get(object, name))
        return ERR_INVALID;
    AUTO_TEXT value = NULL;
    enum status status = form_find(pair, length, name, &value);
    if (status != OK)
        return status;
    json_t *text = json_string(value);
    secret_wipe(value, strlen(value));
    if (!text)
        return ERR_INVALID; /* not UTF-8 */
    return json_object_set_new(object, name, text) == 0 ? OK : ERR_NO_MEMORY;
}

static enum status read_form(const char *text, size_t length, json_t **ret_body)
{
    AUTO_JSON object = json_object();
    if (!object)
        return ERR_NO_MEMORY;
    const char *end = text + length;
    while (text < end) {
        const char *separator = memchr(text, '&', (size_t)(end - text));
        const char *pair_end = separator ? separator : end;
        enum status status = read_pair(text, (size_t)(pair_end - text), object);
        if (status != OK)
            return status;
        text = pair_end + 1;
    }
    *ret_body = TAKE(object);
    return OK;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim(const char **text, size_t *length)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF"; /* RFC 8259 §8.1: may be ignored */
    if (*length >= 3 && memcmp(*text, byte_order_mark, 3) == 0) {
        *text += 3;
        *length -= 3;
    }
    while (*length > 0 && is_space(**text)) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && is_space((*text)[*length - 1]))
        (*length)--;
}

enum status reply_body_read(const struct provider_reply *reply, enum reply_body *ret_kind,
                            struct reply_document *ret_body)
{
    const char *text = reply->body;
    size_t length = reply->length;
    if (length > 0)
        trim(&text, &length);
    *ret_kind = reply->too_large ? REPLY_BODY_FOREIGN : REPLY_BODY_EMPTY;
    if (length == 0 || reply->too_large)
        return OK;

    enum status status = ERR_INVALID;
    if (*text == '{' || *text == '[')
        status = json_read_text(text, length, &ret_body->json, NULL);
    else if (xml_is_media_type(reply->content_type))
        status = xml_document_read(reply->body, reply->length, reply->content_type, &ret_body->xml, NULL);
    else if (looks_like_form(text, length))
        status = read_form(text, length, &ret_body->json);
    *ret_kind = status == OK ? REPLY_BODY_READ : REPLY_BODY_FOREIGN;
    return status == ERR_NO_MEMORY ? status : OK;
}

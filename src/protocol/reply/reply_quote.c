#include "protocol/reply/reply_quote.h"

#include <string.h>

#include "protocol/reply/secret_search.h"

enum {
    TOKEN_RUN_MIN = 24,       /* longer than any word */
    TOKEN_RUN_DIGIT_MIN = 12, /* with a digit in it: longer than any error number or date */
};

static size_t token_run(const char *text, bool *ret_has_digit)
{
    static const char token_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=%";
    size_t length = strspn(text, token_characters);
    *ret_has_digit = strcspn(text, "0123456789") < length;
    return length;
}

bool reply_quote(const struct grant_context *context, const struct reply_document *body, const char *text, char *quoted,
                 size_t size)
{
    static const char mask[] = "[...]", cut[] = "...";
    quoted[0] = '\0';
    if (secret_search(context, body, text))
        return false;
    size_t length = 0;
    while (*text) {
        bool has_digit;
        size_t run = token_run(text, &has_digit);
        bool masked = run >= (has_digit ? TOKEN_RUN_DIGIT_MIN : TOKEN_RUN_MIN);
        size_t taken = run > 0 ? run : 1;
        size_t written = masked ? sizeof mask - 1 : taken;
        if (length + written + sizeof cut > size) {
            memcpy(quoted + length, cut, sizeof cut);
            return true;
        }
        if (masked)
            memcpy(quoted + length, mask, written);
        else if (run > 0)
            memcpy(quoted + length, text, written);
        else
            quoted[length] = *text >= ' ' && *text <= '~' ? *text : '?';
        length += written;
        text += taken;
    }
    quoted[length] = '\0';
    return true;
}

bool reply_quote_code(const struct grant_context *context, const struct reply_document *body, const char *code,
                      char *quoted, size_t size)
{
    quoted[0] = '\0';
    size_t length = strlen(code);
    if (length == 0 || length >= size)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (code[i] < ' ' || code[i] > '~' || code[i] == '"' || code[i] == '\\')
            return false;
    }
    bool has_digit;
    if (token_run(code, &has_digit) >= TOKEN_RUN_MIN && has_digit)
        return false;
    if (secret_search(context, body, code))
        return false;
    memcpy(quoted, code, length + 1);
    return true;
}

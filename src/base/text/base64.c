#include "base/text/base64.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

/* Encoded in blocks through the stack: 48 bytes are 64 characters, without padding between the blocks. */
enum { BLOCK_BYTES = 48, BLOCK_CHARACTERS = 64 };

static size_t encode_block(const unsigned char *bytes, size_t length, bool url_alphabet, char *ret_text)
{
    size_t size = (size_t)EVP_EncodeBlock((unsigned char *)ret_text, bytes, (int)length);
    if (!url_alphabet)
        return size;
    for (size_t i = 0; i < size; i++) {
        if (ret_text[i] == '+')
            ret_text[i] = '-';
        else if (ret_text[i] == '/')
            ret_text[i] = '_';
        else if (ret_text[i] == '=')
            return i;
    }
    return size;
}

static bool append_encoded(struct text_buffer *buffer, const unsigned char *bytes, size_t length, bool url_alphabet)
{
    size_t start = buffer->length;
    char text[BLOCK_CHARACTERS + 1];
    while (length > 0 && !buffer->failed) {
        size_t size = length < BLOCK_BYTES ? length : BLOCK_BYTES;
        text_buffer_append(buffer, text, encode_block(bytes, size, url_alphabet, text));
        bytes += size;
        length -= size;
    }
    secret_wipe(text, sizeof text);
    if (buffer->failed)
        text_buffer_truncate(buffer, start);
    return !buffer->failed;
}

bool base64_append(struct text_buffer *buffer, const void *bytes, size_t length)
{
    return append_encoded(buffer, bytes, length, false);
}

bool base64url_append(struct text_buffer *buffer, const void *bytes, size_t length)
{
    return append_encoded(buffer, bytes, length, true);
}

/* -1 when c is not of the URL alphabet (RFC 4648 §5). */
static int base64url_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : -1;
}

/* By hand: EVP_DecodeBlock takes white space and padding, and says nothing about stray bits. */
enum status base64url_decode(const char *text, size_t length, struct text_buffer *ret_bytes)
{
    if (length % 4 == 1)
        return ERR_INVALID;
    size_t start = ret_bytes->length;
    uint32_t bits = 0;
    unsigned count = 0;
    enum status status = OK;
    for (size_t i = 0; i < length && status == OK; i++) {
        int digit = base64url_digit(text[i]);
        if (digit < 0) {
            status = ERR_INVALID;
            break;
        }
        bits = (bits << 6 | (uint32_t)digit) & 0xFFFF;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        char byte = (char)(unsigned char)(bits >> count & 0xFF);
        if (!text_buffer_append(ret_bytes, &byte, 1))
            status = ret_bytes->length == ret_bytes->limit ? ERR_TOO_LARGE : ERR_NO_MEMORY;
    }
    if (status == OK && (bits & ((1U << count) - 1)) != 0)
        status = ERR_INVALID;
    if (status != OK)
        text_buffer_truncate(ret_bytes, start);
    return status;
}

enum status base64_decode_pasted(const char *text, size_t length, struct text_buffer *ret_bytes)
{
    AUTO_FINISH(text_buffer) plain;
    text_buffer_init(&plain, length);
    size_t padding = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
        if (c != '\0' && strchr(" \t\r\n", c))
            continue;
        padding += c == '=';
        if (c != '=' && (padding > 0 || !text_buffer_append(&plain, &c, 1)))
            return padding > 0 ? ERR_INVALID : ERR_NO_MEMORY;
    }
    if (padding > 2 || (padding > 0 && (plain.length + padding) % 4 != 0))
        return ERR_INVALID;
    return base64url_decode(text_buffer_text(&plain), plain.length, ret_bytes);
}

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/http/http_heads.h"
#include "io/http/http_parse.h"

/*
 * The same bytes must be the same requests however the reads cut them, and whether they came before or not, or a client
 * could hide one.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_server_options limits = {
    .max_target = 64, .max_header_bytes = 300, .max_header_count = 6, .max_body = 40};

/* What came out: a hash over all that a handler could see. */
struct outcome {
    uint64_t hash;
    size_t requests;
    bool is_refused;
};

static void outcome_add(struct outcome *outcome, struct http_text text)
{
    outcome->hash = outcome->hash * 31 + text.length;
    for (size_t i = 0; i < text.length; i++)
        outcome->hash = outcome->hash * 131 + (uint8_t)text.data[i];
}

static void add_request(struct outcome *outcome, const struct http_parse *parse)
{
    static const char *const names[] = {"Host", "X", "Expect", "Content-Length"};
    struct http_text value;
    if (http_parse_path(parse).data[0] != '/')
        abort();
    outcome_add(outcome, http_parse_path(parse));
    outcome_add(outcome, http_parse_query(parse));
    outcome_add(outcome, http_parse_body(parse));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (http_parse_header(parse, names[i], &value))
            outcome_add(outcome, value);
    }
    outcome->hash += (uint64_t)http_parse_verb(parse) * 2 + http_parse_keeps_alive(parse);
    outcome->requests++;
}

static struct outcome feed(struct http_heads *heads, const uint8_t *data, size_t size, size_t piece)
{
    struct outcome outcome = {0};
    AUTO(http_parse) parse = http_parse_create(&limits, heads);
    while (size > 0 && !outcome.is_refused) {
        size_t room_size;
        char *room = http_parse_room(parse, &room_size);
        size_t length = size < piece ? size : piece;
        if (length > room_size)
            length = room_size;
        memcpy(room, data, length);
        http_parse_filled(parse, length);
        data += length;
        size -= length;
        enum http_parse_result result;
        while ((result = http_parse_run(parse)) == HTTP_PARSE_COMPLETE) {
            add_request(&outcome, parse);
            http_parse_finish_request(parse);
        }
        outcome.is_refused = result == HTTP_PARSE_REFUSED;
    }
    return outcome;
}

static void assert_same(struct outcome a, struct outcome b)
{
    if (a.hash != b.hash || a.requests != b.requests || a.is_refused != b.is_refused)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t piece = 2 + data[0] % 15;
    struct outcome whole = feed(NULL, data + 1, size - 1, SIZE_MAX);
    assert_same(whole, feed(NULL, data + 1, size - 1, 1));
    assert_same(whole, feed(NULL, data + 1, size - 1, piece));
    AUTO(http_heads) heads = http_heads_create();
    for (int i = 0; i < 3; i++) {
        assert_same(whole, feed(heads, data + 1, size - 1, SIZE_MAX));
        assert_same(whole, feed(heads, data + 1, size - 1, piece));
    }
    return 0;
}

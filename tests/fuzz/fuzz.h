#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json/json_read.h"
#include "base/text/text_buffer.h"

/*
 * What the targets share. A target takes any bytes and states what must hold for all of them; run under libFuzzer
 * (cmake -DFUZZ=ON) or, with the kept inputs of corpus/, as a unit test.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that does not hold ends the program; the words say which, the input is what libFuzzer keeps. */
#define REQUIRE(condition, ...)                                                                                        \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                                            \
            fprintf(stderr, __VA_ARGS__);                                                                              \
            fputc('\n', stderr);                                                                                       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* One byte of the input picks one of count, the first when it is missing. '0' is the first: kept inputs are text. */
static inline size_t fuzz_pick(const uint8_t *data, size_t size, size_t at, size_t count)
{
    return at < size ? (size_t)(uint8_t)(data[at] - '0') % count : 0;
}

/* The bytes from an offset on, in memory of exactly their size, so that reading one too many is seen. free() */
static inline char *fuzz_bytes(const uint8_t *data, size_t size, size_t from, size_t *ret_length)
{
    *ret_length = from < size ? size - from : 0;
    char *copy = malloc(*ret_length ? *ret_length : 1);
    REQUIRE(copy, "no memory");
    if (*ret_length)
        memcpy(copy, data + from, *ret_length);
    return copy;
}

/* The same as text, ending at the first NUL. */
static inline char *fuzz_text(const uint8_t *data, size_t size, size_t from)
{
    char *copy = strndup(from < size ? (const char *)data + from : "", from < size ? size - from : 0);
    REQUIRE(copy, "no memory");
    return copy;
}

/* The next line of *at as a text of its own, which may be empty; moves *at behind its newline. free(). */
static inline char *fuzz_line(const char **at)
{
    size_t length = strcspn(*at, "\n");
    char *line = strndup(*at, length);
    REQUIRE(line, "no memory");
    *at += length + ((*at)[length] == '\n');
    return line;
}

/* NULL when it is no JSON. */
static inline json_t *fuzz_json(const char *text, size_t length)
{
    json_t *document = NULL;
    return json_read_text(text, length, &document, NULL) == OK ? document : NULL;
}

static inline char *fuzz_dump(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    REQUIRE(text, "no memory");
    return text;
}

#endif

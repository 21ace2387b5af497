#include "base/json/json_flat.h"

#include <string.h>

/* int64_t's digits but one: no overflow to look for. */
enum { DIGITS_MAX = 18 };

struct cursor {
    const char *at;
    const char *end;
};

static bool take(struct cursor *cursor, char wanted)
{
    if (cursor->at == cursor->end || *cursor->at != wanted)
        return false;
    cursor->at++;
    return true;
}

static bool take_string(struct cursor *cursor, const char **ret_text, size_t *ret_length)
{
    if (!take(cursor, '"'))
        return false;
    const char *begin = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != '"') {
        if (*cursor->at < ' ' || *cursor->at > '~' || *cursor->at == '\\')
            return false;
        cursor->at++;
    }
    *ret_text = begin;
    *ret_length = (size_t)(cursor->at - begin);
    return take(cursor, '"');
}

static bool take_number(struct cursor *cursor, int64_t *ret_number)
{
    bool is_negative = take(cursor, '-');
    const char *begin = cursor->at;
    int64_t number = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9' && cursor->at - begin < DIGITS_MAX)
        number = number * 10 + (*cursor->at++ - '0');
    *ret_number = is_negative ? -number : number;
    ptrdiff_t digits = cursor->at - begin;
    return digits == 1 || (digits > 1 && *begin != '0');
}

static bool take_member(struct cursor *cursor, struct json_flat_member *member)
{
    *member = (struct json_flat_member){0};
    if (!take_string(cursor, &member->name, &member->name_length) || !take(cursor, ':'))
        return false;
    if (cursor->at < cursor->end && *cursor->at == '"')
        return take_string(cursor, &member->text, &member->length);
    return take_number(cursor, &member->number);
}

bool json_flat_read(const char *json, size_t length, struct json_flat_member *members, size_t most, size_t *ret_count)
{
    struct cursor cursor = {json, json + length};
    size_t count = 0;
    if (!take(&cursor, '{'))
        return false;
    do {
        if (count == most || !take_member(&cursor, &members[count++]))
            return false;
    } while (take(&cursor, ','));
    if (!take(&cursor, '}') || cursor.at != cursor.end)
        return false;
    *ret_count = count;
    return true;
}

const struct json_flat_member *json_flat_find(const struct json_flat_member *members, size_t count, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < count; i++) {
        if (members[i].name_length == length && memcmp(members[i].name, name, length) == 0)
            return &members[i];
    }
    return NULL;
}

/* Any bytes: what the quick reader takes is JSON, and says the same to the thorough one. */
#include "base/json/json_flat.h"
#include "fuzz.h"

enum { MEMBERS_MAX = 16 };

static void require_same(const struct json_flat_member *member, const json_t *value)
{
    if (member->text) {
        REQUIRE(json_string_length(value) == member->length &&
                    memcmp(json_string_value(value), member->text, member->length) == 0,
                "another text");
        return;
    }
    REQUIRE(json_is_integer(value) && json_integer_value(value) == member->number, "another number");
}

static bool is_repeated(const struct json_flat_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_TEXT name = strndup(members[i].name, members[i].name_length);
        if (json_flat_find(members, count, name) != &members[i])
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_flat_member members[MEMBERS_MAX];
    size_t length, count = 0;
    AUTO_TEXT text = fuzz_bytes(data, size, 0, &length);
    if (!json_flat_read(text, length, members, MEMBERS_MAX, &count))
        return 0;
    REQUIRE(count > 0 && count <= MEMBERS_MAX, "%zu members", count);
    if (is_repeated(members, count))
        return 0; /* the thorough one refuses it; the first counts here */
    AUTO_JSON document = fuzz_json(text, length);
    REQUIRE(json_object_size(document) == count, "no JSON object, or of other members");
    for (size_t i = 0; i < count; i++)
        require_same(&members[i], json_object_getn(document, members[i].name, members[i].name_length));
    return 0;
}

/*
 * A path, a newline, and a document: what a path leads to is the same each time, has a bound, and nothing is written to
 * standard error, where the document's texts would go.
 */
#include "fuzz.h"
#include "model/reply/reply_path.h"

static void look_up(const struct reply_path *path, const struct reply_document *document)
{
    AUTO_JSON all = reply_path_find(path, document);
    AUTO_JSON again = reply_path_find(path, document);
    AUTO_JSON one = reply_path_find_one(path, document);
    REQUIRE(!all == !again && (!all || json_equal(all, again)), "the second search found something else");
    REQUIRE(all || !one, "there is one of none");
    REQUIRE(!document->xml || !one || json_is_string(one), "XML has texts alone");
    REQUIRE(!document->xml || json_array_size(all) <= REPLY_VALUES_MAX, "too many values");
}

static void look_up_json(const struct reply_path *path, const char *text, size_t length)
{
    AUTO_FINISH(reply_document) document = {.json = fuzz_json(text, length)};
    if (document.json)
        look_up(path, &document);
}

static void look_up_xml(const struct reply_path *path, const char *text, size_t length)
{
    AUTO_FINISH(reply_document) document = {0};
    struct error error = {0};
    enum status status = xml_document_read(text, length, NULL, &document.xml, &error);
    REQUIRE((status == OK) == (document.xml != NULL), "a status without its document");
    REQUIRE((status == OK) == (error.message[0] == '\0'), "a refusal has words, and nothing else has");
    if (document.xml)
        look_up(path, &document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_TEXT copy = fuzz_text(data, size, 0);
    const char *at = copy;
    AUTO_TEXT line = fuzz_line(&at);
    AUTO(reply_path) path = NULL;
    struct error error = {0};
    enum status status = reply_path_compile(line, &path, &error);
    REQUIRE(status == OK || status == ERR_INVALID, "%d: %s", (int)status, error.message);
    REQUIRE((status == OK) == (path != NULL), "a status without its path");
    if (!path)
        return 0;
    REQUIRE(strcmp(reply_path_text(path), line) == 0, "the path has another text");
    size_t length;
    char *document = fuzz_bytes(data, size, strlen(line) + 1, &length);
    look_up_json(path, document, length);
    look_up_xml(path, document, length);
    free(document);
    return 0;
}

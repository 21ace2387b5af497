#ifndef MODEL_REPLY_REPLY_PATH_H
#define MODEL_REPLY_REPLY_PATH_H

#include "model/reply/reply_document.h"

/*
 * A path field of an iClient (accessTokenPath, failPath, …), read once when the iClient is loaded. Text that begins
 * with "/" is an XPath and looks into XML alone (xml_path_compile()); any other is a JSON path and looks into JSON
 * (json_path_compile()). A JSON path of one name, as the defaults are, also finds an element below the root of XML.
 */
struct reply_path;

/* REPLY_VALUES_MAX, REPLY_VALUES_SIZE_MAX: of the values that one path leads to; what is beyond counts as absent. */
enum { REPLY_PATH_MAX = 256, REPLY_VALUES_MAX = 4096, REPLY_VALUES_SIZE_MAX = 1024 * 1024 };

/* ERR_INVALID: empty, longer than REPLY_PATH_MAX, or neither notation; the message says where. ERR_NO_MEMORY. */
enum status reply_path_compile(const char *text, struct reply_path **ret_path, struct error *ret_error);
void reply_path_destroy(struct reply_path *path);
AUTO_DEFINE(reply_path);

/* As it was written. */
const char *reply_path_text(const struct reply_path *path);
bool reply_path_is_xpath(const struct reply_path *path);

/*
 * The value that the path leads to; an array of all of them where it may lead to several ("*", or elements of XML). A
 * text of XML is a string. New reference; NULL when there is none, or no memory. path may be NULL.
 */
json_t *reply_path_find(const struct reply_path *path, const struct reply_document *document);
/* The same, but of several values the first one that says something (no null, no empty text). */
json_t *reply_path_find_one(const struct reply_path *path, const struct reply_document *document);

#endif

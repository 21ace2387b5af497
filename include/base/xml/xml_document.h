#ifndef BASE_XML_XML_DOCUMENT_H
#define BASE_XML_XML_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * XML that strangers wrote, read by libxml2 for the text in it. A document type declaration is refused, and with it all
 * entities but the five of XML itself; nothing is loaded, from disk or network. Encodings: UTF-8, UTF-16, ISO-8859-1,
 * US-ASCII; other ones would go through iconv.
 */
struct xml_document;

/* XML_DEPTH_MAX is libxml2's own without XML_PARSE_HUGE. */
enum { XML_TEXT_MAX = 128 * 1024, XML_DEPTH_MAX = 256 };

/*
 * Whether a media type is XML (RFC 7303): application/xml, text/xml, anything+xml; XHTML is a page and none. NULL: no.
 */
bool xml_is_media_type(const char *content_type);

/*
 * content_type: its charset goes before the document's own declaration; NULL: none. ERR_TOO_LARGE, ERR_UNSUPPORTED (an
 * encoding, a document type declaration), ERR_INVALID (not well-formed), ERR_NO_MEMORY; messages never quote the text.
 */
enum status xml_document_read(const char *text, size_t length, const char *content_type,
                              struct xml_document **ret_document, struct error *ret_error);
void xml_document_destroy(struct xml_document *document);
AUTO_DEFINE(xml_document);

/*
 * A location path of XPath 1.0 from the root on:
 *   /a/b   //b   /a/@id   /a/text()   /a/b[2]   /a/b[@id='x']   /a/b[name='x']
 * with "*" for any name, "//" once, and at most two conditions in a step. A name without a prefix fits elements of any
 * namespace; a prefix has to be the one that the document writes.
 */
struct xml_path;

/* ERR_INVALID: any other expression; the message says at which character. ERR_NO_MEMORY. */
enum status xml_path_compile(const char *text, struct xml_path **ret_path, struct error *ret_error);
void xml_path_destroy(struct xml_path *path);
AUTO_DEFINE(xml_path);

/* text is borrowed, without white space at both ends. Returns true to end the search. */
typedef bool xml_text_visit(void *context, const char *text);
/*
 * Visits the text of each node that the path leads to, in the document's order. True when a visit ended it. A search
 * that takes too many operations, or for which there is no memory, finds nothing.
 */
bool xml_path_each(const struct xml_path *path, const struct xml_document *document, xml_text_visit *visit,
                   void *context);
/* The same for the elements of this name directly below the root element. */
bool xml_document_each_child(const struct xml_document *document, const char *name, xml_text_visit *visit,
                             void *context);

/* libxml2 wipes what it frees, from now on. Before any other call to it. */
void xml_library_wipe_freed(void);

#endif

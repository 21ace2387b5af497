#include "base/xml/xml_document.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <string.h>
#include <strings.h>

#include "base/text/text_buffer.h"
#include "base/wiping_memory.h"
#include "base/xml/xpath_text.h"

enum { EXPRESSION_MAX = 64 * 1024, NAME_MAX_LENGTH = 64, CHARSET_MAX = 32 };
/* Ten times what a search through the largest document takes: xpath_text_translate() lets nothing dearer through. */
enum { OPERATIONS_MAX = 2 * 1000 * 1000 };

static const char blanks[] = " \t\r\n";

/* ---- the library ---- */

/* Its own texts quote the document, and would go to standard error. */
static void ignore_error(void *context, xmlErrorPtr error)
{
    (void)context;
    (void)error;
}

static void *library_malloc(size_t size)
{
    return malloc(size);
}

static char *library_strdup(const char *text)
{
    return strdup(text);
}

void xml_library_wipe_freed(void)
{
    xmlMemSetup(wiping_free, library_malloc, wiping_realloc, library_strdup);
}

static void library_prepare(void)
{
    xmlSetStructuredErrorFunc(NULL, ignore_error);
}

/* ---- which encoding ---- */

/* Names as they come, and libxml2's names of those that it reads by itself. */
static const struct {
    const char *name;
    const char *encoding;
} encodings[] = {
    {"UTF-8", "UTF-8"},           {"UTF8", "UTF-8"},
    {"US-ASCII", "ISO-8859-1"},   {"ASCII", "ISO-8859-1"},
    {"ISO-8859-1", "ISO-8859-1"}, {"ISO_8859-1", "ISO-8859-1"},
    {"LATIN1", "ISO-8859-1"},
};

static const char *find_encoding(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        if (strlen(encodings[i].name) == length && strncasecmp(encodings[i].name, name, length) == 0)
            return encodings[i].encoding;
    }
    return NULL;
}

/*
 * Byte order marks, and the first character of a document without one (XML 1.0 appendix F). Bytes of marks are skipped.
 */
static const char *detect_encoding(const char **text, size_t *length)
{
    static const struct {
        const char *bytes;
        size_t size;
        size_t skipped;
        const char *encoding;
    } beginnings[] = {
        {"\xEF\xBB\xBF", 3, 3, "UTF-8"}, {"\xFF\xFE", 2, 2, "UTF-16LE"}, {"\xFE\xFF", 2, 2, "UTF-16BE"},
        {"<\0", 2, 0, "UTF-16LE"},       {"\0<", 2, 0, "UTF-16BE"},
    };
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        if (*length < beginnings[i].size || memcmp(*text, beginnings[i].bytes, beginnings[i].size) != 0)
            continue;
        *text += beginnings[i].skipped;
        *length -= beginnings[i].skipped;
        return beginnings[i].encoding;
    }
    return NULL;
}

/* The value after name=, quoted or not; its length 0 when there is none. */
static const char *find_value(const char *text, const char *name, size_t *ret_length)
{
    const char *found = strcasestr(text, name);
    *ret_length = 0;
    if (!found)
        return NULL;
    found += strlen(name);
    found += strspn(found, blanks);
    if (*found != '=')
        return NULL;
    found++;
    found += strspn(found, blanks);
    found += *found == '"' || *found == '\'';
    *ret_length = strcspn(found, "\"'; \t\r\n?>");
    return found;
}

/* Looked up in a copy of the declaration: the document need not end in NUL. */
static const char *find_declared(const char *text, size_t length, char declaration[static NAME_MAX_LENGTH * 4],
                                 size_t *ret_length)
{
    size_t size = length < NAME_MAX_LENGTH * 4 - 1 ? length : NAME_MAX_LENGTH * 4 - 1;
    memcpy(declaration, text, size);
    declaration[size] = '\0';
    char *end = strstr(declaration, "?>");
    *ret_length = 0;
    if (strncmp(declaration, "<?xml", 5) != 0 || !end)
        return NULL;
    *end = '\0';
    return find_value(declaration, "encoding", ret_length);
}

/* NULL: one that is not read. */
static const char *choose_encoding(const char **text, size_t *length, const char *content_type)
{
    const char *detected = detect_encoding(text, length);
    if (detected)
        return detected;
    size_t name_length = 0;
    const char *name = content_type ? find_value(content_type, "charset", &name_length) : NULL;
    if (name)
        return find_encoding(name, name_length);
    char declaration[NAME_MAX_LENGTH * 4];
    name = find_declared(*text, *length, declaration, &name_length);
    return name ? find_encoding(name, name_length) : "UTF-8";
}

bool xml_is_media_type(const char *content_type)
{
    if (!content_type)
        return false;
    content_type += strspn(content_type, blanks);
    size_t length = strcspn(content_type, "; \t");
    static const char *const types[] = {"application/xml", "text/xml"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strlen(types[i]) == length && strncasecmp(types[i], content_type, length) == 0)
            return true;
    }
    static const char suffix[] = "+xml", page[] = "application/xhtml+xml";
    return length > sizeof suffix &&
           strncasecmp(content_type + length - (sizeof suffix - 1), suffix, sizeof suffix - 1) == 0 &&
           !(length == sizeof page - 1 && strncasecmp(content_type, page, length) == 0);
}

/* ---- documents ---- */

/* A document is libxml2's own: there is nothing to add to it. */
static xmlDocPtr tree_of(const struct xml_document *document)
{
    return (xmlDocPtr)(uintptr_t)document;
}

static const int parser_options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA |
                                  XML_PARSE_IGNORE_ENC | XML_PARSE_COMPACT;

/* Before the first entity is declared. */
static void refuse_doctype(void *context, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
    (void)name;
    (void)external_id;
    (void)system_id;
    xmlParserCtxtPtr parser = context;
    parser->_private = parser;
    xmlStopParser(parser);
}

static enum status explain(xmlParserCtxtPtr parser, struct error *ret_error)
{
    const xmlError *error = xmlCtxtGetLastError(parser);
    if (error && error->code == XML_ERR_NO_MEMORY)
        return error_set(ret_error, ERR_NO_MEMORY, "XML document");
    if (parser->_private)
        return error_set(ret_error, ERR_UNSUPPORTED, "a document type declaration, which may declare entities");
    return error_set(ret_error, ERR_INVALID, "line %d: not well-formed, or nested more than %d deep",
                     error ? error->line : 0, XML_DEPTH_MAX);
}

enum status xml_document_read(const char *text, size_t length, const char *content_type,
                              struct xml_document **ret_document, struct error *ret_error)
{
    if (length > XML_TEXT_MAX)
        return error_set(ret_error, ERR_TOO_LARGE, "longer than %d bytes", XML_TEXT_MAX);
    const char *encoding = choose_encoding(&text, &length, content_type);
    if (!encoding)
        return error_set(ret_error, ERR_UNSUPPORTED,
                         "an encoding that is neither UTF-8, UTF-16, ISO-8859-1 nor US-ASCII");
    library_prepare();
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (!parser)
        return error_set(ret_error, ERR_NO_MEMORY, "XML document");
    parser->sax->internalSubset = refuse_doctype;
    parser->_private = NULL;
    xmlDocPtr tree = xmlCtxtReadMemory(parser, text, (int)length, NULL, encoding, parser_options);
    /* What was stopped is no whole document, whatever the library makes of it. */
    if (tree && parser->_private) {
        xmlFreeDoc(tree);
        tree = NULL;
    }
    enum status status = tree ? OK : explain(parser, ret_error);
    xmlFreeParserCtxt(parser);
    if (status == OK)
        *ret_document = (struct xml_document *)tree;
    return status;
}

void xml_document_destroy(struct xml_document *document)
{
    if (document)
        xmlFreeDoc(tree_of(document));
}

/* ---- paths ---- */

static xmlXPathCompExprPtr expression_of(const struct xml_path *path)
{
    return (xmlXPathCompExprPtr)(uintptr_t)path;
}

static xmlXPathContextPtr create_context(xmlDocPtr tree)
{
    library_prepare();
    xmlXPathContextPtr context = xmlXPathNewContext(tree);
    if (!context)
        return NULL;
    context->error = ignore_error;
    context->opLimit = OPERATIONS_MAX;
    return context;
}

enum status xml_path_compile(const char *text, struct xml_path **ret_path, struct error *ret_error)
{
    AUTO_FINISH(text_buffer) expression;
    text_buffer_init(&expression, EXPRESSION_MAX);
    enum status status = xpath_text_translate(text, &expression, ret_error);
    if (status != OK)
        return status;
    xmlXPathContextPtr context = create_context(NULL);
    xmlXPathCompExprPtr compiled =
        context ? xmlXPathCtxtCompile(context, (const xmlChar *)text_buffer_text(&expression)) : NULL;
    bool is_invalid = context && context->lastError.code != 0 && context->lastError.code != XML_ERR_NO_MEMORY;
    xmlXPathFreeContext(context);
    if (!compiled)
        return error_set(ret_error, is_invalid ? ERR_INVALID : ERR_NO_MEMORY, "XPath");
    *ret_path = (struct xml_path *)compiled;
    return OK;
}

void xml_path_destroy(struct xml_path *path)
{
    if (path)
        xmlXPathFreeCompExpr(expression_of(path));
}

/* True to end the search; also when there is no memory for one more text. */
static bool visit_node(xmlNodePtr node, xml_text_visit *visit, void *context)
{
    xmlChar *content = xmlNodeGetContent(node);
    if (!content)
        return true;
    char *text = (char *)content;
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    text[length] = '\0';
    bool is_ended = visit(context, text);
    xmlFree(content);
    return is_ended;
}

bool xml_path_each(const struct xml_path *path, const struct xml_document *document, xml_text_visit *visit,
                   void *context)
{
    xmlXPathContextPtr search = create_context(tree_of(document));
    xmlXPathObjectPtr found = search ? xmlXPathCompiledEval(expression_of(path), search) : NULL;
    bool is_ended = false;
    xmlNodeSetPtr nodes = found ? found->nodesetval : NULL;
    for (int i = 0; nodes && i < nodes->nodeNr && !is_ended; i++)
        is_ended = visit_node(nodes->nodeTab[i], visit, context);
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(search);
    return is_ended;
}

bool xml_document_each_child(const struct xml_document *document, const char *name, xml_text_visit *visit,
                             void *context)
{
    const xmlNode *root = xmlDocGetRootElement(tree_of(document));
    for (xmlNodePtr node = root ? root->children : NULL; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0 &&
            visit_node(node, visit, context))
            return true;
    }
    return false;
}

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/text_buffer.h"
#include "base/xml/xml_document.h"

static struct xml_document *parse(const char *text)
{
    struct xml_document *document = NULL;
    struct error error = {0};
    cr_assert_eq(xml_document_read(text, strlen(text), NULL, &document, &error), OK, "%s: %s", text, error.message);
    return document;
}

static struct xml_path *compile(const char *text)
{
    struct xml_path *path = NULL;
    struct error error = {0};
    cr_assert_eq(xml_path_compile(text, &path, &error), OK, "%s: %s", text, error.message);
    return path;
}

static bool append(void *context, const char *text)
{
    char *list = context;
    strcat(list, *list ? "," : "");
    strcat(list, text);
    return false;
}

static void find(const char *text, const struct xml_document *document, char list[static 256])
{
    AUTO(xml_path) path = compile(text);
    list[0] = '\0';
    cr_expect_not(xml_path_each(path, document, append, list));
}

static const char sample[] =
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    "<r xmlns='urn:one' xmlns:s='urn:two'><token id='7' s:kind='x'>\n  abc&amp;&#100;<![CDATA[<e>]]> </token>"
    "<list><i n='a'>1</i><i n='b'>2</i><i n='c'><k>3</k></i></list><s:Body><s:Fault>4</s:Fault></s:Body>"
    "<deep><x><token>5</token></x></deep><empty/>mixed</r>";

Test(xml_document, a_path_leads_to_texts_in_any_namespace)
{
    static const struct {
        const char *path, *found;
    } cases[] = {
        {"/r/token", "abc&d<e>"},
        {"/r/token/text()", "abc&d<e>"},
        {"/r/token/@id", "7"},
        {"/r/token/@*", "7,x"},
        {"/r/token/@s:kind", "x"},
        {"/r/token/@kind", "x"},
        {"//token", "abc&d<e>,5"},
        {"//x/token", "5"},
        {"/r/deep//token", "5"},
        {"/r/list/i", "1,2,3"},
        {"/r/list/i[2]", "2"},
        {"/r/list/i[9]", ""},
        {"/r/list/i[@n='c']", "3"},
        {"/r/list/i[@n=\"c\"]/k", "3"},
        {"/r/list/i[k='3']", "3"},
        {"/r/list/i[*='3']/@n", "c"},
        {"/r/*/i[1]", "1"},
        {"/r/s:Body/s:Fault", "4"},
        {"/r/Body/Fault", "4"},
        {"/r/t:Body", ""},
        {"/s:r", ""},
        {"/r/empty", ""},
        {"/token", ""},
        {"/r/deep", "5"},
        {"/R/token", ""},
        {"/r/list/i[1][@n='a']", "1"},
        {"/r/list/i/@n", "a,b,c"},
    };
    AUTO(xml_document) document = parse(sample);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char list[256];
        find(cases[i].path, document, list);
        cr_expect_str_eq(list, cases[i].found, "%s gave \"%s\"", cases[i].path, list);
    }
    char children[256] = "";
    cr_expect_not(xml_document_each_child(document, "token", append, children));
    cr_expect_str_eq(children, "abc&d<e>", "direct children only: %s", children);
}

Test(xml_document, any_other_expression_is_refused_with_its_place)
{
    static const struct {
        const char *path, *says;
    } cases[] = {
        {"", "character 1"},
        {"a", "character 1"},
        {"/", "character 2"},
        {"/a/", "character 4"},
        {"//*[count(//*)>0]", "character 10"},
        {"/a[position()=1]", "character 12"},
        {"/a[last()]", "character 8"},
        {"/a|/b", "character 3"},
        {"/..", "character 2"},
        {"/.", "character 2"},
        {"/a/ancestor::b", "character 4"},
        {"/a[b]", "character 5"},
        {"/a[b='c", "character 6"},
        {"/a[b='c' or d='e']", "character 9"},
        {"/a[0]", "character 4"},
        {"/a[01]", "character 4"},
        {"/a[1", "character 5"},
        {"/a[@b=c]", "character 7"},
        {"/text()/a", "a step after"},
        {"/a/@b/c", "a step after"},
        {"/a:", "character 2"},
        {"document('/etc/passwd')", "character 1"},
        {"///a", "character 3"},
        {"//a//b", "a second //"},
        {"/a//b//c", "a second //"},
        {"/a[1][2][3]", "third condition"},
        {"/a[1000000000]", "character 4"},
        {"/a b", "character 3"},
        {"/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", "more than 32 steps"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct xml_path *path = NULL;
        struct error error = {0};
        cr_expect_eq(xml_path_compile(cases[i].path, &path, &error), ERR_INVALID, "%s is taken", cases[i].path);
        cr_expect_null(path);
        cr_expect(strstr(error.message, cases[i].says), "%s: %s", cases[i].path, error.message);
    }
}

#define BILLION_LAUGHS                                                                                                 \
    "<!DOCTYPE l [<!ENTITY a 'hunter2hunter2'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"                                  \
    "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;'>]><l>&d;&d;&d;</l>"

Test(xml_document, what_is_hostile_or_broken_is_refused_without_quoting_it)
{
    static const struct {
        const char *text;
        size_t length;
        const char *content_type;
        enum status status;
        const char *says;
    } cases[] = {
        {BILLION_LAUGHS, 0, NULL, ERR_UNSUPPORTED, "document type"},
        {"<!DOCTYPE r SYSTEM 'http://127.0.0.1:1/hunter2.dtd'><r/>", 0, NULL, ERR_UNSUPPORTED, "document type"},
        {"<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><r>&x;</r>", 0, NULL, ERR_UNSUPPORTED, "document type"},
        {"<!DOCTYPE r [<!ENTITY % p SYSTEM 'file:///etc/passwd'>%p;]><r/>", 0, NULL, ERR_UNSUPPORTED, "document type"},
        {"<!DOCTYPE html><html><body>hunter2</body></html>", 0, NULL, ERR_UNSUPPORTED, "document type"},
        {"<r>&hunter2;</r>", 0, NULL, ERR_INVALID, "not well-formed"},
        {"<r><hunter2></r>", 0, NULL, ERR_INVALID, "not well-formed"},
        {"<r/><hunter2/>", 0, NULL, ERR_INVALID, "not well-formed"},
        {"<r a='1' a='2'/>", 0, NULL, ERR_INVALID, "not well-formed"},
        {"<r>\0</r>", 8, NULL, ERR_INVALID, "not well-formed"},
        {"<r>\xFF</r>", 0, NULL, ERR_INVALID, "not well-formed"},
        {"hunter2", 0, NULL, ERR_INVALID, "not well-formed"},
        {"", 0, NULL, ERR_INVALID, "not well-formed"},
        {"<?xml version='1.0' encoding='ISO-2022-CN-EXT'?><r/>", 0, NULL, ERR_UNSUPPORTED, "encoding"},
        {"<?xml version='1.0' encoding='UTF-7'?><r/>", 0, NULL, ERR_UNSUPPORTED, "encoding"},
        {"<r/>", 0, "text/xml; charset=koi8-r", ERR_UNSUPPORTED, "encoding"},
        {"<r/>", 0, "text/xml; charset=", ERR_UNSUPPORTED, "encoding"},
        {"+ADw-r/+AD4-", 0, NULL, ERR_INVALID, "not well-formed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct xml_document *document = NULL;
        struct error error = {0};
        size_t length = cases[i].length ? cases[i].length : strlen(cases[i].text);
        enum status status = xml_document_read(cases[i].text, length, cases[i].content_type, &document, &error);
        cr_expect_eq(status, cases[i].status, "%s: %d %s", cases[i].text, (int)status, error.message);
        cr_expect_null(document);
        cr_expect(strstr(error.message, cases[i].says), "%s: %s", cases[i].text, error.message);
        cr_expect_null(strstr(error.message, "hunter2"), "%s", error.message);
    }
}

Test(xml_document, encodings_that_need_no_conversion_library_are_read)
{
    static const struct {
        const char *text;
        size_t length;
        const char *content_type;
        const char *found;
    } cases[] = {
        {"<r>\xC3\xA9</r>", 0, NULL, "\xC3\xA9"},
        {"\xEF\xBB\xBF<r>\xC3\xA9</r>", 0, "text/xml; charset=iso-8859-1", "\xC3\xA9"},
        {"<?xml version=\"1.0\" encoding = \"iso-8859-1\"?><r>\xE9</r>", 0, NULL, "\xC3\xA9"},
        {"<r>\xE9</r>", 0, "application/xml; charset=\"ISO-8859-1\"", "\xC3\xA9"},
        {"<?xml version='1.0' encoding='iso-8859-1'?><r>\xC3\xA9</r>", 0, "text/xml;charset=utf-8", "\xC3\xA9"},
        {"<?xml version='1.0' encoding='us-ascii'?><r>e</r>", 0, NULL, "e"},
        {"\xFF\xFE<\0r\0>\0\xE9\0<\0/\0r\0>\0", 18, NULL, "\xC3\xA9"},
        {"\xFE\xFF\0<\0r\0>\0\xE9\0<\0/\0r\0>", 18, NULL, "\xC3\xA9"},
        {"<\0r\0>\0\xE9\0<\0/\0r\0>\0", 16, NULL, "\xC3\xA9"},
        {"\xFF\xFE<\0?\0x\0m\0l\0 \0v\0e\0r\0s\0i\0o\0n\0=\0'\0001\0.\0000\0'\0 "
         "\0e\0n\0c\0o\0d\0i\0n\0g\0=\0'\0x\0'\0?\0>\0<\0r\0>\0a\0<\0/\0r\0>\0",
         86, NULL, "a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(xml_document) document = NULL;
        struct error error = {0};
        size_t length = cases[i].length ? cases[i].length : strlen(cases[i].text);
        enum status status = xml_document_read(cases[i].text, length, cases[i].content_type, &document, &error);
        cr_assert_eq(status, OK, "case %zu: %s", i, error.message);
        char list[256];
        find("/r", document, list);
        cr_expect_str_eq(list, cases[i].found, "case %zu gave \"%s\"", i, list);
    }
}

static char *repeat(const char *open, const char *middle, const char *close, size_t count, size_t *ret_length)
{
    struct text_buffer text;
    text_buffer_init(&text, 4 * XML_TEXT_MAX);
    for (size_t i = 0; i < count; i++)
        text_buffer_append_text(&text, open);
    text_buffer_append_text(&text, middle);
    for (size_t i = 0; i < count; i++)
        text_buffer_append_text(&text, close);
    *ret_length = text.length;
    return text_buffer_take(&text);
}

Test(xml_document, size_and_depth_are_bounded)
{
    static const struct {
        const char *open, *close;
        size_t count;
        enum status status;
    } cases[] = {
        {"<a>", "</a>", 200, OK},
        {"<a>", "</a>", XML_DEPTH_MAX + 50, ERR_INVALID},
        {"<a>", "</a>", 15000, ERR_INVALID},
        {"<a>", "</a>", 20000, ERR_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t length;
        AUTO_TEXT text = repeat(cases[i].open, "x", cases[i].close, cases[i].count, &length);
        AUTO(xml_document) document = NULL;
        enum status status = xml_document_read(text, length, NULL, &document, NULL);
        cr_expect_eq(status, cases[i].status, "case %zu: %d", i, (int)status);
    }
}

static bool count(void *context, const char *text)
{
    (void)text;
    ++*(size_t *)context;
    return false;
}

/* What bounds the operations must not keep a plain search from its end in the largest document. */
Test(xml_document, a_search_through_a_large_document_finds_all)
{
    size_t length;
    enum { ELEMENTS = 16000 };
    AUTO_TEXT siblings = repeat("<i>y</i>", "", "", ELEMENTS, &length);
    struct text_buffer text;
    text_buffer_init(&text, XML_TEXT_MAX);
    text_buffer_append_format(&text, "<r>%s</r>", siblings);
    AUTO(xml_document) flat = parse(text_buffer_text(&text));
    text_buffer_finish(&text);
    static const char *const paths[] = {"//i", "/r/i", "//i/text()", "//i[text='x']", "//*[i='y']/i"};
    static const size_t expected[] = {ELEMENTS, ELEMENTS, ELEMENTS, 0, ELEMENTS};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        AUTO(xml_path) path = compile(paths[i]);
        size_t found = 0;
        cr_expect_not(xml_path_each(path, flat, count, &found));
        cr_expect_eq(found, expected[i], "%s: %zu", paths[i], found);
    }
}

Test(xml_document, a_media_type_says_whether_it_is_xml)
{
    static const struct {
        const char *type;
        bool is_xml;
    } cases[] = {
        {"application/xml", true},
        {"text/xml; charset=utf-8", true},
        {"Text/XML", true},
        {"application/soap+xml;x=y", true},
        {"application/problem+XML", true},
        {" text/xml", true},
        {"application/xhtml+xml", false},
        {"text/html", false},
        {"application/json", false},
        {"application/xml-dtd", false},
        {"+xml", false},
        {"", false},
        {NULL, false},
        {"text/plain; x=+xml", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(xml_is_media_type(cases[i].type), cases[i].is_xml, "%s", cases[i].type);
}

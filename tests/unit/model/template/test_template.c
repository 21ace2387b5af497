#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/url.h"
#include "model/template/template.h"

struct binding {
    const char *path;
    const char *bytes;
    size_t length;
};

struct bindings {
    const struct binding *rows;
    size_t count;
};

static enum status look_up(const void *context, const char *path, struct text_buffer *value)
{
    const struct bindings *bindings = context;
    for (size_t i = 0; i < bindings->count; i++) {
        if (strcmp(bindings->rows[i].path, path) == 0) {
            text_buffer_append(value, bindings->rows[i].bytes, bindings->rows[i].length);
            return OK;
        }
    }
    return strcmp(path, "broken") == 0 ? ERR_DENIED : ERR_NOT_FOUND;
}

#define TEXT(text) (text), sizeof(text) - 1

static const struct binding usual_rows[] = {
    {"name", TEXT("value")},
    {"iClient.oauth2.clientId", TEXT("id 1")},
    {"a-b_c.0.$d", TEXT("odd")},
    {"empty", TEXT("")},
    {"special", TEXT("a&b=c d/e?f#g+h%i\xC3\xA9~")},
    {"braces", TEXT("{{{name}}}")},
    {"newline", TEXT("a\r\nX-Evil: 1")},
    {"nul", TEXT("a\0b")},
    {"control", TEXT("a\x01\x7f\tb")},
    {"backslash", TEXT("a\\b")},
    {"dots", TEXT("a.b.example")},
    {"slash", TEXT("a/b")},
    {"at", TEXT("a@b")},
    {"colon", TEXT("a:b")},
    {"question", TEXT("a?b")},
    {"hash", TEXT("a#b")},
};
static struct bindings usual = {usual_rows, sizeof usual_rows / sizeof usual_rows[0]};

static const struct {
    enum template_place place;
    const char *text;
    enum status status;
    const char *expected; /* the result, or a part of the message */
} renderings[] = {
    /* syntax */
    {TEMPLATE_IN_VALUE, "", OK, ""},
    {TEMPLATE_IN_VALUE, "plain", OK, "plain"},
    {TEMPLATE_IN_VALUE, "{{{name}}}", OK, "value"},
    {TEMPLATE_IN_VALUE, "a{{{name}}}b{{{name}}}c", OK, "avaluebvaluec"},
    {TEMPLATE_IN_VALUE, "{{{iClient.oauth2.clientId}}}", OK, "id 1"},
    {TEMPLATE_IN_VALUE, "{{iClient.oauth2.clientId}}", OK, "id%201"},
    {TEMPLATE_IN_VALUE, "{{{a-b_c.0.$d}}}", OK, "odd"},
    {TEMPLATE_IN_VALUE, "[{{{empty}}}]", OK, "[]"},
    {TEMPLATE_IN_VALUE, "{{special}}", OK, "a%26b%3Dc%20d%2Fe%3Ff%23g%2Bh%25i%C3%A9~"},
    {TEMPLATE_IN_VALUE, "{ {name} }}", OK, "{ {name} }}"},
    {TEMPLATE_IN_VALUE, "{\"a\":\"{{{name}}}\"}", OK, "{\"a\":\"value\"}"},
    {TEMPLATE_IN_VALUE, "{{name}}}", OK, "value}"},
    {TEMPLATE_IN_VALUE, "}}}", OK, "}}}"},
    /* escapes */
    {TEMPLATE_IN_VALUE, "\\{{{name}}}", OK, "{{{name}}}"},
    {TEMPLATE_IN_VALUE, "\\{{name}}", OK, "{{name}}"},
    {TEMPLATE_IN_VALUE, "\\{{{name}}} {{{name}}}", OK, "{{{name}}} value"},
    {TEMPLATE_IN_VALUE, "{{{name}}}\\{{{", OK, "value{{{"},
    {TEMPLATE_IN_VALUE, "\\{name}", OK, "\\{name}"},
    {TEMPLATE_IN_VALUE, "a\\b\\", OK, "a\\b\\"},
    /* a value is never rendered again */
    {TEMPLATE_IN_VALUE, "{{{braces}}}", OK, "{{{name}}}"},
    /* mistakes */
    {TEMPLATE_IN_VALUE, "{{{name", ERR_INVALID, "byte 1"},
    {TEMPLATE_IN_VALUE, "{{{name}}", ERR_INVALID, "not closed"},
    {TEMPLATE_IN_VALUE, "abc{{name", ERR_INVALID, "byte 4"},
    {TEMPLATE_IN_VALUE, "abc{{name}", ERR_INVALID, "not closed"},
    {TEMPLATE_IN_VALUE, "{{", ERR_INVALID, "not closed"},
    {TEMPLATE_IN_VALUE, "{{{}}}", ERR_INVALID, "empty"},
    {TEMPLATE_IN_VALUE, "{{}}", ERR_INVALID, "empty"},
    {TEMPLATE_IN_VALUE, "{{{ name }}}", ERR_INVALID, "no path"},
    {TEMPLATE_IN_VALUE, "{{{a b}}}", ERR_INVALID, "no path"},
    {TEMPLATE_IN_VALUE, "{{{{name}}}}", ERR_INVALID, "no path"},
    {TEMPLATE_IN_VALUE, "{{{#if name}}}", ERR_INVALID, "no path"},
    {TEMPLATE_IN_VALUE, "{{{name}} {{{name}}}", ERR_INVALID, "no path"},
    {TEMPLATE_IN_VALUE, "{{{name\n}}}", ERR_INVALID, "no path"},
    {TEMPLATE_IN_VALUE, "{{{n\xC3\xA4me}}}", ERR_INVALID, "no path"},
    {TEMPLATE_IN_VALUE, "{{{absent}}}", ERR_NOT_FOUND, "{{{absent}}} resolves to nothing"},
    {TEMPLATE_IN_VALUE, "{{{Name}}}", ERR_NOT_FOUND, "{{{Name}}} resolves to nothing"},
    {TEMPLATE_IN_VALUE, "{{absent}}", ERR_NOT_FOUND, "{{{absent}}} resolves to nothing"},
    {TEMPLATE_IN_VALUE, "{{{broken}}}", ERR_DENIED, "{{{broken}}}"},
    /* headers */
    {TEMPLATE_IN_HEADER, "Bearer {{{name}}}", OK, "Bearer value"},
    {TEMPLATE_IN_HEADER, "{{{newline}}}", ERR_INVALID, "{{{newline}}}"},
    {TEMPLATE_IN_HEADER, "{{newline}}", ERR_INVALID, "{{{newline}}}"},
    {TEMPLATE_IN_HEADER, "{{{nul}}}", ERR_INVALID, "{{{nul}}}"},
    /* hosts */
    {TEMPLATE_IN_URI, "https://{{{name}}}.example/t", OK, "https://value.example/t"},
    {TEMPLATE_IN_URI, "https://{{{dots}}}/t", OK, "https://a.b.example/t"},
    {TEMPLATE_IN_URI, "https://{{{slash}}}.example/t", ERR_INVALID, "{{{slash}}}"},
    {TEMPLATE_IN_URI, "https://{{slash}}.example/t", ERR_INVALID, "{{{slash}}}"},
    {TEMPLATE_IN_URI, "https://{{{at}}}.example/t", ERR_INVALID, "{{{at}}}"},
    {TEMPLATE_IN_URI, "https://{{{colon}}}.example/t", ERR_INVALID, "{{{colon}}}"},
    {TEMPLATE_IN_URI, "https://{{{question}}}.example/t", ERR_INVALID, "{{{question}}}"},
    {TEMPLATE_IN_URI, "https://{{{hash}}}.example/t", ERR_INVALID, "{{{hash}}}"},
    {TEMPLATE_IN_URI, "https://{{{backslash}}}.example/t", ERR_INVALID, "{{{backslash}}}"},
    {TEMPLATE_IN_URI, "https://{{{newline}}}.example/t", ERR_INVALID, "{{{newline}}}"},
    {TEMPLATE_IN_URI, "https://{{{control}}}.example/t", ERR_INVALID, "{{{control}}}"},
    {TEMPLATE_IN_URI, "https://{{{nul}}}.example/t", ERR_INVALID, "{{{nul}}}"},
    {TEMPLATE_IN_URI, "https://a.example:{{{slash}}}", ERR_INVALID, "{{{slash}}}"},
    {TEMPLATE_IN_URI, "https://a.example{{{slash}}}", ERR_INVALID, "{{{slash}}}"},
    {TEMPLATE_IN_URI, "{{{slash}}}://a.example/", ERR_INVALID, "{{{slash}}}"},
    {TEMPLATE_IN_URI, "{{{colon}}}/t", ERR_INVALID, "{{{colon}}}"},
    {TEMPLATE_IN_URI, "{{{name}}}://a.example/", OK, "value://a.example/"},
    /* paths */
    {TEMPLATE_IN_URI, "https://a.example/{{{slash}}}/t", OK, "https://a.example/a/b/t"},
    {TEMPLATE_IN_URI, "https://a.example/{{slash}}/t", OK, "https://a.example/a%2Fb/t"},
    {TEMPLATE_IN_URI, "https://a.example/{{{question}}}", OK, "https://a.example/a%3Fb"},
    {TEMPLATE_IN_URI, "https://a.example/{{{hash}}}", OK, "https://a.example/a%23b"},
    {TEMPLATE_IN_URI, "https://a.example/{{{newline}}}", OK, "https://a.example/a%0D%0AX-Evil:%201"},
    {TEMPLATE_IN_URI, "https://a.example/{{{nul}}}", OK, "https://a.example/a%00b"},
    {TEMPLATE_IN_URI, "https://a.example/{{{backslash}}}", OK, "https://a.example/a%5Cb"},
    {TEMPLATE_IN_URI, "https://a.example/{{{special}}}", OK, "https://a.example/a&b=c%20d/e%3Ff%23g+h%i\xC3\xA9~"},
    {TEMPLATE_IN_URI, "/x/{{{slash}}}", OK, "/x/a/b"},
    /* queries */
    {TEMPLATE_IN_URI, "https://a.example/?x={{{special}}}&y=1", OK,
     "https://a.example/?x=a%26b%3Dc%20d/e?f%23g%2Bh%i\xC3\xA9~&y=1"},
    {TEMPLATE_IN_URI, "https://a.example?x={{{hash}}}", OK, "https://a.example?x=a%23b"},
    {TEMPLATE_IN_URI, "https://a.example?x={{{control}}}", OK, "https://a.example?x=a%01%7F%09b"},
};

Test(template, renders_each_place_by_its_rules)
{
    for (size_t i = 0; i < sizeof renderings / sizeof renderings[0]; i++) {
        AUTO_FINISH(text_buffer) result;
        text_buffer_init(&result, 1000);
        text_buffer_append_text(&result, ">");
        struct error error = {0};
        enum status status = template_render(renderings[i].text, renderings[i].place, look_up, &usual, &result, &error);
        cr_assert_eq(status, renderings[i].status, "%s gave %s %s", renderings[i].text, result.data, error.message);
        if (status == OK) {
            cr_assert_str_eq(result.data + 1, renderings[i].expected, "%s gave %s", renderings[i].text, result.data);
        } else {
            cr_assert_str_eq(result.data, ">", "a failure leaves the result as it was: %s", renderings[i].text);
            cr_assert(strstr(error.message, renderings[i].expected), "%s says %s", renderings[i].text, error.message);
        }
    }
}

/* Three values, and the URI that they would lead out of. refused: the template that the message names; NULL: none. */
static const struct {
    const char *uri, *x, *y, *refused;
} segments[] = {
    {"https://a.example/a/b/{{{x}}}/token", "../../y", "", "{{{x}}}"},
    {"https://a.example/a/b/{{x}}/token", "..", "", "{{{x}}}"},
    {"https://a.example/a/b/{{x}}/token", ".", "", "{{{x}}}"},
    {"https://a.example/a/b/{{x}}/token", "../../y", "", "{{{x}}}"},
    {"https://a.example/a/b/{{{x}}}", "..", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}?q=1", "..", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "y/..", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "y/./z", "", "{{{x}}}"},
    {"/{{{x}}}/t", "..", "", "{{{x}}}"},
    /* encoded: once, twice and more, in both cases, in part, and as overlong UTF-8 */
    {"https://a.example/{{{x}}}/t", "%2e%2e", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "%2E%2e", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", ".%2e", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "%2e", "", "{{{x}}}"},
    {"https://a.example/{{x}}/t", "%2e%2e", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "%252e%252E", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "%25252525252e.", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "%%32%65.", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "..%2fy", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "y%2f..", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "%c0%ae%C0%AE", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "y%c0%af..", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "%e0%80%ae.", "", "{{{x}}}"},
    {"https://a.example/{{x}}/t", "%E0%80%AE", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "y%e0%80%af..", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "%f0%80%80%ae%f0%80%80%ae", "", "{{{x}}}"},
    /* as no RFC has it, but some servers read it */
    {"https://a.example/{{{x}}}/t", "%u002e%U002E", "", "{{{x}}}"},
    {"https://a.example/{{x}}/t", "%u002e.", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "y%u002f..", "", "{{{x}}}"},
    /* what other servers take for a separator or the end of a name */
    {"https://a.example/{{{x}}}/t", "..\\..\\y", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "y\\..", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "..;", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "..;a=b/y", "", "{{{x}}}"},
    {"https://a.example/{{x}}/t", "..%3By", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "..?", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "..#y", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "..\n", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", ".. ", "", "{{{x}}}"},
    {"https://a.example/{{{x}}}/t", "..%00", "", "{{{x}}}"},
    /* with its neighbours */
    {"https://a.example/.{{x}}/t", ".", "", "{{{x}}}"},
    {"https://a.example/{{x}}./t", ".", "", "{{{x}}}"},
    {"https://a.example/{{x}}./t", "", "", "{{{x}}}"},
    {"https://a.example/%2{{{x}}}./t", "e", "", "{{{x}}}"},
    {"https://a.example/{{x}}{{y}}/t", ".", ".", "{{{x}}}"},
    {"https://a.example/{{x}}{{y}}/t", "", "..", "{{{x}}}"},
    {"https://a.example/{{{x}}}{{{y}}}/t", "%2", "e", "{{{x}}}"},
    {"https://a.example/{{{x}}}..", "y/", "", "{{{x}}}"},
    {"https://a.example/..{{{x}}}", "/y", "", "{{{x}}}"},
    {"https://a.example/{{x}}/{{y}}", "..", "y", "{{{x}}}"},
    {"https://a.example/{{x}}/{{y}}", "y", "..", "{{{y}}}"},
    /* what only looks like one */
    {"https://a.example/{{x}}/t", "...", "", NULL},
    {"https://a.example/{{x}}/t", "..y", "", NULL},
    {"https://a.example/{{x}}/t", "y..", "", NULL},
    {"https://a.example/{{x}}/t", ".well-known", "", NULL},
    {"https://a.example/{{{x}}}/t", "v1.0/a..b/", "", NULL},
    {"https://a.example/{{{x}}}/t", "", "", NULL},
    {"https://a.example/v{{x}}.{{y}}/t", "1", "0", NULL},
    {"https://a.example/{{x}}/t", ";..", "", NULL},
    {"https://a.example/t?x={{{x}}}", "../..", "", NULL},
    {"https://a.example/t?x=/{{x}}/", "..", "", NULL},
    {"https://a.example/a/../{{x}}", "y", "", NULL},
};

Test(template, a_value_makes_no_dot_segment)
{
    for (size_t i = 0; i < sizeof segments / sizeof segments[0]; i++) {
        const struct binding rows[] = {{"x", segments[i].x, strlen(segments[i].x)},
                                       {"y", segments[i].y, strlen(segments[i].y)}};
        struct bindings bindings = {rows, 2};
        AUTO_FINISH(text_buffer) result;
        text_buffer_init(&result, 1000);
        struct error error = {0};
        enum status status = template_render(segments[i].uri, TEMPLATE_IN_URI, look_up, &bindings, &result, &error);
        cr_assert_eq(status, segments[i].refused ? ERR_INVALID : OK, "%s with %s and %s gave %s %s", segments[i].uri,
                     segments[i].x, segments[i].y, text_buffer_text(&result), error.message);
        if (segments[i].refused)
            cr_assert(strstr(error.message, segments[i].refused), "%s says %s", segments[i].uri, error.message);
    }
}

Test(template, dots_are_free_where_there_is_no_path)
{
    static const struct binding rows[] = {{"x", TEXT("../..")}};
    struct bindings bindings = {rows, 1};
    static const enum template_place places[] = {TEMPLATE_IN_VALUE, TEMPLATE_IN_HEADER};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        AUTO_FINISH(text_buffer) result;
        text_buffer_init(&result, 1000);
        cr_assert_eq(template_render("/{{{x}}}/t", places[i], look_up, &bindings, &result, NULL), OK);
    }
}

Test(template, messages_never_quote_values_or_text)
{
    static const struct binding rows[] = {{"secret", TEXT("hunter2\r\n/@:?#")}};
    struct bindings bindings = {rows, 1};
    static const struct {
        enum template_place place;
        const char *text;
    } cases[] = {
        {TEMPLATE_IN_HEADER, "{{{secret}}}"},
        {TEMPLATE_IN_URI, "https://{{{secret}}}/"},
        {TEMPLATE_IN_VALUE, "hunter2{{{secret}}"},
        {TEMPLATE_IN_VALUE, "{{{hunter2 }}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(text_buffer) result;
        text_buffer_init(&result, 1000);
        struct error error = {0};
        cr_assert_neq(template_render(cases[i].text, cases[i].place, look_up, &bindings, &result, &error), OK);
        cr_assert_null(strstr(error.message, "hunter2"), "%s", error.message);
    }
}

Test(template, path_has_a_maximum_length)
{
    char path[TEMPLATE_PATH_MAX + 2];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    for (int longer = 0; longer < 2; longer++) {
        path[TEMPLATE_PATH_MAX] = longer ? 'p' : '\0';
        const struct binding row = {path, TEXT("v")};
        struct bindings bindings = {&row, 1};
        AUTO_FINISH(text_buffer) text;
        AUTO_FINISH(text_buffer) result;
        text_buffer_init(&text, 1000);
        text_buffer_init(&result, 1000);
        text_buffer_append_format(&text, "{{{%s}}}", path);
        cr_assert_eq(template_render(text.data, TEMPLATE_IN_VALUE, look_up, &bindings, &result, NULL),
                     longer ? ERR_INVALID : OK);
    }
}

Test(template, result_has_a_maximum_length)
{
    char *large = malloc(TEMPLATE_RESULT_MAX + 2);
    memset(large, 'v', TEMPLATE_RESULT_MAX + 1);
    large[TEMPLATE_RESULT_MAX + 1] = '\0';
    static const struct {
        const char *text;
        size_t length;
        enum status status;
    } cases[] = {
        {"{{{v}}}", TEMPLATE_RESULT_MAX, OK},
        {"{{{v}}}", TEMPLATE_RESULT_MAX + 1, ERR_TOO_LARGE},
        {"{{{v}}}x", TEMPLATE_RESULT_MAX, ERR_TOO_LARGE},
        {"{{{v}}}{{{v}}}", TEMPLATE_RESULT_MAX / 2 + 1, ERR_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct binding row = {"v", large, cases[i].length};
        struct bindings bindings = {&row, 1};
        AUTO_FINISH(text_buffer) result;
        text_buffer_init(&result, (size_t)4 * TEMPLATE_RESULT_MAX);
        cr_assert_eq(template_render(cases[i].text, TEMPLATE_IN_VALUE, look_up, &bindings, &result, NULL),
                     cases[i].status, "case %zu", i);
        cr_assert_eq(result.length, cases[i].status == OK ? cases[i].length : 0);
    }
    free(large);
}

Test(template, full_result_is_an_error)
{
    AUTO_FINISH(text_buffer) result;
    text_buffer_init(&result, 6);
    text_buffer_append_text(&result, "ab");
    cr_assert_eq(template_render("{{{name}}}", TEMPLATE_IN_VALUE, look_up, &usual, &result, NULL), ERR_TOO_LARGE);
    cr_assert_str_eq(result.data, "ab");
}

/* A small generator with a fixed seed: the same hostile values on every run. */
static unsigned next_number(unsigned *state)
{
    *state = *state * 1103515245U + 12345U;
    return *state >> 16;
}

static size_t make_hostile_value(unsigned *state, char *bytes, size_t max)
{
    static const char spice[] = "/@:?#\\&=+%; \r\n\t\0{}<>\"'.[]\x7f\xC3\xA9\xEF\xBC\x8F";
    size_t length = next_number(state) % max;
    for (size_t i = 0; i < length; i++) {
        unsigned number = next_number(state);
        bytes[i] = number % 3 == 0   ? (char)('a' + number / 3 % 26)
                   : number % 3 == 1 ? spice[number / 3 % (sizeof spice - 1)]
                                     : (char)(unsigned char)(number / 3);
    }
    return length;
}

enum { HOSTILE_RUNS = 20000, HOSTILE_MAX = 24 };

Test(template, no_value_changes_scheme_host_or_parameters_of_a_uri)
{
    unsigned state = 1;
    size_t parsed = 0;
    for (int run = 0; run < HOSTILE_RUNS; run++) {
        char in_path[HOSTILE_MAX];
        char in_query[HOSTILE_MAX];
        const struct binding rows[] = {{"p", in_path, make_hostile_value(&state, in_path, sizeof in_path)},
                                       {"q", in_query, make_hostile_value(&state, in_query, sizeof in_query)}};
        struct bindings bindings = {rows, 2};
        AUTO_FINISH(text_buffer) result;
        text_buffer_init(&result, TEMPLATE_RESULT_MAX);
        const char *text = run % 2 ? "https://a.example:444/x/{{{p}}}/y?first={{{q}}}&last=1"
                                   : "https://a.example:444/x/{{p}}/y?first={{q}}&last=1";
        /* A dot segment in the path is refused; all else is rendered. */
        if (template_render(text, TEMPLATE_IN_URI, look_up, &bindings, &result, NULL) != OK)
            continue;
        cr_assert_eq(strlen(result.data), result.length, "a raw NUL came through");
        AUTO(url) url = NULL;
        cr_assert_eq(url_parse(result.data, &url, NULL), OK, "%s", result.data);
        parsed++;
        cr_assert_str_eq(url_scheme(url), "https");
        cr_assert_str_eq(url_host(url), "a.example");
        cr_assert_eq(url_port(url), 444);
        cr_assert_eq(strncmp(url_path(url), "/x/", 3), 0, "%s", result.data);
        const char *query = url_query(url);
        cr_assert_eq(strncmp(query, "first=", 6), 0, "%s", result.data);
        const char *ampersand = strchr(query, '&');
        cr_assert_str_eq(ampersand, "&last=1", "%s", result.data);
        cr_assert_null(memchr(query + 6, '=', (size_t)(ampersand - query) - 6), "%s", result.data);
    }
    cr_assert_gt(parsed, HOSTILE_RUNS / 2, "the generator makes values that pass");
}

Test(template, value_in_a_host_is_refused_or_stays_inside_its_domain)
{
    unsigned state = 2;
    size_t rendered = 0;
    for (int run = 0; run < HOSTILE_RUNS; run++) {
        char bytes[HOSTILE_MAX];
        const struct binding row = {"h", bytes, make_hostile_value(&state, bytes, 4)};
        struct bindings bindings = {&row, 1};
        AUTO_FINISH(text_buffer) result;
        text_buffer_init(&result, TEMPLATE_RESULT_MAX);
        if (template_render(run % 2 ? "https://{{{h}}}.a.example/t?x=1" : "https://{{h}}.a.example/t?x=1",
                            TEMPLATE_IN_URI, look_up, &bindings, &result, NULL) != OK)
            continue;
        AUTO(url) url = NULL;
        if (url_parse(result.data, &url, NULL) != OK)
            continue;
        rendered++;
        const char *host = url_host(url);
        cr_assert_gt(strlen(host), strlen(".a.example"));
        cr_assert_str_eq(host + strlen(host) - strlen(".a.example"), ".a.example", "%s", result.data);
        cr_assert_str_eq(url_path(url), "/t");
        cr_assert_str_eq(url_query(url), "x=1");
        cr_assert_eq(url_port(url), 443);
    }
    cr_assert_gt(rendered, HOSTILE_RUNS / 100, "the generator makes some values that pass");
}

Test(template, no_value_breaks_a_header_line)
{
    unsigned state = 3;
    size_t rendered = 0;
    for (int run = 0; run < HOSTILE_RUNS; run++) {
        char bytes[HOSTILE_MAX];
        const struct binding row = {"v", bytes, make_hostile_value(&state, bytes, sizeof bytes)};
        struct bindings bindings = {&row, 1};
        AUTO_FINISH(text_buffer) result;
        text_buffer_init(&result, TEMPLATE_RESULT_MAX);
        const bool breaks =
            memchr(bytes, '\r', row.length) || memchr(bytes, '\n', row.length) || memchr(bytes, '\0', row.length);
        enum status status = template_render("X {{{v}}} y", TEMPLATE_IN_HEADER, look_up, &bindings, &result, NULL);
        cr_assert_eq(status, breaks ? ERR_INVALID : OK);
        if (breaks)
            continue;
        rendered++;
        cr_assert_eq(result.length, row.length + 4);
        cr_assert_eq(memcmp(result.data + 2, bytes, row.length), 0);
    }
    cr_assert_gt(rendered, HOSTILE_RUNS / 10);
}

Test(template, value_in_a_body_comes_through_byte_for_byte)
{
    unsigned state = 4;
    for (int run = 0; run < HOSTILE_RUNS; run++) {
        char bytes[HOSTILE_MAX];
        const struct binding row = {"v", bytes, make_hostile_value(&state, bytes, sizeof bytes)};
        struct bindings bindings = {&row, 1};
        AUTO_FINISH(text_buffer) result;
        text_buffer_init(&result, TEMPLATE_RESULT_MAX);
        cr_assert_eq(template_render("{{{v}}}", TEMPLATE_IN_VALUE, look_up, &bindings, &result, NULL), OK);
        cr_assert_eq(result.length, row.length);
        cr_assert_eq(memcmp(text_buffer_text(&result), bytes, row.length), 0);
    }
}

Test(template, hostile_template_texts_end_in_a_status)
{
    unsigned state = 5;
    static const char parts[][8] = {"{{{",  "}}}", "{{",  "}}", "{", "}",     "\\",
                                    "name", "a",   "://", "/",  "?", "\\{{{", "."};
    for (int run = 0; run < HOSTILE_RUNS; run++) {
        AUTO_FINISH(text_buffer) text;
        AUTO_FINISH(text_buffer) result;
        text_buffer_init(&text, 1000);
        text_buffer_init(&result, TEMPLATE_RESULT_MAX);
        for (unsigned i = next_number(&state) % 12; i > 0; i--)
            text_buffer_append_text(&text, parts[next_number(&state) % (sizeof parts / sizeof parts[0])]);
        const char *source = text_buffer_text(&text);
        struct error error = {0};
        enum status status = template_render(source, TEMPLATE_IN_URI, look_up, &usual, &result, &error);
        cr_assert(status == OK || status == ERR_INVALID || status == ERR_NOT_FOUND, "%s: %d", source, status);
        cr_assert(status == OK || error.message[0] != '\0');
        cr_assert(status == OK || template_is_in(source), "%s: %s", source, error.message);
    }
}

Test(template, is_in_does_not_count_escaped_ones)
{
    static const struct {
        const char *text;
        bool in;
        bool in_authority;
    } cases[] = {
        {"", false, false},
        {"https://a.example/", false, false},
        {"https://{{{x}}}.example/", true, true},
        {"https://{{x}}.example/", true, true},
        {"https://a.example:{{{x}}}/", true, true},
        {"https://a.example/{{{x}}}", true, false},
        {"https://a.example?{{{x}}}", true, false},
        {"https://a.example#{{{x}}}", true, false},
        {"{{{x}}}://a.example/", true, true},
        {"{{{x}}}/token", true, true},
        {"{{{x}}}", true, true},
        {"https://a.example/?u=https://{{{x}}}/", true, false},
        {"\\{{{x}}}", false, false},
        {"\\{{x}}", false, false},
        {"https://\\{{{x}}}/{{y}}", true, false},
        {"{x}", false, false},
        {"{{unclosed", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(template_is_in(cases[i].text), cases[i].in, "%s", cases[i].text);
        cr_assert_eq(template_is_in_authority(cases[i].text), cases[i].in_authority, "%s", cases[i].text);
    }
}

static enum status collect(void *context, const char *path, struct error *ret_error)
{
    if (strcmp(path, "stop") == 0)
        return error_set(ret_error, ERR_DENIED, "stopped");
    text_buffer_append_format(context, "%s;", path);
    return OK;
}

Test(template, walk_visits_every_path_in_order)
{
    static const struct {
        const char *text;
        enum status status;
        const char *visited;
    } cases[] = {
        {"", OK, ""},
        {"{{{a}}} {{b}} \\{{{c}}} {{{a}}}", OK, "a;b;a;"},
        {"{{{a}}}{{{stop}}}{{{b}}}", ERR_DENIED, "a;"},
        {"{{{a}}}{{{b", ERR_INVALID, "a;"},
        {"{{{}}}", ERR_INVALID, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(text_buffer) visited;
        text_buffer_init(&visited, 100);
        struct error error = {0};
        cr_assert_eq(template_walk(cases[i].text, collect, &visited, &error), cases[i].status, "%s", cases[i].text);
        cr_assert_str_eq(text_buffer_text(&visited), cases[i].visited);
        cr_assert(cases[i].status == OK || error.message[0] != '\0');
    }
}

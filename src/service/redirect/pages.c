#include "service/redirect/pages.h"

#include <string.h>

#include "model/catalog/tenant.h"

/* The hash in page_security_policy() is that of exactly this text. */
#define PAGE_STYLE                                                                                                     \
    ":root{color-scheme:light dark}"                                                                                   \
    "body{margin:0;font:1.0625rem/1.5 system-ui,sans-serif;background:#f6f7f9;color:#1b1f24}"                          \
    "main{max-width:34rem;margin:12vh auto 2rem;padding:0 1.25rem}"                                                    \
    "h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem}"                                                            \
    ".good h1{color:#17693a}.bad h1{color:#a3271d}"                                                                    \
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:1.25rem 0}"                          \
    "dt{opacity:.75}dd{margin:0;font-weight:600;overflow-wrap:anywhere}"                                               \
    "code,blockquote{background:#e6e9ee;border-radius:.4rem;overflow-wrap:anywhere}"                                   \
    "code{display:block;padding:.6rem .8rem;font-size:.95rem}"                                                         \
    "blockquote{margin:.5rem 0 1.25rem;padding:.6rem .8rem}"                                                           \
    "@media (prefers-color-scheme:dark){body{background:#15181c;color:#e4e7eb}"                                        \
    ".good h1{color:#6bd394}.bad h1{color:#ff9a8f}code,blockquote{background:#262b32}}"

struct page_row {
    int status;
    const char *title;
    const char *what;
    const char *next;
    const char *command;
};

static const struct page_row *page_row(enum page_kind kind)
{
#define PAGE_ROW(symbol, status, title, what, next, command) {status, title, what, next, command},
    static const struct page_row rows[] = {PAGE_TABLE(PAGE_ROW)};
#undef PAGE_ROW
    return &rows[kind];
}

int page_status(const struct page *page)
{
    return page->status ? page->status : page_row(page->kind)->status;
}

const char *page_security_policy(void)
{
    return "default-src 'none'; style-src 'sha256-5Mpagi8XtNHZRpKkWo7sBQ+U9Stczm9V80LWzyCFf+k='; "
           "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
}

static void append_element(struct text_buffer *buffer, const char *start, const char *text, const char *end)
{
    text_buffer_append_text(buffer, start);
    text_buffer_append_html(buffer, text);
    text_buffer_append_text(buffer, end);
}

static void append_fact(struct text_buffer *buffer, const char *name, const char *value)
{
    if (!value || value[0] == '\0')
        return;
    append_element(buffer, "<dt>", name, "</dt>");
    append_element(buffer, "<dd>", value, "</dd>");
}

static void append_facts(struct text_buffer *buffer, const struct page *page)
{
    if (!page->connection)
        return;
    bool is_connected = page->kind == PAGE_CONNECTED || page->kind == PAGE_NOT_SAVED;
    bool is_default_tenant = page->tenant && tenant_is_default(page->tenant);
    text_buffer_append_text(buffer, "<dl>");
    append_fact(buffer, "Connection", page->connection);
    append_fact(buffer, "Tenant", is_default_tenant ? NULL : page->tenant);
    append_fact(buffer, "iClient", page->iclient);
    append_fact(buffer, "Provider", page->provider);
    append_fact(buffer, "Access granted", is_connected ? page->scope : NULL);
    text_buffer_append_text(buffer, "</dl>");
}

static void append_command(struct text_buffer *buffer, const struct page *page, const char *command)
{
    append_element(buffer, "<code>", command, " ");
    text_buffer_append_html(buffer, page->connection ? page->connection : "NAME");
    if (page->connection && page->tenant && !tenant_is_default(page->tenant))
        append_element(buffer, " --tenant ", page->tenant, "");
    text_buffer_append_text(buffer, "</code>");
}

bool page_append(const struct page *page, struct text_buffer *buffer)
{
    const struct page_row *row = page_row(page->kind);
    text_buffer_append_text(buffer, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                                    "<meta name=\"robots\" content=\"noindex\">\n");
    append_element(buffer, "<title>", row->title, "</title>\n");
    text_buffer_append_text(buffer, "<style>" PAGE_STYLE "</style>\n</head>\n");
    append_element(buffer, "<body class=\"", page_status(page) < 400 ? "good" : "bad", "\">\n<main>\n");
    append_element(buffer, "<h1>", row->title, "</h1>\n");
    append_element(buffer, "<p>", row->what, "</p>\n");
    append_facts(buffer, page);
    if (page->detail && page->detail[0] != '\0')
        append_element(buffer, "<p>What went wrong: ", page->detail, "</p>\n");
    if (page->provider_words && page->provider_words[0] != '\0')
        append_element(buffer, "<p>The provider's own words:</p>\n<blockquote>", page->provider_words,
                       "</blockquote>\n");
    append_element(buffer, "<p>", row->next, "</p>\n");
    if (row->command)
        append_command(buffer, page, row->command);
    return text_buffer_append_text(buffer, "\n</main>\n</body>\n</html>\n");
}

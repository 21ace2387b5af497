#include "iclientctl/login/login_page.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/text_buffer.h"
#include "iclientctl/file_write.h"

enum { PAGE_MAX = 64 * 1024, URL_MAX = 16 * 1024 };

struct login_page {
    char *directory;
    char *file; /* NULL until it is written */
    char *url;
};

/* ---- where ---- */

static bool is_directory(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* Snaps' programs are started from such a directory, which their desktops and shells have on the path. */
static bool has_snaps(void)
{
    static const char suffix[] = "/snap/bin";
    const char *path = getenv("PATH");
    AUTO_TEXT directories = strdup(path ? path : "");
    char *rest = NULL;
    for (char *one = directories ? strtok_r(directories, ":", &rest) : NULL; one; one = strtok_r(NULL, ":", &rest)) {
        size_t length = strlen(one);
        if (length >= strlen(suffix) && strcmp(one + length - strlen(suffix), suffix) == 0 && is_directory(one))
            return true;
    }
    return false;
}

static char *join(const char *directory, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

/* Nobody else may put another directory in the place of one that is made here. */
static bool is_safe(const char *parent)
{
    struct stat found;
    if (stat(parent, &found) < 0 || !S_ISDIR(found.st_mode))
        return false;
    bool is_owned = found.st_uid == geteuid() || found.st_uid == 0;
    return is_owned && (!(found.st_mode & (S_IWGRP | S_IWOTH)) || (found.st_mode & S_ISVTX));
}

static char *make_directory_in(const char *parent)
{
    if (!parent || parent[0] != '/' || !is_safe(parent))
        return NULL;
    char *path = join(parent, "iclientctl-login-XXXXXX");
    if (path && mkdtemp(path)) /* 0700 */
        return path;
    free(path);
    return NULL;
}

static char *make_directory(void)
{
    const char *const places[] = {has_snaps() ? getenv("HOME") : NULL, getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"),
                                  "/tmp"};
    char *made = NULL;
    for (size_t i = 0; !made && i < sizeof places / sizeof places[0]; i++)
        made = make_directory_in(places[i]);
    return made;
}

/* ---- what ---- */

static bool append_page(struct text_buffer *page, const char *address)
{
    text_buffer_append_text(page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                                  "<meta name=\"referrer\" content=\"no-referrer\">\n"
                                  "<meta http-equiv=\"refresh\" content=\"0; url=");
    text_buffer_append_html(page, address);
    text_buffer_append_text(page, "\">\n<title>iclientctl login</title>\n</head>\n<body>\n<p><a href=\"");
    text_buffer_append_html(page, address);
    return text_buffer_append_text(page, "\">Go on to the login</a></p>\n</body>\n</html>\n");
}

static bool write_page(const char *file, const char *address)
{
    AUTO_FINISH(text_buffer) content;
    text_buffer_init(&content, PAGE_MAX);
    return append_page(&content, address) &&
           file_write(file, text_buffer_text(&content), content.length, false, NULL) == OK;
}

static char *make_url(const char *file)
{
    AUTO_FINISH(text_buffer) url;
    text_buffer_init(&url, URL_MAX);
    text_buffer_append_text(&url, "file://");
    for (; *file; file++) {
        if (*file == '/')
            text_buffer_append_text(&url, "/");
        else
            text_buffer_append_percent(&url, file, 1);
    }
    return text_buffer_take(&url);
}

struct login_page *login_page_create(const char *address)
{
    AUTO(login_page) page = calloc(1, sizeof *page);
    if (!page)
        return NULL;
    page->directory = make_directory();
    AUTO_TEXT file = page->directory ? join(page->directory, "login.html") : NULL;
    page->url = file ? make_url(file) : NULL;
    if (!page->url || !write_page(file, address))
        return NULL;
    page->file = TAKE(file);
    return TAKE(page);
}

void login_page_destroy(struct login_page *page)
{
    if (!page)
        return;
    if (page->file)
        unlink(page->file);
    if (page->directory)
        rmdir(page->directory);
    free(page->file);
    free(page->directory);
    free(page->url);
    free(page);
}

const char *login_page_url(const struct login_page *page)
{
    return page->url;
}

#include "io/host/peer_unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { UNIT_NAME_MAX = 255 };

static bool ends_with(const char *text, size_t length, const char *suffix)
{
    size_t size = strlen(suffix);
    return length > size && memcmp(text + length - size, suffix, size) == 0;
}

/* The unit types that hold processes. */
static bool is_unit(const char *name, size_t length)
{
    static const char *const suffixes[] = {".service", ".scope", ".socket", ".mount", ".swap"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (length <= UNIT_NAME_MAX && ends_with(name, length, suffixes[i]))
            return true;
    }
    return false;
}

static char *unit_from_path(const char *path, size_t length)
{
    const char *end = path + length;
    while (path < end && *path == '/') {
        const char *part = path + 1;
        const char *next = memchr(part, '/', (size_t)(end - part));
        if (!next)
            next = end;
        if (!ends_with(part, (size_t)(next - part), ".slice")) {
            /* systemd puts '_' before names that the kernel would take for its own files. */
            if (part < next && *part == '_')
                part++;
            size_t size = (size_t)(next - part);
            return is_unit(part, size) ? strndup(part, size) : NULL;
        }
        path = next;
    }
    return NULL;
}

static char *unit_in_hierarchy(const char *text, const char *controllers)
{
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        const char *colon = memchr(line, ':', length);
        size_t size = strlen(controllers);
        if (colon && (size_t)(line + length - colon) > size && memcmp(colon, controllers, size) == 0)
            return unit_from_path(colon + size, length - (size_t)(colon + size - line));
        line += length + (line[length] == '\n');
    }
    return NULL;
}

char *peer_unit_from_cgroup(const char *text)
{
    char *unit = unit_in_hierarchy(text, ":name=systemd:");
    return unit ? unit : unit_in_hierarchy(text, "::");
}

#include "io/files/preset_directory.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool is_directory(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* Of the running program; false when the system does not say. */
static bool read_program_folder(char folder[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    if (length <= 0)
        return false;
    folder[length] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    return slash != NULL;
}

char *preset_directory_find(void)
{
    static const char *const beside[] = {PRESET_DIR_BESIDE_INSTALLED, PRESET_DIR_BESIDE_BUILT};
    if (is_directory(PRESET_DIR))
        return strdup(PRESET_DIR);
    char folder[PATH_MAX];
    bool is_known = read_program_folder(folder);
    for (size_t i = 0; is_known && i < sizeof beside / sizeof beside[0]; i++) {
        AUTO_TEXT path = NULL;
        if (asprintf(&path, "%s/%s", folder, beside[i]) < 0)
            path = NULL;
        char *whole = path && is_directory(path) ? realpath(path, NULL) : NULL;
        if (whole)
            return whole;
    }
    return NULL;
}

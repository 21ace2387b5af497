#include "iclientctl/login/browser.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iclientctl/terminal/terminal_text.h"

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

bool browser_has_display(void)
{
    return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

bool browser_takes(const char *address)
{
    bool web = strncmp(address, "http://", 7) == 0 || strncmp(address, "https://", 8) == 0;
    return web && terminal_text_is_plain(address) && !strchr(address, ' ');
}

static bool spawn(const char *address, const posix_spawn_file_actions_t *files, posix_spawnattr_t *attributes)
{
    /* The login waits with signals blocked; the browser must not inherit that. */
    sigset_t none;
    sigemptyset(&none);
    short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK;
    if (posix_spawnattr_setflags(attributes, flags) != 0 || posix_spawnattr_setsigmask(attributes, &none) != 0)
        return false;
    char program[] = "xdg-open";
    /* The argument vector is mutable by its type alone. */
    char *arguments[] = {program, (char *)(uintptr_t)address, NULL};
    pid_t child;
    return posix_spawnp(&child, program, files, attributes, arguments, environ) == 0;
}

bool browser_open(const char *address)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&files) != 0)
        return false;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return false;
    }
    bool silent = true;
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
        silent = posix_spawn_file_actions_addopen(&files, descriptor, "/dev/null", O_RDWR, 0) == 0 && silent;
    bool started = silent && spawn(address, &files, &attributes);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return started;
}

#include "iclientctl/daemon/socket_path.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* ---- the host, as a row says it is ---- */

static struct {
    uid_t uid;
    const char *existing; /* paths that are there, each with a space behind it */
    const char *closed;   /* paths in a folder that the caller may not search */
} host;

uid_t geteuid(void)
{
    return host.uid;
}

static bool lists(const char *paths, const char *path)
{
    const char *at = strstr(paths, path);
    return at && at[strlen(path)] == ' ';
}

int access(const char *path, int how)
{
    (void)how;
    errno = lists(host.closed, path) ? EACCES : ENOENT;
    return lists(host.existing, path) ? 0 : -1;
}

#define SYSTEM_TOKEN "/run/iclientd/token.sock"
#define SYSTEM_ADMIN "/run/iclientd/admin/admin.sock"

static void set_variable(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

Test(socket_path, option_then_variable_then_the_system_then_the_user)
{
    static const struct {
        const char *option, *variable, *runtime;
        uid_t uid;
        const char *existing, *closed;
        const char *token, *admin;
    } rows[] = {
        {"/given", "/variable", "/xdg", 0, "", "", "/given", "/given"},
        {NULL, "/variable", "/xdg", 1000, "", "", "/variable", "/variable"},
        {NULL, "", NULL, 0, "", "", SYSTEM_TOKEN, SYSTEM_ADMIN},
        {NULL, NULL, "/xdg", 0, "", "", SYSTEM_TOKEN, SYSTEM_ADMIN},
        {NULL, NULL, "/xdg", 1000, SYSTEM_TOKEN " " SYSTEM_ADMIN " ", "", SYSTEM_TOKEN, SYSTEM_ADMIN},
        {NULL, NULL, "/xdg", 1000, SYSTEM_TOKEN " ", SYSTEM_ADMIN " ", SYSTEM_TOKEN, SYSTEM_ADMIN},
        {NULL, NULL, "/xdg", 1000, "", "", "/xdg/iclientd/token.sock", "/xdg/iclientd/admin/admin.sock"},
        {NULL, NULL, NULL, 1000, "/run/user/1000 ", "", "/run/user/1000/iclientd/token.sock",
         "/run/user/1000/iclientd/admin/admin.sock"},
        {NULL, NULL, "not/absolute", 1000, "", "", SYSTEM_TOKEN, SYSTEM_ADMIN},
        {NULL, NULL, NULL, 1000, "", "", SYSTEM_TOKEN, SYSTEM_ADMIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arguments arguments = {0};
        arguments.options[OPTION_TOKEN_SOCKET] = arguments.options[OPTION_ADMIN_SOCKET] = rows[i].option;
        set_variable("ICLIENTD_TOKEN_SOCKET", rows[i].variable);
        set_variable("ICLIENTD_ADMIN_SOCKET", rows[i].variable);
        set_variable("XDG_RUNTIME_DIR", rows[i].runtime);
        host.uid = rows[i].uid;
        host.existing = rows[i].existing;
        host.closed = rows[i].closed;
        AUTO_TEXT token = socket_path(&arguments, SOCKET_TOKEN);
        AUTO_TEXT admin = socket_path(&arguments, SOCKET_ADMIN);
        cr_expect_str_eq(token, rows[i].token, "row %zu: %s", i, token);
        cr_expect_str_eq(admin, rows[i].admin, "row %zu: %s", i, admin);
    }
}

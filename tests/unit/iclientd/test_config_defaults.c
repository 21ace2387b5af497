#include "iclientd/config/config_defaults.h"

#include <stdio.h>

#include "iclientd/config_host.h"
#include "io/temporary_folder.h"

#define NO_VARIABLES ((const char *const[]){NULL})

Test(config_defaults, paths_are_joined_unless_they_are_absolute)
{
    static const struct {
        const char *folder, *path, *joined;
    } rows[] = {{"/etc", "a", "/etc/a"}, {"/etc", "/a", "/a"}, {"/etc", "../a/b", "/etc/../a/b"}, {"/", "a", "//a"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_TEXT joined = config_join_path(rows[i].folder, rows[i].path);
        cr_expect_str_eq(joined, rows[i].joined);
    }
}

Test(config_defaults, the_file_is_the_systems_or_the_users)
{
    static const struct {
        uid_t uid;
        const char *variables[5];
        const char *file; /* NULL: ERR_INVALID */
    } rows[] = {
        {0, {"HOME", "/root", "XDG_CONFIG_HOME", "/x"}, "/etc/iclientd/iclientd.json"},
        {0, {NULL}, "/etc/iclientd/iclientd.json"},
        {1000, {"HOME", "/home/u"}, "/home/u/.config/iclientd/iclientd.json"},
        {1000, {"HOME", "/home/u", "XDG_CONFIG_HOME", "/x"}, "/x/iclientd/iclientd.json"},
        {1000, {"HOME", "/home/u", "XDG_CONFIG_HOME", "relative"}, "/home/u/.config/iclientd/iclientd.json"},
        {1000, {"XDG_CONFIG_HOME", "/x"}, "/x/iclientd/iclientd.json"},
        {1000, {"HOME", ""}, NULL},
        {1000, {NULL}, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        host_uid = rows[i].uid;
        host_set_variables(rows[i].variables);
        AUTO_TEXT file = NULL;
        struct error error = {0};
        enum status status = config_default_file(&file, &error);
        cr_expect_eq(status, rows[i].file ? OK : ERR_INVALID, "row %zu", i);
        cr_expect_str_eq(file ? file : "(none)", rows[i].file ? rows[i].file : "(none)", "row %zu", i);
        if (status != OK)
            cr_expect_not_null(strstr(error.message, "say --config FILE"), "%s", error.message);
    }
}

/* docs/CONFIGURATION.md has the same numbers. */
Test(config_defaults, numbers_are_the_documented_ones)
{
    struct config config = {0};
    config_set_default_numbers(&config);
    cr_expect_eq(config.token_socket.mode, 0666);
    cr_expect_eq(config.admin_socket.mode, 0660);
    cr_expect_eq(config.redirect.port, 8085);
    cr_expect_eq(config.http.timeout_ms, 30000);
    cr_expect_eq(config.http.max_concurrent, 64);
    cr_expect_eq(config.limits.connections, 1024);
    cr_expect_eq(config.limits.connections_per_uid, 256);
    cr_expect_eq(config.limits.waiters, 10000);
    cr_expect_eq(config.ballast_size, 1048576);
    cr_expect(config.sandbox);
    cr_expect_eq(config.log_level, LOG_LEVEL_INFO);
}

/* ---- texts ---- */

static struct config *fill(const char *const *variables, uid_t uid, struct config *take_config, char **ret_faults)
{
    AUTO(fault_list) faults = fault_list_create();
    host_uid = uid;
    host_set_variables(variables);
    take_config->file = strdup("/etc/x/iclientd.json");
    enum status status = config_fill_default_texts(take_config, "/etc/x", faults);
    cr_expect_eq(status, fault_list_count(faults) > 0 ? ERR_INVALID : OK);
    *ret_faults = faults_text(faults);
    return take_config;
}

Test(config_defaults, texts_are_the_systems_or_the_users)
{
    static const struct {
        uid_t uid;
        const char *variables[7];
        const char *token_socket, *admin_socket, *state_dir, *key_file;
    } rows[] = {
        {0,
         {"HOME", "/root", "XDG_RUNTIME_DIR", "/r", "XDG_STATE_HOME", "/s"},
         "/run/iclientd/token.sock",
         "/run/iclientd/admin/admin.sock",
         "/var/lib/iclientd",
         "/var/lib/iclientd/key"},
        {4242,
         {"XDG_RUNTIME_DIR", "/r", "XDG_STATE_HOME", "/s"},
         "/r/iclientd/token.sock",
         "/r/iclientd/admin/admin.sock",
         "/s/iclientd",
         "/s/iclientd/key"},
        {4242,
         {"XDG_RUNTIME_DIR", "/r", "HOME", "/home/u"},
         "/r/iclientd/token.sock",
         "/r/iclientd/admin/admin.sock",
         "/home/u/.local/state/iclientd",
         "/home/u/.local/state/iclientd/key"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_TEXT faults = NULL;
        AUTO(config) config = fill(rows[i].variables, rows[i].uid, calloc(1, sizeof *config), &faults);
        cr_expect_str_eq(faults, "");
        cr_expect_str_eq(config->token_socket.path, rows[i].token_socket);
        cr_expect_str_eq(config->admin_socket.path, rows[i].admin_socket);
        cr_expect_str_eq(config->state_dir, rows[i].state_dir);
        cr_expect_str_eq(config->key_file, rows[i].key_file);
        cr_expect_str_eq(config->iclient_dir, "/etc/x/iclients.d");
        cr_expect_str_eq(config->connection_dir, "/etc/x/connections.d");
        cr_expect_str_eq(config->redirect.listen, "127.0.0.1:8085");
        cr_expect_str_eq(config->redirect.base_uri, "http://127.0.0.1:8085");
    }
}

Test(config_defaults, what_is_set_stays)
{
    struct config *given = calloc(1, sizeof *given);
    given->token_socket.path = strdup("/t");
    given->state_dir = strdup("/s");
    given->iclient_dir = strdup("/i");
    given->redirect.listen = strdup("127.0.0.1:9000");
    given->preset_dir = strdup("/p");
    AUTO_TEXT faults = NULL;
    AUTO(config) config = fill(NO_VARIABLES, 0, given, &faults);
    cr_expect_str_eq(config->token_socket.path, "/t");
    cr_expect_str_eq(config->admin_socket.path, "/run/iclientd/admin/admin.sock");
    cr_expect_str_eq(config->state_dir, "/s");
    cr_expect_str_eq(config->key_file, "/s/key");
    cr_expect_str_eq(config->iclient_dir, "/i");
    cr_expect_str_eq(config->preset_dir, "/p");
    cr_expect_str_eq(config->redirect.base_uri, "http://127.0.0.1:9000");
}

Test(config_defaults, a_user_without_directories_is_told_of_both)
{
    AUTO_TEXT faults = NULL;
    AUTO(config) config = fill(NO_VARIABLES, 987654321, calloc(1, sizeof *config), &faults);
    cr_expect_not_null(strstr(faults, "/tokenSocket/path: "), "%s", faults);
    cr_expect_not_null(strstr(faults, "/stateDir: "), "%s", faults);
}

Test(config_defaults, a_systemd_credential_is_the_key_when_it_is_there)
{
    TEMPORARY_FOLDER(folder);
    const char *const variables[] = {"CREDENTIALS_DIRECTORY", folder.path, NULL};
    for (int is_there = 0; is_there < 2; is_there++) {
        AUTO_TEXT faults = NULL;
        AUTO(config) config = fill(variables, 0, calloc(1, sizeof *config), &faults);
        cr_expect_str_eq(config->key_file, is_there ? folder_path(&folder, "iclientd.key") : "/var/lib/iclientd/key");
        folder_write(&folder, "iclientd.key", 0600, "k");
    }
}

Test(config_defaults, connecting_takes_no_longer_than_all_of_it)
{
    static const int64_t rows[][3] = {{0, 30000, 10000}, {0, 5000, 5000}, {7000, 30000, 7000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config *given = calloc(1, sizeof *given);
        given->http.connect_timeout_ms = rows[i][0];
        given->http.timeout_ms = rows[i][1];
        AUTO_TEXT faults = NULL;
        AUTO(config) config = fill(NO_VARIABLES, 0, given, &faults);
        cr_expect_eq(config->http.connect_timeout_ms, rows[i][2], "row %zu", i);
    }
}

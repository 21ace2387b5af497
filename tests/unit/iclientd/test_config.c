#include "iclientd/config/config.h"

#include <stdio.h>
#include <sys/stat.h>

#include "iclientd/config_host.h"
#include "io/temporary_folder.h"

/* Loads a file of that text for root; NULL with its faults in *ret_faults when it is refused. Caller frees both. */
static struct config *load(const struct temporary_folder *folder, const char *text, char **ret_faults)
{
    AUTO(fault_list) faults = fault_list_create();
    struct config *config = NULL;
    host_uid = 0;
    host_set_variables((const char *const[]){NULL});
    enum status status = config_load(folder_write(folder, "c.json", 0600, text), false, faults, &config);
    cr_expect_eq(status, fault_list_has_errors(faults) ? ERR_INVALID : OK, "%s", text);
    cr_expect_eq(config != NULL, status == OK, "%s", text);
    *ret_faults = faults_text(faults);
    return config;
}

Test(config, a_file_is_read_over_the_defaults)
{
    TEMPORARY_FOLDER(folder);
    AUTO_TEXT faults = NULL;
    cr_assert_eq(mkdir(folder_path(&folder, "connections.d"), 0700), 0);
    AUTO(config) config = load(&folder, "{\"stateDir\": \"state\", \"http\": {\"timeout\": 7}}", &faults);
    cr_expect_str_eq(faults, "");
    cr_expect_str_eq(config->file, folder_path(&folder, "c.json"));
    cr_expect_str_eq(config->state_dir, folder_path(&folder, "state"));
    cr_expect_str_eq(config->key_file, folder_path(&folder, "state/key"));
    cr_expect_str_eq(config->connection_dir, folder_path(&folder, "connections.d"));
    cr_expect_eq(config->http.timeout_ms, 7000);
    cr_expect_eq(config->http.connect_timeout_ms, 7000);
    cr_expect_eq(config->limits.connections, 1024);
    cr_expect(config->has_connection_dir);
    cr_expect_not(config->has_iclient_dir);
}

Test(config, keys_have_to_agree)
{
    static const struct {
        const char *document, *faults;
    } rows[] = {
        {"{\"tokenSocket\": {\"path\": \"/run/x\"}, \"adminSocket\": {\"path\": \"/run/x\"}}",
         "/adminSocket/path: this is the token socket's path\n"},
        {"{\"http\": {\"timeout\": 5, \"connectTimeout\": 6}}",
         "/http/connectTimeout: connectTimeout is more than timeout, so it would never be reached\n"},
        {"{\"http\": {\"timeout\": 6, \"connectTimeout\": 6}}", ""},
        {"{\"redirect\": {\"baseUri\": \"http://127.0.0.1:9\"}}",
         "warning /redirect/baseUri: browsers are sent to port 9, but redirect.listen is port 8085\n"},
        {"{\"redirect\": {\"baseUri\": \"https://x.example\"}}", ""},
        {"{\"redirect\": {\"listen\": \"127.0.0.1:9\", \"baseUri\": \"http://127.0.0.1:9\"}}", ""},
    };
    TEMPORARY_FOLDER(folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_TEXT faults = NULL;
        AUTO(config) config = load(&folder, rows[i].document, &faults);
        cr_expect_eq(config == NULL, rows[i].faults[0] == '/', "%s: a warning refuses nothing", rows[i].document);
        cr_expect_str_eq(faults, rows[i].faults, "%s: %s", rows[i].document, faults);
    }
}

Test(config, a_socket_path_has_to_fit_the_kernels)
{
    TEMPORARY_FOLDER(folder);
    for (int length = 107; length <= 108; length++) {
        char document[256];
        snprintf(document, sizeof document, "{\"adminSocket\": {\"path\": \"/%0*d\"}}", length - 1, 7);
        AUTO_TEXT faults = NULL;
        AUTO(config) config = load(&folder, document, &faults);
        cr_expect_eq(config != NULL, length == 107);
        cr_expect_str_eq(
            faults, length == 107 ? "" : "/adminSocket/path: the path is longer than a socket's may be (107 bytes)\n");
    }
}

/* Each request is judged by who makes it. */
Test(config, tenants_open_the_admin_socket)
{
    static const struct {
        const char *document;
        unsigned mode;
        bool warns;
    } rows[] = {
        {"{}", 0660, false},
        {"{\"adminSocket\": {\"mode\": \"0600\"}}", 0600, false},
        {"{\"tenants\": {\"default\": {\"oauth_clients\": {\"get\": {\"users\": [\"root\"]}}}}}", 0666, false},
        {"{\"tenants\": {\"default\": {\"oauth_clients\": {\"get\": {\"users\": [\"root\"]}}}}, \"adminSocket\": "
         "{\"mode\": \"0600\"}}",
         0600, true},
    };
    TEMPORARY_FOLDER(folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_TEXT faults = NULL;
        AUTO(config) config = load(&folder, rows[i].document, &faults);
        cr_assert_not_null(config, "%s: %s", rows[i].document, faults);
        cr_expect_eq(config->admin_socket.mode, rows[i].mode, "%s: %o", rows[i].document, config->admin_socket.mode);
        cr_expect_eq(strncmp(faults, "warning /adminSocket/mode: ", 27) == 0, rows[i].warns, "%s", faults);
    }
}

Test(config, a_file_that_cannot_be_read_is_named_once)
{
    TEMPORARY_FOLDER(folder);
    AUTO(fault_list) faults = fault_list_create();
    struct config *config = NULL;
    const char *paths[] = {folder_path(&folder, "gone.json"), folder_write(&folder, "bad.json", 0600, "{"),
                           folder.path};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        cr_assert_eq(config_load(paths[i], false, faults, &config), ERR_INVALID, "%s", paths[i]);
        cr_assert_null(config);
        cr_assert_eq(fault_list_count(faults), i + 1);
        cr_expect_str_eq(fault_list_at(faults, i)->file, paths[i]);
        cr_expect_null(strstr(fault_list_at(faults, i)->message, folder.path), "%s", fault_list_at(faults, i)->message);
    }
}

Test(config, the_default_file_may_be_missing_and_a_named_one_may_not)
{
    TEMPORARY_FOLDER(folder);
    AUTO(fault_list) faults = fault_list_create();
    AUTO(config) config = NULL;
    host_uid = 4242;
    host_set_variables((const char *const[]){"HOME", folder.path, "XDG_RUNTIME_DIR", folder.path, NULL});
    cr_assert_eq(config_load(NULL, false, faults, &config), OK);
    cr_expect_str_eq(config->file, folder_path(&folder, ".config/iclientd/iclientd.json"));
    cr_expect_str_eq(config->iclient_dir, folder_path(&folder, ".config/iclientd/iclients.d"));
    cr_expect_eq(fault_list_count(faults), 0);
}

Test(config, a_user_without_a_home_directory_is_told_so)
{
    AUTO(fault_list) faults = fault_list_create();
    struct config *config = NULL;
    host_uid = 4242;
    host_set_variables((const char *const[]){NULL});
    cr_assert_eq(config_load(NULL, false, faults, &config), ERR_INVALID);
    AUTO_TEXT text = faults_text(faults);
    cr_assert_not_null(strstr(text, "say --config FILE"), "%s", text);
}

Test(config, relative_paths_are_taken_from_where_the_caller_stands)
{
    TEMPORARY_FOLDER(folder);
    AUTO(fault_list) faults = fault_list_create();
    AUTO(config) config = NULL;
    folder_write(&folder, "c.json", 0600, "{\"stateDir\": \"s\"}");
    cr_assert_eq(chdir(folder.path), 0);
    host_set_variables((const char *const[]){NULL});
    cr_assert_eq(config_load("c.json", false, faults, &config), OK);
    cr_expect_str_eq(config->file, folder_path(&folder, "c.json"));
    cr_expect_str_eq(config->state_dir, folder_path(&folder, "s"));
}

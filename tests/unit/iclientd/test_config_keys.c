#include "iclientd/config/config_keys.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/json/json_read.h"
#include "iclientd/config/config_defaults.h"
#include "iclientd/config_host.h"

/* A configuration as it is before its file is read. */
static struct config *make_config(void)
{
    struct config *config = calloc(1, sizeof *config);
    config_set_default_numbers(config);
    config->file = strdup("/etc/iclientd/iclientd.json");
    config->http.addresses = address_rule_create();
    return config;
}

static void read_text(struct config *config, const char *text, struct fault_list *faults)
{
    AUTO_JSON document = json_loads(text, JSON_DECODE_ANY, NULL);
    cr_assert_not_null(document, "%s", text);
    cr_assert_eq(config_keys_read(config, document, "/etc/iclientd", faults), OK, "%s", text);
}

/* The faults of a document; caller frees. */
static char *faults_of(const char *text)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO(config) config = make_config();
    read_text(config, text, faults);
    for (size_t i = 0; i < fault_list_count(faults); i++)
        cr_expect_str_eq(fault_list_at(faults, i)->file, "/etc/iclientd/iclientd.json");
    return faults_text(faults);
}

static struct config *read_config(const char *text)
{
    AUTO(fault_list) faults = fault_list_create();
    struct config *config = make_config();
    read_text(config, text, faults);
    AUTO_TEXT said = faults_text(faults);
    cr_expect_str_eq(said, "", "%s: %s", text, said);
    return config;
}

Test(config_keys, texts_go_where_they_belong)
{
    static const struct {
        const char *document;
        size_t offset;
        const char *value;
    } rows[] = {
        {"{\"tokenSocket\": {\"path\": \"/run/t\"}}", offsetof(struct config, token_socket.path), "/run/t"},
        {"{\"tokenSocket\": {\"path\": \"t\"}}", offsetof(struct config, token_socket.path), "/etc/iclientd/t"},
        {"{\"tokenSocket\": {\"group\": \"root\"}}", offsetof(struct config, token_socket.group), "root"},
        {"{\"adminSocket\": {\"path\": \"a\"}}", offsetof(struct config, admin_socket.path), "/etc/iclientd/a"},
        {"{\"adminSocket\": {\"group\": \"root\"}}", offsetof(struct config, admin_socket.group), "root"},
        {"{\"iclientDir\": \"i\"}", offsetof(struct config, iclient_dir), "/etc/iclientd/i"},
        {"{\"connectionDir\": \"../c\"}", offsetof(struct config, connection_dir), "/etc/iclientd/../c"},
        {"{\"presetDir\": \"/p\"}", offsetof(struct config, preset_dir), "/p"},
        {"{\"stateDir\": \"/s\"}", offsetof(struct config, state_dir), "/s"},
        {"{\"keyFile\": \"/k\"}", offsetof(struct config, key_file), "/k"},
        {"{\"redirect\": {\"listen\": \"127.0.0.1:9000\"}}", offsetof(struct config, redirect.listen),
         "127.0.0.1:9000"},
        {"{\"redirect\": {\"listen\": \"[::1]:9000\"}}", offsetof(struct config, redirect.listen), "[::1]:9000"},
        {"{\"redirect\": {\"baseUri\": \"https://x.example/login//\"}}", offsetof(struct config, redirect.base_uri),
         "https://x.example/login"},
        {"{\"redirect\": {\"baseUri\": \"http://localhost:9000\"}}", offsetof(struct config, redirect.base_uri),
         "http://localhost:9000"},
        {"{\"http\": {\"caFile\": \"/dev/null\"}}", offsetof(struct config, http.ca_file), "/dev/null"},
        {"{\"http\": {\"proxy\": \"http://proxy.example:3128\"}}", offsetof(struct config, http.proxy),
         "http://proxy.example:3128"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(config) config = read_config(rows[i].document);
        const char *value = *(char **)((char *)config + rows[i].offset);
        cr_expect_str_eq(value ? value : "(none)", rows[i].value, "%s", rows[i].document);
    }
}

Test(config_keys, numbers_go_where_they_belong)
{
    static const struct {
        const char *document;
        size_t offset;
        int64_t value;
    } rows[] = {
        {"{\"http\": {\"timeout\": 1}}", offsetof(struct config, http.timeout_ms), 1000},
        {"{\"http\": {\"timeout\": 600}}", offsetof(struct config, http.timeout_ms), 600000},
        {"{\"http\": {\"connectTimeout\": 2}}", offsetof(struct config, http.connect_timeout_ms), 2000},
        {"{\"http\": {\"maxConcurrent\": 10000}}", offsetof(struct config, http.max_concurrent), 10000},
        {"{\"limits\": {\"connections\": 1}}", offsetof(struct config, limits.connections), 1},
        {"{\"limits\": {\"connectionsPerUid\": 2}}", offsetof(struct config, limits.connections_per_uid), 2},
        {"{\"limits\": {\"waiters\": 1000000}}", offsetof(struct config, limits.waiters), 1000000},
        {"{\"ballastSize\": 0}", offsetof(struct config, ballast_size), 0},
        {"{\"ballastSize\": 1073741824}", offsetof(struct config, ballast_size), 1073741824},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(config) config = read_config(rows[i].document);
        int64_t value = *(int64_t *)((char *)config + rows[i].offset);
        cr_expect_eq(value, rows[i].value, "%s: %lld", rows[i].document, (long long)value);
    }
}

Test(config_keys, modes_flags_and_levels_go_where_they_belong)
{
    AUTO(config)
    config =
        read_config("{\"tokenSocket\": {\"mode\": \"0600\"}, \"adminSocket\": {\"mode\": \"640\"}, \"sandbox\": false,"
                    " \"logLevel\": \"debug\", \"http\": {\"allowLoopbackHttp\": true},"
                    " \"redirect\": {\"listen\": \"127.0.0.1:9000\"}}");
    cr_expect_eq(config->token_socket.mode, 0600);
    cr_expect_eq(config->admin_socket.mode, 0640);
    cr_expect_not(config->sandbox);
    cr_expect_eq(config->log_level, LOG_LEVEL_DEBUG);
    cr_expect(config->http.allow_loopback_http);
    cr_expect_eq(config->redirect.port, 9000);
}

Test(config_keys, networks_and_tenants_are_read)
{
    AUTO(config)
    config = read_config("{\"http\": {\"allowPrivateAddresses\": [\"10.0.0.0/8\"]}, \"tenants\": {\"default\": "
                         "{\"oauth_clients\": {\"get\": {\"users\": [\"root\"]}}}}}");
    cr_expect_not_null(config->tenants);
}

Test(config_keys, nothing_is_changed_by_an_empty_document)
{
    AUTO(config) config = read_config("{}");
    AUTO(config) before = make_config();
    cr_expect_eq(config->http.timeout_ms, before->http.timeout_ms);
    cr_expect_eq(config->token_socket.mode, before->token_socket.mode);
    cr_expect_null(config->state_dir);
}

#define OCTAL "must be permission bits as an octal text, such as \"0660\"\n"
#define TEXT "must be a text that is not empty (leave the key out for its default)\n"
#define LISTEN "/redirect/listen: listen must be an address and a port, such as \"127.0.0.1:8085\"\n"
#define LEVEL "/logLevel: must be \"error\", \"warning\", \"notice\", \"info\" or \"debug\"\n"

Test(config_keys, what_is_wrong_is_a_fault_at_its_key)
{
    static const struct {
        const char *document, *faults;
    } rows[] = {
        {"[]", "must be an object\n"},
        {"{\"http\": 1}", "/http: must be an object\n"},
        {"{\"iclientdir\": \"x\"}", "/iclientdir: there is no such key (did you mean \"iclientDir\"?)\n"},
        {"{\"http\": {\"timeuot\": 1}}", "/http/timeuot: there is no such key (did you mean \"timeout\"?)\n"},
        {"{\"something\": {\"else\": 1}}", "/something: there is no such key\n"},
        {"{\"http/timeout\": 1}", "/http~1timeout: there is no such key\n"},
        {"{\"stateDir\": \"\"}", "/stateDir: " TEXT},
        {"{\"stateDir\": null}", "/stateDir: " TEXT},
        {"{\"tokenSocket\": {\"group\": 7}}", "/tokenSocket/group: " TEXT},
        {"{\"tokenSocket\": {\"group\": \"no-such-group-x\"}}",
         "/tokenSocket/group: there is no group \"no-such-group-x\"\n"},
        {"{\"tokenSocket\": {\"mode\": 660}}", "/tokenSocket/mode: " OCTAL},
        {"{\"tokenSocket\": {\"mode\": \"0668\"}}", "/tokenSocket/mode: " OCTAL},
        {"{\"tokenSocket\": {\"mode\": \"1660\"}}", "/tokenSocket/mode: " OCTAL},
        {"{\"tokenSocket\": {\"mode\": \"66\"}}", "/tokenSocket/mode: " OCTAL},
        {"{\"adminSocket\": {\"mode\": \"0662\"}}",
         "/adminSocket/mode: must not let everybody write (give it a group and mode \"0660\")\n"},
        {"{\"http\": {\"timeout\": 0}}", "/http/timeout: must be a whole number from 1 to 600\n"},
        {"{\"http\": {\"timeout\": 601}}", "/http/timeout: must be a whole number from 1 to 600\n"},
        {"{\"http\": {\"timeout\": 1.5}}", "/http/timeout: must be a whole number from 1 to 600\n"},
        {"{\"http\": {\"timeout\": \"30\"}}", "/http/timeout: must be a whole number from 1 to 600\n"},
        {"{\"limits\": {\"waiters\": -1}}", "/limits/waiters: must be a whole number from 1 to 1000000\n"},
        {"{\"ballastSize\": -1}", "/ballastSize: must be a whole number from 0 to 1073741824\n"},
        {"{\"sandbox\": 1}", "/sandbox: must be true or false\n"},
        {"{\"logLevel\": \"loud\"}", LEVEL},
        {"{\"logLevel\": 3}", LEVEL},
        {"{\"redirect\": {\"listen\": \"127.0.0.1\"}}", LISTEN},
        {"{\"redirect\": {\"listen\": \"127.0.0.1:0\"}}", LISTEN},
        {"{\"redirect\": {\"listen\": \"127.0.0.1:65536\"}}", LISTEN},
        {"{\"redirect\": {\"listen\": \"127.0.0.1:80/x\"}}", LISTEN},
        {"{\"redirect\": {\"listen\": \"127.0.0.1:80?x\"}}", LISTEN},
        {"{\"redirect\": {\"listen\": \"192.0.2.1:8085\"}}",
         "/redirect/listen: must be a loopback address: it is for this machine's browser"
         " (a browser elsewhere finishes its login by paste: iclientctl login --no-browser NAME)\n"},
        {"{\"redirect\": {\"baseUri\": \"http://x.example\"}}",
         "/redirect/baseUri: plain http is for a loopback host only (use https)\n"},
        {"{\"redirect\": {\"baseUri\": \"https://x.example/?a=b\"}}", "/redirect/baseUri: must have no query\n"},
        {"{\"http\": {\"caFile\": \"gone.pem\"}}", "/http/caFile: /etc/iclientd/gone.pem does not exist\n"},
        {"{\"http\": {\"proxy\": \"http://p.example/x\"}}", "/http/proxy: must have no path and no query\n"},
        {"{\"http\": {\"allowPrivateAddresses\": \"10.0.0.0/8\"}}",
         "/http/allowPrivateAddresses: must be an array of networks such as \"10.0.0.0/8\", at most 256\n"},
        {"{\"http\": {\"allowPrivateAddresses\": [\"10.0.0.0/8\", 7]}}",
         "/http/allowPrivateAddresses/1: must be a text such as \"10.0.0.0/8\"\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_TEXT faults = faults_of(rows[i].document);
        cr_expect_str_eq(faults, rows[i].faults, "%s: %s", rows[i].document, faults);
    }
}

/* The wording of these is the URL parser's and the address rules' own. */
Test(config_keys, what_others_judge_is_a_fault_at_its_key_too)
{
    static const struct {
        const char *document, *pointer;
    } rows[] = {
        {"{\"redirect\": {\"baseUri\": \"no URL\"}}", "/redirect/baseUri: "},
        {"{\"http\": {\"proxy\": \"no URL\"}}", "/http/proxy: "},
        {"{\"http\": {\"allowPrivateAddresses\": [\"10.0.0.0/33\"]}}", "/http/allowPrivateAddresses/0: "},
        {"{\"tenants\": 7}", "/tenants: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_TEXT faults = faults_of(rows[i].document);
        cr_expect(strncmp(faults, rows[i].pointer, strlen(rows[i].pointer)) == 0, "%s: %s", rows[i].document, faults);
        cr_expect_eq(strchr(faults, '\n') + 1, faults + strlen(faults), "one fault: %s", faults);
    }
}

Test(config_keys, all_faults_are_told_at_once)
{
    AUTO_TEXT faults = faults_of("{\"sandbox\": 1, \"unknown\": 2, \"http\": {\"timeout\": 0}, \"stateDir\": \"/s\"}");
    cr_expect_str_eq(faults, "/sandbox: must be true or false\n/unknown: there is no such key\n"
                             "/http/timeout: must be a whole number from 1 to 600\n");
}

Test(config_keys, a_very_long_name_is_an_unknown_key)
{
    char document[4096];
    snprintf(document, sizeof document, "{\"http\": {\"%0*d\": 1}}", 1000, 7);
    AUTO_TEXT faults = faults_of(document);
    cr_expect_not_null(strstr(faults, "there is no such key"), "%s", faults);
}

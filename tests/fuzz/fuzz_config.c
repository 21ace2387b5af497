/* Any configuration document: faults with words, or values within their bounds. */
#include "iclientd/config/config.h"
#include "iclientd/config/config_defaults.h"
#include "iclientd/config/config_keys.h"
#include "fuzz.h"

static void require_path(const char *path)
{
    REQUIRE(!path || path[0] == '/', "the path \"%s\" is not absolute", path);
}

static void require_bounds(const struct config *config)
{
    require_path(config->token_socket.path);
    require_path(config->admin_socket.path);
    require_path(config->iclient_dir);
    require_path(config->connection_dir);
    require_path(config->preset_dir);
    require_path(config->state_dir);
    require_path(config->key_file);
    require_path(config->http.ca_file);
    REQUIRE((config->token_socket.mode & ~0777u) == 0 && (config->admin_socket.mode & ~0775u) == 0, "a mode");
    REQUIRE(config->http.timeout_ms >= 1000 && config->http.timeout_ms <= 600000, "timeout");
    REQUIRE(config->http.connect_timeout_ms >= 1000 && config->http.connect_timeout_ms <= 600000, "connectTimeout");
    REQUIRE(config->http.max_concurrent >= 1 && config->http.max_concurrent <= 10000, "maxConcurrent");
    REQUIRE(config->limits.connections >= 1 && config->limits.connections_per_uid >= 1 && config->limits.waiters >= 1,
            "limits");
    REQUIRE(config->log_level >= LOG_LEVEL_ERROR && config->log_level <= LOG_LEVEL_DEBUG, "logLevel");
    REQUIRE(!config->redirect.listen || (config->redirect.port >= 1 && config->redirect.port <= 65535), "port");
    REQUIRE(!config->redirect.base_uri || config->redirect.base_uri[strlen(config->redirect.base_uri) - 1] != '/',
            "a slash at the end of %s", config->redirect.base_uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_JSON document = fuzz_json((const char *)data, size);
    if (!document)
        return 0;
    AUTO(fault_list) faults = fault_list_create();
    AUTO(config) config = calloc(1, sizeof *config);
    REQUIRE(faults && config, "no memory");
    config->file = strdup("/etc/iclientd/iclientd.json");
    config->http.addresses = address_rule_create();
    config_set_default_numbers(config);
    enum status status = config_keys_read(config, document, "/etc/iclientd", faults);
    REQUIRE(status == OK, "status %d", (int)status);
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        const struct fault *fault = fault_list_at(faults, i);
        REQUIRE(fault->message[0] && (fault->pointer[0] == '\0' || fault->pointer[0] == '/'), "a fault");
    }
    if (!fault_list_has_errors(faults) && config_fill_default_texts(config, "/etc/iclientd", faults) == OK &&
        !fault_list_has_errors(faults))
        require_bounds(config);
    return 0;
}

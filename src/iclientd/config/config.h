#ifndef ICLIENTD_CONFIG_CONFIG_H
#define ICLIENTD_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fault_list.h"
#include "base/log/log.h"
#include "model/rule/address_rule.h"
#include "model/catalog/tenant_access.h"

struct config_socket {
    char *path;
    unsigned mode; /* permission bits */
    char *group;   /* NULL: the process's own */
};

/* The daemon's configuration: the file's values over the defaults. Every path is absolute. */
struct config {
    /* As struct identity_resolver has them. */
    bool keeps_unknown_names;
    bool is_database_silent;
    char *file; /* where it was read from, or would have been */
    struct config_socket token_socket;
    struct config_socket admin_socket;
    char *iclient_dir;
    char *connection_dir;
    bool has_iclient_dir; /* it was there when the file was read */
    bool has_connection_dir;
    char *preset_dir; /* NULL: none is installed */
    char *state_dir;
    char *key_file;
    int64_t ballast_size; /* bytes; 0: none */
    struct {
        char *listen;
        char *base_uri; /* without a '/' at its end */
        int port;       /* the one in listen */
    } redirect;
    struct {
        char *ca_file; /* NULL: the system's */
        char *proxy;   /* NULL: none */
        int64_t timeout_ms;
        int64_t connect_timeout_ms;
        int64_t max_concurrent;
        struct address_rule *addresses; /* allowPrivateAddresses, and loopback under allowLoopbackHttp */
        bool allow_loopback_http;
    } http;
    struct {
        int64_t connections;
        int64_t connections_per_uid;
        int64_t waiters;
    } limits;
    struct tenant_access *tenants; /* NULL: operators alone */
    bool sandbox;
    enum log_level log_level;
};

/*
 * Reads path, or the default file when path is NULL; a default file that does not exist means all defaults, a
 * named one that does not is an error. Relative paths are relative to the file's directory. ERR_INVALID: faults has
 * every fault of the file; ERR_NO_MEMORY. keeps_unknown_names: users and groups that are not found are no faults.
 */
enum status config_load(const char *path, bool keeps_unknown_names, struct fault_list *faults,
                        struct config **ret_config);
void config_destroy(struct config *config);
AUTO_DEFINE(config);

#endif

/* The order in which the parts come to life and end. */
#include "daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "ballast_log.h"
#include "broker/broker.h"
#include "broker/document/document_queue.h"
#include "broker/document/document_store.h"
#include "iclientd/config/configuration.h"
#include "confinement.h"
#include "iclientd/config/directories.h"
#include "faces.h"
#include "io/loop/event_loop.h"
#include "io/client/http_client.h"
#include "io/loop/log_drain.h"
#include "io/host/service_notify.h"
#include "io/store/store.h"
#include "io/store/store_crypto.h"
#include "io/store/store_sqlite.h"
#include "key_log.h"
#include "reload_queue.h"
#include "startup_memory.h"
#include "state_files.h"
#include "iclientd/config/unknown_names.h"

enum { REPLY_MAX = 1024 * 1024, STOP_PATIENCE_MS = 25 * 1000 };

struct daemon {
    const char *config_file;
    struct config *config;
    struct metrics metrics;
    struct event_loop *loop;
    struct log_drain *log_drain;
    struct store_crypto *crypto;
    struct store *store;
    struct http_client *client;
    struct broker *broker;
    struct faces *faces;
    struct unknown_names *unknown_names;
    struct reload_queue *reloads;
    struct loop_timer *stop_timer;
    struct loop_timer *watchdog_timer;
    bool is_stopping;
    bool is_drained; /* no exchange is in flight and none will be */
    enum status status;
};

static void daemon_destroy(struct daemon *daemon)
{
    if (!daemon)
        return;
    faces_destroy(daemon->faces);
    reload_queue_destroy(daemon->reloads);
    loop_timer_destroy(daemon->watchdog_timer);
    loop_timer_destroy(daemon->stop_timer);
    unknown_names_destroy(daemon->unknown_names);
    broker_destroy(daemon->broker);
    http_client_destroy(daemon->client);
    store_destroy(daemon->store);
    store_crypto_destroy(daemon->crypto);
    log_drain_destroy(daemon->log_drain);
    event_loop_destroy(daemon->loop);
    config_destroy(daemon->config);
    free(daemon);
}
AUTO_DEFINE(daemon);

static void log_faults(const struct fault_list *faults)
{
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        const struct fault *fault = fault_list_at(faults, i);
        AUTO_TEXT text = fault_format(fault);
        log_write(fault->warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "%s", text ? text : "out of memory");
    }
}

/* ---- the parts ---- */

/*
 * Asked here for the first time: OpenSSL that finds no memory while it looks for its generator never finds it again,
 * and nothing could be sealed nor sent as long as the process lives.
 */
static enum status check_random(struct error *ret_error)
{
    char ignored;
    if (random_bytes(&ignored, sizeof ignored) != OK)
        return error_set(ret_error, ERR_CRYPTO, "OpenSSL gives no random bytes");
    return OK;
}

/* Makes it at the first start. */
static enum status load_key(struct daemon *daemon, struct error *ret_error)
{
    return state_files_load_key(daemon->config, true, &daemon->crypto, ret_error);
}

static enum status open_store(struct daemon *daemon, struct error *ret_error)
{
    char path[STATE_PATH_MAX];
    enum status status = state_files_store_path(daemon->config, path, ret_error);
    if (status == OK)
        status = store_sqlite_create(daemon->loop, path, daemon->crypto, &daemon->store, ret_error);
    if (status == OK)
        store_sqlite_count_in(daemon->store, &daemon->metrics);
    if (status == OK)
        key_log_start(daemon->store);
    if (status == OK)
        ballast_log_start(daemon->store, (size_t)daemon->config->ballast_size);
    return status;
}

static enum status make_client(struct daemon *daemon, struct error *ret_error)
{
    const struct config *config = daemon->config;
    struct http_client_options options = {
        .ca_file = config->http.ca_file,
        .proxy = config->http.proxy,
        .timeout_ms = config->http.timeout_ms,
        .connect_timeout_ms = config->http.connect_timeout_ms,
        .max_concurrent = (size_t)config->http.max_concurrent,
        .max_reply = REPLY_MAX,
        .allow_http = config->http.allow_loopback_http,
        .addresses = config->http.addresses,
        .user_agent = "iclientd/" ICLIENTD_VERSION,
    };
    return http_client_create(daemon->loop, &options, &daemon->client, ret_error);
}

static enum status make_broker(struct daemon *daemon, struct error *ret_error)
{
    struct broker_options options = {
        .max_waiters = (size_t)daemon->config->limits.waiters,
    };
    return broker_create(daemon->loop, daemon->client, daemon->store, &daemon->metrics, &options, &daemon->broker,
                         ret_error);
}

/* Those of the start; a reload accepts no names that are not found. */
static void show_rules(void *context, access_rule_visit *visit, void *visit_context)
{
    const struct daemon *daemon = context;
    catalog_visit_rules(broker_catalog(daemon->broker), visit, visit_context);
    tenant_access_visit_rules(daemon->config->tenants, visit, visit_context);
}

/* ---- once the store has been read ---- */

static void feed_watchdog(void *context)
{
    struct daemon *daemon = context;
    service_notify_send("WATCHDOG=1");
    loop_timer_start(daemon->watchdog_timer, service_notify_watchdog_interval_ms());
}

static void on_loaded(void *context, enum status status, const struct error *error)
{
    struct daemon *daemon = context;
    struct error open_error = {0};
    if (status == OK) {
        status =
            faces_open(daemon->loop, daemon->broker, &daemon->metrics, daemon->config, &daemon->faces, &open_error);
        if (status == OK)
            status = confinement_limit_calls(daemon->config, &open_error);
        error = &open_error;
    }
    if (status != OK) {
        log_error("%s", error->message);
        daemon->status = status;
        event_loop_stop(daemon->loop);
        return;
    }
    log_notice("ready: %zu iClients, %zu connections; tokens at %s",
               catalog_iclient_count(broker_catalog(daemon->broker)),
               catalog_connection_count(broker_catalog(daemon->broker)), daemon->config->token_socket.path);
    unknown_names_start(daemon->unknown_names);
    startup_memory_release();
    service_notify_ready();
    if (service_notify_watchdog_interval_ms() > 0)
        feed_watchdog(daemon);
    reload_queue_open(daemon->reloads);
}

/* Documents of files and of the store make one catalog, so it can be read only when the latter are here. */
static enum status load_catalog(struct daemon *daemon, struct error *ret_error)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO(catalog) catalog = NULL;
    struct catalog_source beside = document_store_source(broker_documents(daemon->broker));
    enum status status = ERR_NO_MEMORY;
    if (faults)
        status = configuration_load_catalog(daemon->config, &beside, faults, &catalog);
    if (faults)
        log_faults(faults);
    if (status != OK)
        return error_set(ret_error, status, "the configuration has errors; nothing is served");
    return broker_apply_catalog(daemon->broker, TAKE(catalog), ret_error);
}

static void on_documents_loaded(void *context, enum status status, const struct error *error)
{
    struct daemon *daemon = context;
    struct error catalog_error = {0};
    if (status == OK) {
        status = load_catalog(daemon, &catalog_error);
        error = &catalog_error;
    }
    if (status == OK)
        broker_load(daemon->broker, on_loaded, daemon);
    else
        on_loaded(daemon, status, error);
}

/* ---- signals ---- */

static void on_stop_due(void *context)
{
    struct daemon *daemon = context;
    if (!daemon->is_drained)
        log_warning("a provider has not answered in time; stopping without its answer");
    event_loop_stop(daemon->loop);
}

static void on_drained(void *context, enum status status, const struct error *error)
{
    (void)status;
    (void)error;
    struct daemon *daemon = context;
    daemon->is_drained = true;
    /* Not at once: those who waited for the last exchange have to get their answers first. */
    loop_timer_start(daemon->stop_timer, 0);
}

static void on_stop(int signal_number, void *context)
{
    struct daemon *daemon = context;
    if (daemon->is_stopping) {
        event_loop_stop(daemon->loop);
        return;
    }
    daemon->is_stopping = true;
    log_notice("%s: stopping; exchanges in flight are finished first", strsignal(signal_number));
    service_notify_stopping();
    reload_queue_close(daemon->reloads);
    if (daemon->faces)
        faces_drain(daemon->faces);
    loop_timer_start(daemon->stop_timer, STOP_PATIENCE_MS);
    broker_drain(daemon->broker, on_drained, daemon);
}

static void read_again(struct daemon *daemon)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO(config) config = NULL;
    AUTO(catalog) catalog = NULL;
    struct error error = {0};
    service_notify_reloading();
    struct catalog_source beside = document_store_source(broker_documents(daemon->broker));
    enum status status = ERR_NO_MEMORY;
    if (faults)
        status = configuration_reload(daemon->config_file, daemon->config, &beside, faults, &config, &catalog);
    if (faults)
        log_faults(faults);
    if (status == OK)
        status = broker_apply_catalog(daemon->broker, TAKE(catalog), &error);
    if (status == OK) {
        unknown_names_stop(daemon->unknown_names);
        log_set_level(config->log_level);
        if (daemon->faces)
            faces_set_tenants(daemon->faces, config->tenants);
        metrics_add(&daemon->metrics, METRIC_RELOADS, 1);
        log_notice("reloaded: %zu iClients, %zu connections", catalog_iclient_count(broker_catalog(daemon->broker)),
                   catalog_connection_count(broker_catalog(daemon->broker)));
        configuration_warn_of_restart(daemon->config, config);
    } else {
        metrics_add(&daemon->metrics, METRIC_RELOADS_REFUSED, 1);
        log_error("reload refused, the configuration stays as it was%s%s", error.message[0] ? ": " : "", error.message);
    }
    service_notify_ready();
}

static void on_documents_idle(void *context)
{
    struct daemon *daemon = context;
    int64_t began = clock_boot_ms();
    if (!daemon->is_stopping)
        read_again(daemon);
    reload_queue_end(daemon->reloads, clock_boot_ms() - began);
}

/* While no document is being written, which would be judged by one catalog and put into another. */
static void begin_reload(void *context)
{
    struct daemon *daemon = context;
    document_queue_when_idle(broker_document_queue(daemon->broker), on_documents_idle, daemon);
}

static void on_reload(int signal_number, void *context)
{
    (void)signal_number;
    struct daemon *daemon = context;
    /* Before the catalog is read everything is about to be read anyway. */
    if (broker_catalog(daemon->broker))
        reload_queue_ask(daemon->reloads);
}

static enum status watch_signals(struct daemon *daemon, struct error *ret_error)
{
    static const struct {
        int signal_number;
        loop_signal_callback *callback;
    } signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk to the store, not an end */
    enum status status = OK;
    for (size_t i = 0; status == OK && i < sizeof signals / sizeof *signals; i++)
        status = event_loop_on_signal(daemon->loop, signals[i].signal_number, signals[i].callback, daemon, ret_error);
    if (status == OK)
        status = reload_queue_create(daemon->loop, begin_reload, daemon, &daemon->reloads, ret_error);
    daemon->stop_timer = loop_timer_create(daemon->loop, on_stop_due, daemon);
    daemon->watchdog_timer = loop_timer_create(daemon->loop, feed_watchdog, daemon);
    if (status == OK && (!daemon->stop_timer || !daemon->watchdog_timer))
        status = error_set(ret_error, ERR_NO_MEMORY, "no memory for timers");
    return status;
}

static enum status daemon_start(struct daemon *daemon, struct error *ret_error)
{
    enum status status;
    if ((status = directories_prepare(daemon->config, ret_error)) != OK || (status = check_random(ret_error)) != OK ||
        (status = load_key(daemon, ret_error)) != OK ||
        (status = confinement_limit_files(daemon->config, ret_error)) != OK ||
        (status = event_loop_create(&daemon->loop, ret_error)) != OK ||
        (status = log_drain_create(daemon->loop, &daemon->log_drain, ret_error)) != OK ||
        (status = watch_signals(daemon, ret_error)) != OK || (status = open_store(daemon, ret_error)) != OK ||
        (status = make_client(daemon, ret_error)) != OK || (status = make_broker(daemon, ret_error)) != OK ||
        (status = unknown_names_create(daemon->loop, show_rules, daemon, &daemon->unknown_names, ret_error)) != OK)
        return status;
    document_store_load(broker_documents(daemon->broker), on_documents_loaded, daemon);
    return event_loop_run(daemon->loop, ret_error);
}

enum status daemon_run(const char *config_file)
{
    AUTO(daemon) daemon = calloc(1, sizeof *daemon);
    AUTO(fault_list) faults = fault_list_create();
    if (!daemon || !faults) {
        log_error("out of memory");
        return ERR_NO_MEMORY;
    }
    daemon->config_file = config_file;
    enum status status = config_load(config_file, true, faults, &daemon->config);
    log_faults(faults);
    if (status != OK) {
        log_error("the configuration has errors; nothing was started");
        return status;
    }
    log_set_level(daemon->config->log_level);
    struct error error = {0};
    status = daemon_start(daemon, &error);
    if (status != OK)
        log_error("%s", error.message);
    return status != OK ? status : daemon->status;
}

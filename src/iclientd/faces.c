#include "faces.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log/log.h"
#include "io/http/http_server.h"
#include "io/host/listener.h"
#include "io/host/peer_owner.h"
#include "io/host/service_notify.h"
#include "service/api/api_router.h"
#include "service/redirect/redirect_endpoint.h"

struct faces {
    struct api *api;
    struct redirect_endpoint *redirect_endpoint;
    struct http_server *token_server;
    struct http_server *admin_server;
    struct peer_owner *owners;
    struct http_server *redirect_server;
    char *bound_paths[2]; /* to be removed at the end */
};

/*
 * A person's browser opens a handful of connections, whatever the token socket's limit is. As there, four users can
 * take all of them.
 */
enum { REDIRECT_CONNECTIONS_MAX = 128, REDIRECT_CONNECTIONS_PER_USER = REDIRECT_CONNECTIONS_MAX / 4 };

/* What a crowd on the token socket must leave: for operators and the store's files; for a socket and its resolver. */
enum { OPERATORS_DESCRIPTORS = 64, EXCHANGE_DESCRIPTORS = 4 };

static size_t spare_descriptors(const struct config *config)
{
    return OPERATORS_DESCRIPTORS + REDIRECT_CONNECTIONS_MAX +
           EXCHANGE_DESCRIPTORS * (size_t)config->http.max_concurrent;
}

/* The soft limit is 1024 nearly everywhere, for the sake of select(2), which nothing here calls. */
static void raise_descriptor_limit(const struct config *config)
{
    struct rlimit limit;
    rlim_t wanted = spare_descriptors(config) + 2 * (rlim_t)config->limits.connections;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        log_notice("%llu descriptors are fewer than limits.connections may take: some callers may be told to try again",
                   (unsigned long long)limit.rlim_cur);
}

void faces_destroy(struct faces *faces)
{
    if (!faces)
        return;
    http_server_destroy(faces->redirect_server);
    peer_owner_destroy(faces->owners);
    http_server_destroy(faces->admin_server);
    http_server_destroy(faces->token_server);
    redirect_endpoint_destroy(faces->redirect_endpoint);
    api_destroy(faces->api);
    for (size_t i = 0; i < sizeof faces->bound_paths / sizeof *faces->bound_paths; i++) {
        if (faces->bound_paths[i])
            unlink(faces->bound_paths[i]);
        free(faces->bound_paths[i]);
    }
    free(faces);
}

void faces_set_tenants(struct faces *faces, struct tenant_access *tenants)
{
    api_set_tenants(faces->api, tenants);
}

void faces_drain(struct faces *faces)
{
    http_server_drain(faces->redirect_server);
    http_server_drain(faces->admin_server);
    http_server_drain(faces->token_server);
}

static enum status check_passed_sockets(struct error *ret_error)
{
    static const char *const names[] = {"token", "admin", "redirect"};
    return service_notify_check_sockets(names, sizeof names / sizeof names[0], ret_error);
}

static enum status open_unix(const char *name, const struct config_socket *socket, int *ret_fd, char **ret_bound_path,
                             struct error *ret_error)
{
    enum status status = service_notify_take_socket(name, ret_fd, ret_error);
    if (status != OK || *ret_fd >= 0)
        return status;
    status = listener_bind_unix(socket->path, socket->mode, socket->group, ret_fd, ret_error);
    if (status == OK)
        *ret_bound_path = strdup(socket->path);
    return status;
}

static enum status open_redirect(const struct config *config, int *ret_fd, struct error *ret_error)
{
    enum status status = service_notify_take_socket("redirect", ret_fd, ret_error);
    if (status != OK || *ret_fd >= 0)
        return status;
    return listener_bind_tcp(config->redirect.listen, ret_fd, ret_error);
}

static enum status make_handlers(struct event_loop *loop, struct faces *faces, struct broker *broker,
                                 struct metrics *metrics, const struct config *config, struct error *ret_error)
{
    struct api_options api = {
        .loop = loop,
        .redirect_base_uri = config->redirect.base_uri,
        .admin_group = config->admin_socket.group,
        .tenants = config->tenants,
        .own_uid = geteuid(),
    };
    struct redirect_endpoint_options redirect = {
        .base_uri = config->redirect.base_uri,
        .listen_port = config->redirect.port,
    };
    enum status status = api_create(broker, metrics, &api, &faces->api, ret_error);
    if (status == OK)
        status = redirect_endpoint_create(broker, &redirect, &faces->redirect_endpoint, ret_error);
    return status;
}

/* Without it the redirect endpoint takes all users for one, of whom the connections that rest longest give way. */
static enum status find_owners(struct faces *faces, struct error *ret_error)
{
    enum status status = peer_owner_create(&faces->owners, ret_error);
    if (status != ERR_UNSUPPORTED)
        return status;
    log_warning("the redirect endpoint cannot keep users apart: %s", ret_error->message);
    return OK;
}

static enum status serve_redirects(struct event_loop *loop, struct faces *faces, struct metrics *metrics,
                                   const struct config *config, struct error *ret_error)
{
    size_t per_user = (size_t)config->limits.connections_per_uid;
    int fd = -1;
    enum status status = find_owners(faces, ret_error);
    if (status == OK)
        status = open_redirect(config, &fd, ret_error);
    if (status != OK)
        return status;
    struct http_server_options options = http_server_default_options();
    options.is_local = false;
    options.owners = faces->owners;
    options.max_connections = REDIRECT_CONNECTIONS_MAX;
    options.max_connections_per_uid =
        per_user < REDIRECT_CONNECTIONS_PER_USER ? per_user : REDIRECT_CONNECTIONS_PER_USER;
    /* Browsers keep connections that they do not use: these must not keep the same person's next login out. */
    options.users_give_way = true;
    const struct http_server_callbacks callbacks = {redirect_endpoint_handle, redirect_endpoint_refuse,
                                                    faces->redirect_endpoint};
    return http_server_create(loop, fd, &options, metrics, &callbacks, &faces->redirect_server, ret_error);
}

enum status faces_open(struct event_loop *loop, struct broker *broker, struct metrics *metrics,
                       const struct config *config, struct faces **ret_faces, struct error *ret_error)
{
    AUTO(faces) faces = calloc(1, sizeof *faces);
    if (!faces)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for the sockets");
    struct http_server_options local = http_server_default_options();
    local.max_connections = (size_t)config->limits.connections;
    local.max_connections_per_uid = (size_t)config->limits.connections_per_uid;
    local.is_local = true;
    struct http_server_options token = local;
    token.spare_descriptors = spare_descriptors(config);
    raise_descriptor_limit(config);
    enum status status = check_passed_sockets(ret_error);
    if (status == OK)
        status = make_handlers(loop, faces, broker, metrics, config, ret_error);
    int fd = -1;
    if (status == OK)
        status = open_unix("token", &config->token_socket, &fd, &faces->bound_paths[0], ret_error);
    if (status == OK)
        status = http_server_create(loop, fd, &token, metrics,
                                    &(struct http_server_callbacks){api_handle_token_socket, api_refuse, faces->api},
                                    &faces->token_server, ret_error);
    if (status == OK)
        status = open_unix("admin", &config->admin_socket, &fd, &faces->bound_paths[1], ret_error);
    if (status == OK)
        status = http_server_create(loop, fd, &local, metrics,
                                    &(struct http_server_callbacks){api_handle_admin_socket, api_refuse, faces->api},
                                    &faces->admin_server, ret_error);
    if (status == OK)
        status = serve_redirects(loop, faces, metrics, config, ret_error);
    if (status == OK)
        *ret_faces = TAKE(faces);
    return status;
}

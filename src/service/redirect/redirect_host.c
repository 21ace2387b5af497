#include "service/redirect/redirect_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/url.h"

static bool add_name(struct redirect_hosts *hosts, const char *host, int port, bool is_default_port)
{
    bool has_colon = strchr(host, ':');
    char with_port[300];
    int length = snprintf(with_port, sizeof with_port, "%s%s%s", has_colon ? "[" : "", host, has_colon ? "]" : "");
    if (length < 0 || (size_t)length >= sizeof with_port - sizeof ":65535")
        return false;
    /* The scheme's own port is left out by browsers (RFC 9110 §4.2.3). */
    if (is_default_port) {
        hosts->names[hosts->count] = strdup(with_port);
        if (!hosts->names[hosts->count++])
            return false;
    }
    snprintf(with_port + length, sizeof with_port - (size_t)length, ":%d", port);
    hosts->names[hosts->count] = strdup(with_port);
    return hosts->names[hosts->count++];
}

enum status redirect_hosts_init(struct redirect_hosts *hosts, const char *base_uri, int listen_port,
                                struct error *ret_error)
{
    static const char *const loopback[] = {"localhost", "127.0.0.1", "::1"};
    *hosts = (struct redirect_hosts){0};
    AUTO(url) base = NULL;
    enum status status = url_parse(base_uri, &base, ret_error);
    if (status != OK)
        return status;
    int default_port = strcmp(url_scheme(base), "https") == 0 ? 443 : 80;
    bool added = add_name(hosts, url_host(base), url_port(base), url_port(base) == default_port);
    for (size_t i = 0; added && listen_port != 0 && i < sizeof loopback / sizeof loopback[0]; i++)
        added = add_name(hosts, loopback[i], listen_port, listen_port == 80);
    if (added)
        return OK;
    redirect_hosts_finish(hosts);
    return error_set(ret_error, ERR_NO_MEMORY, "the redirect endpoint's host names");
}

void redirect_hosts_finish(struct redirect_hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        free(hosts->names[i]);
    hosts->count = 0;
}

bool redirect_hosts_have(const struct redirect_hosts *hosts, struct http_text host)
{
    for (size_t i = 0; i < hosts->count; i++) {
        if (strlen(hosts->names[i]) == host.length && strncasecmp(hosts->names[i], host.data, host.length) == 0)
            return true;
    }
    return false;
}

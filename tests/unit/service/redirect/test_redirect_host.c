#include <criterion/criterion.h>
#include <string.h>

#include "service/redirect/redirect_host.h"

static bool has(const struct redirect_hosts *hosts, const char *host)
{
    return redirect_hosts_have(hosts, (struct http_text){host, strlen(host)});
}

static void check(const char *base_uri, int port, const char *const *good, const char *const *bad)
{
    struct redirect_hosts hosts;
    cr_assert_eq(redirect_hosts_init(&hosts, base_uri, port, NULL), OK);
    for (; *good; good++)
        cr_assert(has(&hosts, *good), "%s for %s", *good, base_uri);
    for (; *bad; bad++)
        cr_assert_not(has(&hosts, *bad), "%s for %s", *bad, base_uri);
    redirect_hosts_finish(&hosts);
}

Test(redirect_host, loopback_names_need_the_port)
{
    static const char *const good[] = {"127.0.0.1:8085", "localhost:8085", "LocalHost:8085", "[::1]:8085", NULL};
    static const char *const bad[] = {"127.0.0.1",
                                      "localhost",
                                      "localhost:80",
                                      "evil.example",
                                      "evil.example:8085",
                                      "",
                                      "127.0.0.1:8085.evil.example",
                                      "localhost:80850",
                                      "127.0.0.1:808",
                                      NULL};
    check("http://127.0.0.1:8085", 8085, good, bad);
}

Test(redirect_host, base_uri_may_leave_out_its_schemes_port)
{
    static const char *const good[] = {"login.example", "login.example:443", "127.0.0.1:9000", NULL};
    static const char *const bad[] = {"login.example:80", "login.example:9000", "127.0.0.1:443", NULL};
    check("https://login.example/broker", 9000, good, bad);
}

Test(redirect_host, without_a_port_of_its_own_only_the_base_uri_counts)
{
    static const char *const good[] = {"[::1]:7777", NULL};
    static const char *const bad[] = {"127.0.0.1:7777", "localhost:7777", "127.0.0.1:0", "localhost", "::1", NULL};
    check("http://[::1]:7777", 0, good, bad);
}

Test(redirect_host, port_80_may_be_left_out)
{
    static const char *const good[] = {"localhost", "localhost:80", "[::1]", "127.0.0.1", NULL};
    static const char *const bad[] = {"localhost:8080", NULL};
    check("http://localhost", 80, good, bad);
}

Test(redirect_host, base_uri_has_to_be_one)
{
    struct redirect_hosts hosts;
    struct error error;
    cr_assert_eq(redirect_hosts_init(&hosts, "nonsense", 1, &error), ERR_INVALID);
    redirect_hosts_finish(&hosts);
}

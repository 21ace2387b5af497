/* Any text as a URL, a host, a domain, a network: what is judged is what is reached, nothing is taken for another. */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>

#include "base/text/url.h"
#include "fuzz.h"
#include "model/rule/address_rule.h"
#include "model/rule/url_policy.h"

static const char own_domain[] = "shop.example.com";

static bool is_below(const char *host, const char *domain)
{
    size_t length = strlen(host), domain_length = strlen(domain);
    return length >= domain_length && strcmp(host + length - domain_length, domain) == 0 &&
           (length == domain_length || host[length - domain_length - 1] == '.');
}

static void require_host(const char *host, bool is_address)
{
    struct in_addr four;
    struct in6_addr six;
    REQUIRE(*host, "an empty host");
    for (const char *c = host; *c; c++)
        REQUIRE(isascii(*c) && isgraph(*c) && !isupper(*c) && !strchr("/@?#\\%[]", *c), "the host \"%s\"", host);
    bool parses = inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1;
    REQUIRE(parses == is_address, "%s: an address or none", host);
    AUTO_TEXT again = NULL;
    REQUIRE(url_normalise_host(host, &again, NULL) == OK && strcmp(again, host) == 0, "%s has another normal form",
            host);
}

static void require_same(const struct url *a, const struct url *b)
{
    REQUIRE(strcmp(url_scheme(a), url_scheme(b)) == 0 && strcmp(url_host(a), url_host(b)) == 0 &&
                url_port(a) == url_port(b) && strcmp(url_path(a), url_path(b)) == 0,
            "what is sent is not what was checked");
    const char *query_a = url_query(a), *query_b = url_query(b);
    REQUIRE(!query_a == !query_b && (!query_a || strcmp(query_a, query_b) == 0), "the query is another one");
}

static void require_policy(const struct url *url)
{
    AUTO(url_policy) domain = NULL;
    AUTO(url_policy) exact = NULL;
    bool https = strcmp(url_scheme(url), "https") == 0;
    REQUIRE(url_policy_create(false, &domain, NULL) == OK && url_policy_create(false, &exact, NULL) == OK &&
                url_policy_add_domain(domain, own_domain, NULL) == OK,
            "no policy");
    REQUIRE((url_policy_check(domain, url, NULL) == OK) == (https && is_below(url_host(url), own_domain)),
            "%s is taken for %s or the other way round", url_host(url), own_domain);
    REQUIRE(url_policy_check(exact, url, NULL) == ERR_DENIED, "an empty policy allows");
    if (url_policy_add_exact_host(exact, url_host(url), NULL) == OK)
        REQUIRE((url_policy_check(exact, url, NULL) == OK) == https, "%s is not its own host", url_host(url));
}

static void check_url(const char *text)
{
    AUTO(url) url = NULL;
    struct error error = {0};
    enum status status = url_parse(text, &url, &error);
    REQUIRE((status == OK) == (url != NULL) && (status == OK) == (error.message[0] == '\0'), "half a result");
    if (status != OK)
        return;
    REQUIRE(strcmp(url_scheme(url), "https") == 0 || strcmp(url_scheme(url), "http") == 0, "%s", url_scheme(url));
    REQUIRE(url_port(url) >= 0 && url_port(url) <= 65535, "port %d", url_port(url));
    REQUIRE(url_path(url)[0] == '/', "the path \"%s\"", url_path(url));
    require_host(url_host(url), url_host_is_address(url));
    AUTO_FINISH(text_buffer) whole;
    AUTO_FINISH(text_buffer) target;
    text_buffer_init(&whole, 4 * URL_MAX);
    text_buffer_init(&target, 4 * URL_MAX);
    REQUIRE(url_append_whole(url, &whole) && url_append_target(url, &target), "cannot be written");
    REQUIRE(!strchr(text_buffer_text(&target), '?'), "a query in what is logged");
    AUTO(url) again = NULL;
    if (url_parse(text_buffer_text(&whole), &again, &error) == OK)
        require_same(url, again);
    else
        REQUIRE(whole.length > URL_MAX, "the normal form is refused: %s", error.message);
    require_policy(url);
}

/* An IPv4 address is judged alike however IPv6 wraps it. */
static void check_address(const struct address_rule *rule, const uint8_t bytes[4])
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    memcpy(&four.sin_addr, bytes, 4);
    bool permitted = address_rule_permits(rule, (const struct sockaddr *)&four);
    memcpy(six.sin6_addr.s6_addr, mapped, 12);
    memcpy(six.sin6_addr.s6_addr + 12, bytes, 4);
    REQUIRE(address_rule_permits(rule, (const struct sockaddr *)&six) == permitted, "mapped");
    memcpy(six.sin6_addr.s6_addr, nat64, 12);
    REQUIRE(address_rule_permits(rule, (const struct sockaddr *)&six) == permitted, "NAT64");
    static const struct {
        uint8_t first, mask, second;
    } private[] = {{10, 0, 0}, {127, 0, 0}, {172, 0xf0, 16}, {192, 0xff, 168}, {169, 0xff, 254}, {0, 0, 0}};
    for (size_t i = 0; i < sizeof private / sizeof private[0]; i++)
        REQUIRE(bytes[0] != private[i].first || (bytes[1] & private[i].mask) != private[i].second || !permitted,
                "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
}

static void check_network(const char *text)
{
    AUTO(address_rule) rule = address_rule_create();
    char address[INET6_ADDRSTRLEN] = "";
    size_t length = strcspn(text, "/");
    bool taken = address_rule_allow(rule, text, NULL) == OK;
    if (!taken || length >= sizeof address)
        return;
    memcpy(address, text, length);
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
        REQUIRE(address_rule_permits(rule, (const struct sockaddr *)&four), "%s does not permit its first address",
                text);
    else if (inet_pton(AF_INET6, address, &six.sin6_addr) == 1)
        REQUIRE(address_rule_permits(rule, (const struct sockaddr *)&six), "%s does not permit its first address",
                text);
    else
        REQUIRE(false, "%s was taken for a network", text);
}

static void check_domain(const char *text)
{
    AUTO_TEXT host = NULL;
    AUTO(url_policy) policy = NULL;
    REQUIRE(url_policy_create(false, &policy, NULL) == OK, "no policy");
    bool is_host = url_normalise_host(text, &host, NULL) == OK;
    bool taken = url_policy_add_domain(policy, text, NULL) == OK;
    REQUIRE(!taken || is_host, "%s is a domain but no host", text);
    if (!taken)
        return;
    AUTO_FINISH(text_buffer) url;
    text_buffer_init(&url, URL_MAX);
    text_buffer_append_format(&url, strchr(host, ':') ? "https://[%s]/" : "https://%s/", host);
    REQUIRE(url_policy_check_text(policy, text_buffer_text(&url), NULL) == OK, "%s does not allow itself", host);
    REQUIRE(url_policy_check_text(policy, "https://com/", NULL) != OK, "%s allows com", host);
    REQUIRE(strcmp(host, "unrelated.example") == 0 || is_below("unrelated.example", host) ||
                url_policy_check_text(policy, "https://unrelated.example/", NULL) == ERR_DENIED,
            "%s allows another host", host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_TEXT text = fuzz_text(data, size, 0);
    check_url(text);
    check_domain(text);
    check_network(text);
    if (size >= 4) {
        AUTO(address_rule) rule = address_rule_create();
        check_address(rule, data);
    }
    return 0;
}

#include "model/rule/address_rule.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct network {
    unsigned char address[16];
    unsigned prefix; /* bits */
};

/* IANA IPv4 special-purpose registry: what is not globally reachable, and multicast. */
static const struct network refused_ipv4[] = {
    {{0}, 8},                 /* this network */
    {{10}, 8},                /* private */
    {{100, 64}, 10},          /* CGNAT; cloud metadata at 100.100.100.200 */
    {{127}, 8},               /* loopback */
    {{168, 63, 129, 16}, 32}, /* Azure's host, public in form only */
    {{169, 254}, 16},         /* link-local; cloud metadata at 169.254.169.254 */
    {{172, 16}, 12},          /* private */
    {{192, 0, 0}, 24},        /* IETF protocol assignments */
    {{192, 0, 2}, 24},        /* documentation */
    {{192, 88, 99}, 24},      /* 6to4 relays */
    {{192, 168}, 16},         /* private */
    {{198, 18}, 15},          /* benchmarking */
    {{198, 51, 100}, 24},     /* documentation */
    {{203, 0, 113}, 24},      /* documentation */
    {{224}, 3},               /* multicast, reserved, broadcast */
};

/* IPv6 has one block of global unicast addresses; everything outside it is refused, so that these lie inside. */
static const struct network global_ipv6 = {{0x20}, 3};
static const struct network refused_ipv6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* IETF protocol assignments: benchmarking, ORCHID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff}, 20},             /* documentation (RFC 9637) */
};

/*
 * Where an IPv6 address carries an IPv4 one. Below 64:ff9b:1::/48 (RFC 8215) the place depends on the operator's
 * prefix; only 64:ff9b:1::/96 can be told from here, the rest is outside global_ipv6.
 */
static const struct {
    struct network network;
    unsigned offset;
    bool inverted;
} embedded_ipv4[] = {
    {{{[10] = 0xff, 0xff}, 96}, 12, false},                  /* mapped */
    {{{0}, 96}, 12, false},                                  /* compatible; also :: and ::1, as 0.0.0.0/8 */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12, false},             /* NAT64 (RFC 6052) */
    {{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 96}, 12, false}, /* NAT64, local use */
    {{{0x20, 0x02}, 16}, 2, false},                          /* 6to4 */
    {{{0x20, 0x01, 0x00, 0x00}, 32}, 4, false},              /* Teredo: the server */
    {{{0x20, 0x01, 0x00, 0x00}, 32}, 12, true},              /* Teredo: the client */
};

struct allowed_network {
    int family;
    struct network network;
};

struct address_rule {
    size_t count;
    struct allowed_network *allowed;
};

struct address_rule *address_rule_create(void)
{
    return calloc(1, sizeof(struct address_rule));
}

void address_rule_destroy(struct address_rule *rule)
{
    if (rule)
        free(rule->allowed);
    free(rule);
}

static enum status add_allowed(struct address_rule *rule, const struct allowed_network *allowed,
                               struct error *ret_error)
{
    if (rule->count == ADDRESS_RULE_NETWORKS_MAX)
        return error_set(ret_error, ERR_TOO_LARGE, "more than %d networks", ADDRESS_RULE_NETWORKS_MAX);
    struct allowed_network *grown = reallocarray(rule->allowed, rule->count + 1, sizeof *grown);
    if (!grown)
        return error_set(ret_error, ERR_NO_MEMORY, "address rule");
    rule->allowed = grown;
    rule->allowed[rule->count++] = *allowed;
    return OK;
}

/* The bits of byte index that belong to the network. */
static unsigned char mask_of(unsigned prefix, unsigned index)
{
    if (prefix >= (index + 1) * 8)
        return 0xFF;
    if (prefix <= index * 8)
        return 0;
    return (unsigned char)(0xFFU << (8 - prefix % 8) & 0xFF);
}

static bool network_has(const struct network *network, const unsigned char *address)
{
    for (unsigned i = 0; i * 8 < network->prefix; i++) {
        if (((network->address[i] ^ address[i]) & mask_of(network->prefix, i)) != 0)
            return false;
    }
    return true;
}

static bool has_host_bits(const struct network *network, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        if ((network->address[i] & ~mask_of(network->prefix, i)) != 0)
            return true;
    }
    return false;
}

/* "0" to "128", digits alone, no leading zero. */
static bool read_prefix(const char *text, unsigned max, unsigned *ret_prefix)
{
    size_t length = strlen(text);
    if (length == 0 || length > 3 || strspn(text, "0123456789") != length || (text[0] == '0' && length > 1))
        return false;
    unsigned long prefix = strtoul(text, NULL, 10);
    *ret_prefix = (unsigned)prefix;
    return prefix <= max;
}

enum status address_rule_allow(struct address_rule *rule, const char *network, struct error *ret_error)
{
    char text[INET6_ADDRSTRLEN];
    size_t length = strcspn(network, "/");
    if (length >= sizeof text)
        return error_set(ret_error, ERR_INVALID, "\"%.100s\" is no network address", network);
    memcpy(text, network, length);
    text[length] = '\0';

    struct allowed_network allowed = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
    const unsigned size = allowed.family == AF_INET6 ? 16 : 4;
    allowed.network.prefix = size * 8;
    if (inet_pton(allowed.family, text, allowed.network.address) != 1)
        return error_set(ret_error, ERR_INVALID, "\"%.100s\" is no network address", network);
    if (network[length] == '/' && !read_prefix(network + length + 1, size * 8, &allowed.network.prefix))
        return error_set(ret_error, ERR_INVALID, "\"%.100s\": the prefix is no number from 0 to %u", network, size * 8);
    if (has_host_bits(&allowed.network, size))
        return error_set(ret_error, ERR_INVALID, "\"%.100s\" has bits beyond its prefix", network);
    return add_allowed(rule, &allowed, ret_error);
}

enum status address_rule_allow_loopback(struct address_rule *rule)
{
    enum status status = address_rule_allow(rule, "127.0.0.0/8", NULL);
    return status == OK ? address_rule_allow(rule, "::1", NULL) : status;
}

static bool is_allowed(const struct address_rule *rule, int family, const unsigned char *address)
{
    for (size_t i = 0; i < rule->count; i++) {
        if (rule->allowed[i].family == family && network_has(&rule->allowed[i].network, address))
            return true;
    }
    return false;
}

static bool permits_ipv4(const struct address_rule *rule, const unsigned char *address)
{
    if (is_allowed(rule, AF_INET, address))
        return true;
    for (size_t i = 0; i < sizeof refused_ipv4 / sizeof refused_ipv4[0]; i++) {
        if (network_has(&refused_ipv4[i], address))
            return false;
    }
    return true;
}

static bool permits_embedded(const struct address_rule *rule, const unsigned char *address, bool *ret_embedded)
{
    *ret_embedded = false;
    for (size_t i = 0; i < sizeof embedded_ipv4 / sizeof embedded_ipv4[0]; i++) {
        if (!network_has(&embedded_ipv4[i].network, address))
            continue;
        *ret_embedded = true;
        unsigned char inner[4];
        for (unsigned k = 0; k < sizeof inner; k++) {
            unsigned char byte = address[embedded_ipv4[i].offset + k];
            inner[k] = embedded_ipv4[i].inverted ? (unsigned char)~byte : byte;
        }
        if (!permits_ipv4(rule, inner))
            return false;
    }
    return *ret_embedded;
}

static bool permits_ipv6(const struct address_rule *rule, const unsigned char *address)
{
    bool embedded;
    if (is_allowed(rule, AF_INET6, address))
        return true;
    bool permitted = permits_embedded(rule, address, &embedded);
    if (embedded)
        return permitted;
    if (!network_has(&global_ipv6, address))
        return false;
    for (size_t i = 0; i < sizeof refused_ipv6 / sizeof refused_ipv6[0]; i++) {
        if (network_has(&refused_ipv6[i], address))
            return false;
    }
    return true;
}

bool address_rule_permits(const struct address_rule *rule, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, address, sizeof ipv4);
        return permits_ipv4(rule, (const unsigned char *)&ipv4.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, address, sizeof ipv6);
        return permits_ipv6(rule, ipv6.sin6_addr.s6_addr);
    }
    return false;
}

bool address_rule_equal(const struct address_rule *a, const struct address_rule *b)
{
    bool is_equal = a->count == b->count;
    for (size_t i = 0; is_equal && i < a->count; i++)
        is_equal = a->allowed[i].family == b->allowed[i].family &&
                   a->allowed[i].network.prefix == b->allowed[i].network.prefix &&
                   memcmp(a->allowed[i].network.address, b->allowed[i].network.address,
                          sizeof a->allowed[i].network.address) == 0;
    return is_equal;
}

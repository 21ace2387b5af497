#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "model/rule/address_rule.h"

static bool permits(const struct address_rule *rule, const char *text)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&storage;
    storage.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    void *bytes = storage.ss_family == AF_INET6 ? (void *)&ipv6->sin6_addr : (void *)&ipv4->sin_addr;
    cr_assert_eq(inet_pton(storage.ss_family, text, bytes), 1, "%s", text);
    return address_rule_permits(rule, (const struct sockaddr *)&storage);
}

Test(address_rule, permits_only_what_is_globally_reachable)
{
    static const struct {
        const char *address;
        bool permitted;
    } cases[] = {
        {"1.1.1.1", true},
        {"8.8.8.8", true},
        {"93.184.216.34", true},
        {"9.255.255.255", true},
        {"11.0.0.0", true},
        {"100.63.255.255", true},
        {"100.128.0.0", true},
        {"126.255.255.255", true},
        {"128.0.0.0", true},
        {"168.63.129.15", true},
        {"169.253.255.255", true},
        {"169.255.0.0", true},
        {"172.15.255.255", true},
        {"172.32.0.0", true},
        {"192.0.1.0", true},
        {"192.167.255.255", true},
        {"192.169.0.0", true},
        {"198.17.255.255", true},
        {"198.20.0.0", true},
        {"223.255.255.255", true},
        {"2606:4700:4700::1111", true},
        {"2a00:1450:4001::1", true},
        {"2001:200::1", true},
        {"3fff:1000::1", true},

        {"0.0.0.0", false},
        {"0.1.2.3", false},
        {"10.0.0.0", false},
        {"10.255.255.255", false},
        {"100.64.0.0", false},
        {"100.100.100.200", false},
        {"100.127.255.255", false},
        {"127.0.0.1", false},
        {"127.255.255.255", false},
        {"168.63.129.16", false},
        {"169.254.169.254", false},
        {"169.254.0.0", false},
        {"169.254.255.255", false},
        {"172.16.0.0", false},
        {"172.31.255.255", false},
        {"192.0.0.0", false},
        {"192.0.0.192", false},
        {"192.0.2.1", false},
        {"192.88.99.1", false},
        {"192.168.0.0", false},
        {"192.168.255.255", false},
        {"198.18.0.0", false},
        {"198.19.255.255", false},
        {"198.51.100.1", false},
        {"203.0.113.1", false},
        {"224.0.0.1", false},
        {"239.255.255.255", false},
        {"240.0.0.1", false},
        {"255.255.255.255", false},

        {"::", false},
        {"::1", false},
        {"::2", false},
        {"fc00::1", false},
        {"fd00:ec2::254", false},
        {"fe80::1", false},
        {"febf::1", false},
        {"fec0::1", false},
        {"ff02::1", false},
        {"ff0e::1", false},
        {"2001:db8::1", false},
        {"2001:2::1", false},
        {"2001:10::1", false},
        {"2001:20::1", false},
        {"2001:1ff:ffff::1", false},
        {"3fff::1", false},
        {"3fff:fff::1", false},
        {"100::1", false},
        {"5f00::1", false},
        {"4000::1", false},
        {"1fff::1", false},
        {"e000::1", false},

        /* IPv4 inside IPv6 is judged by the IPv4 address. */
        {"::ffff:8.8.8.8", true},
        {"::ffff:127.0.0.1", false},
        {"::ffff:10.0.0.1", false},
        {"::ffff:169.254.169.254", false},
        {"::ffff:0.0.0.0", false},
        {"::8.8.8.8", true},
        {"::127.0.0.1", false},
        {"::10.0.0.1", false},
        {"::ffff:0:127.0.0.1", false},
        {"::ffff:0:8.8.8.8", false},
        {"64:ff9b::8.8.8.8", true},
        {"64:ff9b::127.0.0.1", false},
        {"64:ff9b::169.254.169.254", false},
        {"64:ff9b:1::8.8.8.8", true},
        {"64:ff9b:1::10.0.0.1", false},
        {"64:ff9b:1:a00:1::", false},
        {"64:ff9b:1:a00:1::8.8.8.8", false},
        {"64:ff9b:2::8.8.8.8", false},
        {"2002:808:808::1", true},
        {"2002:7f00:1::1", false},
        {"2002:a00:1::1", false},
        {"2002:a9fe:a9fe::1", false},
        {"2002:c0a8:101::", false},
        /* Teredo: server 65.54.227.120 and client 192.0.2.45 are RFC 4380's; the client is inverted. */
        {"2001:0:4136:e378:8000:63bf:3fff:fdd2", false},
        {"2001:0:4136:e378:8000:63bf:f7f7:f7f7", true},
        {"2001:0:4136:e378:8000:63bf:80ff:fffe", false},
        {"2001:0:a00:1:8000:63bf:f7f7:f7f7", false},
    };
    AUTO(address_rule) rule = address_rule_create();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(permits(rule, cases[i].address), cases[i].permitted, "%s", cases[i].address);
}

Test(address_rule, other_families_are_refused)
{
    AUTO(address_rule) rule = address_rule_create();
    cr_assert_eq(address_rule_allow(rule, "0.0.0.0/0", NULL), OK);
    cr_assert_eq(address_rule_allow(rule, "::/0", NULL), OK);
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    struct sockaddr_storage none = {.ss_family = AF_UNSPEC};
    cr_assert_not(address_rule_permits(rule, (const struct sockaddr *)&local));
    cr_assert_not(address_rule_permits(rule, (const struct sockaddr *)&none));
}

Test(address_rule, allowed_networks_are_permitted_to_their_last_bit_and_no_further)
{
    static const char *const networks[] = {"10.1.0.0/16", "192.168.7.9", "172.16.0.0/13",
                                           "fd00:1::/32", "fe80::1",     "100.64.0.0/31"};
    static const struct {
        const char *address;
        bool permitted;
    } cases[] = {
        {"10.1.0.0", true},        {"10.1.255.255", true},     {"10.2.0.0", false},       {"10.0.255.255", false},
        {"192.168.7.9", true},     {"192.168.7.8", false},     {"172.23.255.255", true},  {"172.24.0.0", false},
        {"fd00:1:ffff::1", true},  {"fd00:2::1", false},       {"fe80::1", true},         {"fe80::2", false},
        {"100.64.0.1", true},      {"100.64.0.2", false},      {"127.0.0.1", false},      {"8.8.8.8", true},
        {"::ffff:10.1.2.3", true}, {"::ffff:10.2.2.3", false}, {"2002:a01:203::1", true}, {"64:ff9b::10.1.2.3", true},
    };
    AUTO(address_rule) rule = address_rule_create();
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        struct error error = {0};
        cr_assert_eq(address_rule_allow(rule, networks[i], &error), OK, "%s", error.message);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(permits(rule, cases[i].address), cases[i].permitted, "%s", cases[i].address);
}

Test(address_rule, every_prefix_length_splits_at_its_bit)
{
    for (unsigned prefix = 1; prefix <= 24; prefix++) {
        /* In 10.0.0.0/8, the network of all ones below the prefix would have host bits: take 10.0.0.0 itself. */
        char network[32];
        unsigned bits = 8 + prefix <= 32 ? 8 + prefix : 32;
        snprintf(network, sizeof network, "10.0.0.0/%u", bits);
        AUTO(address_rule) rule = address_rule_create();
        cr_assert_eq(address_rule_allow(rule, network, NULL), OK, "%s", network);
        struct sockaddr_in inside = {.sin_family = AF_INET};
        struct sockaddr_in outside = {.sin_family = AF_INET};
        const uint32_t host_bits = bits == 32 ? 0 : UINT32_MAX >> bits;
        inside.sin_addr.s_addr = htonl(0x0A000000U | host_bits);
        outside.sin_addr.s_addr = htonl(0x0A000000U | 1U << (32 - bits));
        cr_assert(address_rule_permits(rule, (struct sockaddr *)&inside), "%s", network);
        cr_assert_not(address_rule_permits(rule, (struct sockaddr *)&outside), "%s", network);
    }
}

Test(address_rule, loopback_is_allowed_as_a_whole_and_alone)
{
    AUTO(address_rule) rule = address_rule_create();
    cr_assert_eq(address_rule_allow_loopback(rule), OK);
    static const char *const inside[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"};
    static const char *const outside[] = {"10.0.0.1", "169.254.169.254", "::", "fe80::1", "0.0.0.0"};
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        cr_assert(permits(rule, inside[i]), "%s", inside[i]);
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        cr_assert_not(permits(rule, outside[i]), "%s", outside[i]);
}

Test(address_rule, bad_networks_are_refused)
{
    static const char *const networks[] = {
        "",
        "/",
        "/8",
        "10",
        "10.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/8 ",
        " 10.0.0.0/8",
        "10.0.0.0/8/8",
        "10.0.0.0/x",
        "10.0.0.0/255.0.0.0",
        "10.0.0.1/8",
        "10.0.0.0/0x8",
        "256.0.0.0/8",
        "010.0.0.0/8",
        "0x0a.0.0.0/8",
        "10.0.0.0/999999999999",
        "localhost",
        "example.com",
        "fd00::/129",
        "fd00::1/8",
        "fd00::/",
        "fd00:::/8",
        "[fd00::]/8",
        "fe80::1%eth0",
        "::ffff:10.0.0.0/8",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "1/0",
        "0.0.0.1/0",
    };
    AUTO(address_rule) rule = address_rule_create();
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        struct error error = {0};
        cr_assert_eq(address_rule_allow(rule, networks[i], &error), ERR_INVALID, "%s", networks[i]);
        cr_assert_neq(error.message[0], '\0');
    }
    cr_assert_not(permits(rule, "10.0.0.1"), "nothing was allowed");
}

Test(address_rule, has_a_maximum_of_networks)
{
    AUTO(address_rule) rule = address_rule_create();
    for (int i = 0; i < ADDRESS_RULE_NETWORKS_MAX; i++)
        cr_assert_eq(address_rule_allow(rule, "10.0.0.0/8", NULL), OK);
    cr_assert_eq(address_rule_allow(rule, "10.0.0.0/8", NULL), ERR_TOO_LARGE);
    cr_assert_eq(address_rule_allow_loopback(rule), ERR_TOO_LARGE);
}

Test(address_rule, rules_are_equal_when_they_allow_the_same)
{
    AUTO(address_rule) first = address_rule_create();
    AUTO(address_rule) second = address_rule_create();
    cr_expect(address_rule_equal(first, second));
    address_rule_allow(first, "10.0.0.0/8", NULL);
    cr_expect_not(address_rule_equal(first, second));
    address_rule_allow(second, "10.0.0.0/9", NULL);
    cr_expect_not(address_rule_equal(first, second));
}

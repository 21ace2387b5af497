#ifndef MODEL_RULE_ADDRESS_RULE_H
#define MODEL_RULE_ADDRESS_RULE_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * Which network addresses a provider may have, judged at connect time so that DNS cannot change its mind afterwards.
 * Refused unless allowed: everything that is not globally reachable (IANA special-purpose registries, RFC 6890):
 * this-network, private, CGNAT, loopback, link-local with the cloud metadata addresses, benchmarking, documentation,
 * multicast, reserved; IPv6 unspecified, loopback, ULA, link-local, site-local, multicast, documentation; and IPv4
 * inside IPv6 (mapped, compatible, NAT64 64:ff9b::/96 and 64:ff9b:1::/48, 6to4, Teredo) judged by the IPv4 address
 * within.
 */
struct address_rule;

enum { ADDRESS_RULE_NETWORKS_MAX = 256 };

struct address_rule *address_rule_create(void);
void address_rule_destroy(struct address_rule *rule);
AUTO_DEFINE(address_rule);

/* "10.0.0.0/8", "fd00::/8" or a single address. ERR_INVALID; host bits beyond the prefix are an error. */
enum status address_rule_allow(struct address_rule *rule, const char *network, struct error *ret_error);
/* 127.0.0.0/8 and ::1 (allowLoopbackHttp, and loopback servers behind TLS in tests). */
enum status address_rule_allow_loopback(struct address_rule *rule);

/* AF_INET and AF_INET6; every other family is refused. */
bool address_rule_permits(const struct address_rule *rule, const struct sockaddr *address);

/* Whether both allow the same networks, in the order they were allowed in. */
bool address_rule_equal(const struct address_rule *a, const struct address_rule *b);

#endif

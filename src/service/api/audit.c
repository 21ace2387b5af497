#include "service/api/audit.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log/log.h"
#include "model/catalog/tenant.h"
#include "service/redirect/line_limit.h"

struct audit_slot {
    const struct token_entry *entry;
    uint64_t generation;
    pid_t pid;
    uid_t uid;
};

struct audit {
    struct audit_slot slots[AUDIT_SLOTS];
    struct line_limit *served;
    struct line_limit *denied;
};

static void log_rest_of_served(const char *user, uint64_t count)
{
    log_notice("audit: %s, %" PRIu64 " more tokens within a minute", user, count);
}

static void log_rest_of_denied(const char *user, uint64_t count)
{
    log_notice("denied: %s, %" PRIu64 " more within a minute", user, count);
}

struct audit *audit_create(struct event_loop *loop)
{
    AUTO(audit) audit = calloc(1, sizeof *audit);
    if (!audit)
        return NULL;
    audit->served = line_limit_create(loop, AUDIT_SERVED_LINES, log_rest_of_served);
    audit->denied = line_limit_create(loop, AUDIT_DENIED_LINES, log_rest_of_denied);
    return audit->served && audit->denied ? TAKE(audit) : NULL;
}

void audit_destroy(struct audit *audit)
{
    if (!audit)
        return;
    line_limit_destroy(audit->served);
    line_limit_destroy(audit->denied);
    free(audit);
}

/* Multiplicative hashing (Knuth); a collision costs a line that stands twice. */
static struct audit_slot *slot_of(struct audit *audit, const struct token_entry *entry, pid_t pid)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)entry ^ ((uint64_t)pid << 40)) * UINT64_C(0x9E3779B97F4A7C15);
    return &audit->slots[mixed >> 54];
}
_Static_assert(AUDIT_SLOTS == 1 << 10, "slot_of() takes the upper ten bits");

void audit_token_served(struct audit *audit, struct http_call *call, const struct token_entry *entry)
{
    const struct peer *peer = http_call_peer(call);
    uint64_t generation = token_entry_generation(entry);
    struct audit_slot *slot = slot_of(audit, entry, peer->pid);
    if (slot->entry == entry && slot->generation == generation && slot->pid == peer->pid && slot->uid == peer->uid)
        return;
    *slot = (struct audit_slot){.entry = entry, .generation = generation, .pid = peer->pid, .uid = peer->uid};
    if (!line_limit_take(audit->served, peer->uid))
        return;
    http_call_find_peer_unit(call);
    peer = http_call_peer(call);
    const struct connection *connection = token_entry_connection(entry);
    const char *tenant = connection_tenant(connection);
    bool is_default = tenant_is_default(tenant);
    log_notice("audit: token of %s%s%s, generation %" PRIu64 ", to uid %u, pid %d, unit %s", is_default ? "" : tenant,
               is_default ? "" : "/", connection_name(connection), generation, (unsigned)peer->uid, (int)peer->pid,
               peer->unit ? peer->unit : "-");
}

void audit_denied(struct audit *audit, const struct peer *peer, const char *what)
{
    if (line_limit_take(audit->denied, peer->uid))
        log_notice("denied: uid %lu, pid %ld may not use %s", (unsigned long)peer->uid, (long)peer->pid, what);
}

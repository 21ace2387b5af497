#include "service/audit.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

struct audit_slot {
    const struct token_entry *entry;
    uint64_t generation;
    pid_t pid;
    uid_t uid;
};

struct audit {
    struct audit_slot slots[AUDIT_SLOTS];
    int64_t second;       /* that lines counts for */
    unsigned lines;
    uint64_t left_out;
};

struct audit *audit_create(void)
{
    return calloc(1, sizeof(struct audit));
}

void audit_destroy(struct audit *audit)
{
    free(audit);
}

/* Multiplicative hashing (Knuth); a collision costs a line that stands twice. */
static struct audit_slot *slot_of(struct audit *audit, const struct token_entry *entry, pid_t pid)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)entry ^ ((uint64_t)pid << 40)) * UINT64_C(0x9E3779B97F4A7C15);
    return &audit->slots[mixed >> 54];
}
_Static_assert(AUDIT_SLOTS == 1 << 10, "slot_of() takes the upper ten bits");

static bool may_log(struct audit *audit)
{
    int64_t now = clock_wall();
    if (now != audit->second) {
        if (audit->left_out > 0)
            log_notice("audit: %" PRIu64 " more tokens were handed out than there was room for lines", audit->left_out);
        audit->second = now;
        audit->lines = 0;
        audit->left_out = 0;
    }
    if (audit->lines++ < AUDIT_LINES_PER_SECOND)
        return true;
    audit->left_out++;
    return false;
}

void audit_token_served(struct audit *audit, struct http_call *call, const struct token_entry *entry)
{
    const struct peer *peer = http_call_peer(call);
    uint64_t generation = token_entry_generation(entry);
    struct audit_slot *slot = slot_of(audit, entry, peer->pid);
    if (slot->entry == entry && slot->generation == generation && slot->pid == peer->pid && slot->uid == peer->uid)
        return;
    *slot = (struct audit_slot){.entry = entry, .generation = generation, .pid = peer->pid, .uid = peer->uid};
    if (!may_log(audit))
        return;
    http_call_find_peer_unit(call);
    peer = http_call_peer(call);
    log_notice("audit: token of %s, generation %" PRIu64 ", to uid %u, pid %d, unit %s",
               connection_name(token_entry_connection(entry)), generation, (unsigned)peer->uid, (int)peer->pid,
               peer->unit ? peer->unit : "-");
}

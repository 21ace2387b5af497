#ifndef MODEL_RULE_ACCESS_RULE_H
#define MODEL_RULE_ACCESS_RULE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * Who may ask for a connection's token: "allow": {"users": ["web", 1001], "groups": […], "units": ["web.service"]}.
 * Any match allows. Root and the daemon's own user are always allowed. Without "allow" only these and
 * members of group "iclientd". An "allow" that is there but empty allows nobody else.
 */
struct access_rule;

/* The process on the other end, as the kernel tells (SO_PEERCRED, SO_PEERGROUPS, the pid's cgroup). */
struct peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;
    const gid_t *groups; /* supplementary, borrowed */
    size_t group_count;
    const char *unit; /* systemd unit, NULL when not known or not looked up */
};

/* A user or a group by name. */
struct identity_name {
    const char *name;
    bool is_group;
};

/*
 * Names are looked up when the rule is made (I/O, so handed in). ERR_NOT_FOUND: no such name. ERR_IO: who knows the
 * names could not be asked. ERR_TIMEOUT: no answer in time.
 */
struct identity_resolver {
    enum status (*find)(void *context, const struct identity_name *name, unsigned *ret_id);
    uid_t own_uid; /* the daemon's effective user */
    /*
     * True: a name that was not found is no error. The rule keeps it, and it matches nobody until access_rule_learn().
     * A daemon that starts before the host's directory service is then no worse off than one that starts after it.
     */
    bool keeps_unknown;
    /* Set at the first ERR_TIMEOUT, and from then on nobody is asked; NULL: that holds for one rule at a time. */
    bool *is_silent;
    void *context;
};
/* find(), if it is worth asking. */
enum status identity_resolver_find(const struct identity_resolver *resolve, const struct identity_name *name,
                                   unsigned *ret_id);

enum { ACCESS_ENTRIES_MAX = 256 };

/*
 * allow: the JSON object, or NULL for the default rule. resolve NULL: names are checked for form only and match nobody.
 * ERR_INVALID names the member: an unknown one, a wrong type, a name that was not found, too many entries.
 * In the default rule a missing group "iclientd" is no error.
 */
enum status access_rule_from_json(const json_t *allow, const struct identity_resolver *resolve,
                                  struct access_rule **ret_rule, struct error *ret_error);
void access_rule_destroy(struct access_rule *rule);
AUTO_DEFINE(access_rule);

/* The names that it keeps, of which nobody knew the ids. Borrowed until access_rule_learn(). */
size_t access_rule_unknown_count(const struct access_rule *rule);
struct identity_name access_rule_unknown_at(const struct access_rule *rule, size_t index);
/* From now on the name, if it is one of those, matches id. */
void access_rule_learn(struct access_rule *rule, const struct identity_name *name, unsigned id);
/* For who goes through many rules. */
typedef void access_rule_visit(void *context, struct access_rule *rule);

/* By user, group or unit. */
bool access_rule_allows(const struct access_rule *rule, const struct peer *peer);
/* By user or group alone: what the kernel said at the start, whatever became of the process. */
bool access_rule_allows_user(const struct access_rule *rule, const struct peer *peer);
/* True when the rule names units, so that the caller has to find the peer's before it asks. */
bool access_rule_needs_unit(const struct access_rule *rule);

#endif

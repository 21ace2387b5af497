#include <criterion/criterion.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/peer_identity.h"

Test(peer_identity, tells_who_is_at_the_other_end)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct peer_identity identity;
    struct error error;
    cr_assert_eq(peer_identity_read(pair[0], &identity, &error), OK, "%s", error.message);
    cr_assert_eq(identity.peer.uid, geteuid());
    cr_assert_eq(identity.peer.gid, getegid());
    cr_assert_eq(identity.peer.pid, getpid());
    cr_assert_null(identity.peer.unit);
    peer_identity_find_unit(&identity, pair[0]);
    cr_assert(identity.unit_looked_up);
    peer_identity_finish(&identity);
    close(pair[0]);
    close(pair[1]);
}

Test(peer_identity, reads_any_number_of_groups)
{
    if (geteuid() != 0)
        cr_skip_test("only root may set groups");
    static const size_t counts[] = {0, 1, 64, 65, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        gid_t groups[1000];
        for (size_t j = 0; j < counts[i]; j++)
            groups[j] = (gid_t)(5000 + j);
        cr_assert_eq(setgroups(counts[i], groups), 0);
        int pair[2];
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        struct peer_identity identity;
        cr_assert_eq(peer_identity_read(pair[0], &identity, NULL), OK);
        cr_assert_eq(identity.peer.group_count, counts[i]);
        if (counts[i] > 0)
            cr_assert_eq(memcmp(identity.peer.groups, groups, counts[i] * sizeof groups[0]), 0);
        peer_identity_finish(&identity);
        close(pair[0]);
        close(pair[1]);
    }
}

Test(peer_identity, descriptor_without_a_peer_is_an_error)
{
    struct peer_identity identity;
    struct error error;
    int pipes[2];
    cr_assert_eq(pipe(pipes), 0);
    cr_assert_eq(peer_identity_read(pipes[0], &identity, &error), ERR_IO);
    close(pipes[0]);
    close(pipes[1]);
}

Test(peer_identity, unit_of_a_process_that_ended_is_not_known)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct peer_identity identity;
    cr_assert_eq(peer_identity_read(pair[0], &identity, NULL), OK);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    identity.peer.pid = child;
    peer_identity_find_unit(&identity, pair[0]);
    cr_assert_null(identity.peer.unit);
    peer_identity_finish(&identity);
    close(pair[0]);
    close(pair[1]);
}

Test(peer_identity, resolver_knows_users_and_groups_by_name)
{
    struct identity_resolver resolver = peer_identity_resolver();
    uid_t uid = 1;
    gid_t gid = 1;
    cr_assert_eq(resolver.own_uid, geteuid());
    cr_assert(resolver.user(resolver.context, "root", &uid));
    cr_assert_eq(uid, 0);
    cr_assert(resolver.group(resolver.context, "root", &gid));
    cr_assert_eq(gid, 0);
    cr_assert_not(resolver.user(resolver.context, "no-such-user-here", &uid));
    cr_assert_not(resolver.group(resolver.context, "no-such-group-here", &gid));
}

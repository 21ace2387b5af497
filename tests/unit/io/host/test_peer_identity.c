#include <criterion/criterion.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/host/peer_identity.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static bool is_old_kernel;

/* In the place of the library's: a kernel before 6.5 does not know SO_PEERPIDFD. */
int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size)
{
    if (is_old_kernel && level == SOL_SOCKET && option == SO_PEERPIDFD) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return (int)syscall(SYS_getsockopt, fd, level, option, value, size);
}

/* A process that connected and waits for its end, and the socket it was accepted on. */
struct connector {
    pid_t pid;
    int fd;
    struct peer_identity identity;
};

static void connector_start(struct connector *connector, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX}; /* abstract, given by the kernel */
    socklen_t size = sizeof address;
    int listening = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(listening, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path)), 0);
    cr_assert_eq(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    cr_assert_eq(listen(listening, 1), 0);
    connector->pid = fork();
    if (connector->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, name);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, size) == 0)
            pause();
        _exit(1);
    }
    connector->fd = accept(listening, NULL, NULL);
    close(listening);
    cr_assert_eq(peer_identity_read(connector->fd, &connector->identity, NULL), OK);
    cr_assert_eq(connector->identity.peer.pid, connector->pid);
}

static void connector_end(struct connector *connector)
{
    kill(connector->pid, SIGKILL);
    waitpid(connector->pid, NULL, 0);
}

static void connector_finish(struct connector *connector)
{
    peer_identity_finish(&connector->identity);
    close(connector->fd);
}

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
    cr_assert_not(identity.was_searched);
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

Test(peer_identity, connector_is_there_until_it_ends)
{
    for (int i = 0; i < 2; i++) {
        is_old_kernel = i > 0;
        struct connector connector;
        connector_start(&connector, "connector");
        cr_expect(peer_identity_is_there(&connector.identity, connector.fd));
        kill(connector.pid, SIGKILL);
        siginfo_t ended;
        cr_assert_eq(waitid(P_PID, (id_t)connector.pid, &ended, WEXITED | WNOWAIT), 0);
        cr_expect(is_old_kernel || !peer_identity_is_there(&connector.identity, connector.fd), "a zombie is not there");
        connector_end(&connector);
        cr_expect_not(peer_identity_is_there(&connector.identity, connector.fd));
        connector_finish(&connector);
    }
}

Test(peer_identity, unit_of_a_process_that_ended_is_not_known)
{
    for (int i = 0; i < 2; i++) {
        is_old_kernel = i > 0;
        struct connector connector;
        connector_start(&connector, "connector");
        connector_end(&connector);
        peer_identity_find_unit(&connector.identity, connector.fd);
        cr_expect_null(connector.identity.peer.unit);
        cr_expect(connector.identity.was_searched, "it could have been hidden");
        /* What was seen before the end is forgotten. */
        connector.identity.unit = strdup("web.service");
        connector.identity.peer.unit = connector.identity.unit;
        peer_identity_find_unit(&connector.identity, connector.fd);
        cr_expect_null(connector.identity.peer.unit);
        connector_finish(&connector);
    }
}

Test(peer_identity, number_that_was_used_again_is_another_process)
{
    struct connector connector;
    connector_start(&connector, "connector");
    struct peer_identity *identity = &connector.identity;
    /* With a pidfd neither is asked: it is the process. */
    int64_t accepted_at = identity->read_at;
    identity->read_at = 1;
    cr_expect(peer_identity_is_there(identity, connector.fd));
    is_old_kernel = true;
    cr_expect_not(peer_identity_is_there(identity, connector.fd), "it started after the accept");
    identity->read_at = accepted_at;
    cr_expect(peer_identity_is_there(identity, connector.fd));
    identity->peer.uid++;
    cr_expect_not(peer_identity_is_there(identity, connector.fd), "it is another user's");
    connector_end(&connector);
    connector_finish(&connector);
}

/* A process chooses its name, which stands in the middle of the numbers. */
Test(peer_identity, name_of_a_process_does_not_make_it_older)
{
    is_old_kernel = true;
    int64_t before = clock_boot_ms();
    struct connector connector;
    connector_start(&connector, ") 1 1 1 1 1 1 1");
    cr_expect(peer_identity_is_there(&connector.identity, connector.fd));
    connector.identity.read_at = before - 1000;
    cr_expect_not(peer_identity_is_there(&connector.identity, connector.fd));
    connector_end(&connector);
    connector_finish(&connector);
}

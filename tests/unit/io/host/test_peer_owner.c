#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <net/if.h>
#include <poll.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/host/peer_owner.h"

enum { STRANGER = 4242 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* A listening socket on loopback; its address, and IPv4's mapped to IPv6 where wanted. */
static int listen_on(int family, union address *ret_address)
{
    *ret_address = (union address){.any = {.sa_family = (sa_family_t)family}};
    if (family == AF_INET)
        ret_address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ret_address->v6.sin6_addr = in6addr_loopback;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof *ret_address;
    if (fd < 0 ||
        bind(fd, &ret_address->any, family == AF_INET ? sizeof ret_address->v4 : sizeof ret_address->v6) < 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    cr_assert_eq(listen(fd, 16), 0);
    cr_assert_eq(getsockname(fd, &ret_address->any, &size), 0);
    return fd;
}

static void map(union address *address)
{
    struct sockaddr_in v4 = address->v4;
    address->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = v4.sin_port};
    address->v6.sin6_addr.s6_addr[10] = address->v6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(address->v6.sin6_addr.s6_addr + 12, &v4.sin_addr, 4);
}

static int connect_to(const union address *address, const char *device)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) < 0)
        cr_skip_test("this kernel lets nobody bind to a device");
    cr_assert_eq(connect(fd, &address->any, sizeof *address), 0);
    return fd;
}

static struct peer_owner *create(void)
{
    struct peer_owner *owner = NULL;
    struct error error = {0};
    if (peer_owner_create(&owner, &error) == ERR_UNSUPPORTED)
        cr_skip_test("no sock_diag here: %s", error.message);
    cr_assert(owner);
    return owner;
}

Test(peer_owner, own_connection_is_told_by_every_address_and_socket)
{
    static const struct {
        int family;
        bool is_mapped;
        const char *device;
    } cases[] = {{AF_INET, false, NULL},
                 {AF_INET6, false, NULL},
                 {AF_INET, true, NULL},
                 {AF_INET, false, "lo"},
                 {AF_INET6, false, "lo"}};
    AUTO(peer_owner) owner = create();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union address address;
        int listener = listen_on(cases[i].family, &address);
        if (listener < 0 && cases[i].family == AF_INET6)
            continue; /* a host without IPv6 */
        if (cases[i].is_mapped)
            map(&address);
        int client = connect_to(&address, cases[i].device);
        int accepted = accept(listener, NULL, NULL);
        uid_t uid = (uid_t)-1;
        cr_expect(peer_owner_find(owner, accepted, &uid), "%zu", i);
        cr_expect_eq(uid, geteuid(), "%zu", i);
        close(accepted);
        close(client);
        close(listener);
    }
}

/* A process of another user connects, and lives until it is told. */
static pid_t start_stranger(const union address *address, int until)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    char byte;
    if (setgid(STRANGER) < 0 || setuid(STRANGER) < 0)
        _exit(1);
    int fd = connect_to(address, NULL);
    ssize_t length = read(until, &byte, 1);
    close(fd);
    _exit(length < 0);
}

Test(peer_owner, another_users_connection_is_his)
{
    if (geteuid() != 0)
        cr_skip_test("only root can be another user");
    AUTO(peer_owner) owner = create();
    union address address;
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    int listener = listen_on(AF_INET, &address);
    pid_t child = start_stranger(&address, ends[0]);
    int accepted = accept(listener, NULL, NULL);
    uid_t uid = (uid_t)-1;
    cr_expect(peer_owner_find(owner, accepted, &uid));
    cr_expect_eq(uid, STRANGER);
    cr_assert_eq(write(ends[1], ".", 1), 1);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    close(accepted);
    close(listener);
}

/* The kernel would give root as the owner of a socket that nobody has open any more. */
Test(peer_owner, connection_that_was_closed_is_nobodys)
{
    AUTO(peer_owner) owner = create();
    union address address;
    int listener = listen_on(AF_INET, &address);
    int client = connect_to(&address, NULL);
    close(client);
    int accepted = accept(listener, NULL, NULL);
    uid_t uid = 4711;
    cr_expect_not(peer_owner_find(owner, accepted, &uid));
    cr_expect_eq(uid, 4711);
    close(accepted);
    close(listener);
}

Test(peer_owner, one_of_another_network_namespace_is_not_known)
{
    AUTO(peer_owner) owner = create();
    union address address;
    int listener = listen_on(AF_INET, &address);
    int client = connect_to(&address, NULL);
    int accepted = accept(listener, NULL, NULL);
    if (unshare(CLONE_NEWNET) < 0)
        cr_skip_test("no right to make a network namespace");
    AUTO(peer_owner) elsewhere = create();
    uid_t uid;
    cr_expect_not(peer_owner_find(elsewhere, accepted, &uid));
    cr_expect(peer_owner_find(owner, accepted, &uid), "a lookup is made where the netlink socket was");
    close(accepted);
    close(client);
    close(listener);
}

Test(peer_owner, what_is_no_tcp_connection_is_nobodys)
{
    AUTO(peer_owner) owner = create();
    int ends[2];
    uid_t uid;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_expect_not(peer_owner_find(owner, ends[0], &uid));
    cr_expect_not(peer_owner_find(owner, -1, &uid));
    close(ends[0]);
    close(ends[1]);
}

Test(peer_owner, destroy_takes_null)
{
    peer_owner_destroy(NULL);
}

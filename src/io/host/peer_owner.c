#include "io/host/peer_owner.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LOOPBACK_INDEX = 1, /* of "lo", in every network namespace */
    REPLY_SIZE = 1024,  /* an inet_diag_msg and its attributes have some 200 bytes */
    STALE_REPLIES_MAX = 8,
};

struct peer_owner {
    int fd;
    uint32_t sequence; /* of the last question */
};

struct question {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Writes the address as an inet_diag_sockid has it; an IPv4-mapped one is IPv4's, as its socket is. Its family. */
static uint8_t write_address(const union address *address, uint32_t words[4], uint16_t *ret_port)
{
    const uint32_t *v6 = address->v6.sin6_addr.s6_addr32;
    if (address->any.sa_family == AF_INET) {
        words[0] = address->v4.sin_addr.s_addr;
        *ret_port = address->v4.sin_port;
        return AF_INET;
    }
    *ret_port = address->v6.sin6_port;
    if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
        words[0] = v6[3];
        return AF_INET;
    }
    memcpy(words, v6, sizeof address->v6.sin6_addr);
    return AF_INET6;
}

/*
 * For the socket whose own address is source. The interface has to be named, or the kernel passes over a socket that is
 * bound to one, which any user may do (SO_BINDTODEVICE).
 */
static struct question make_question(struct peer_owner *owner, const union address *source,
                                     const union address *destination)
{
    struct question question = {
        .header = {.nlmsg_len = sizeof question,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST,
                   .nlmsg_seq = ++owner->sequence},
        .body = {.sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = UINT32_MAX,
                 .id = {.idiag_if = LOOPBACK_INDEX, .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    struct inet_diag_sockid *id = &question.body.id;
    question.body.sdiag_family = write_address(source, id->idiag_src, &id->idiag_sport);
    write_address(destination, id->idiag_dst, &id->idiag_dport);
    return question;
}

/*
 * The answer, which is there when the question has been sent: the kernel makes it within that call. An error is the
 * kernel's own (ENOENT: there is no such socket).
 */
static int ask(const struct peer_owner *owner, const struct question *question, struct inet_diag_msg *ret_answer)
{
    union {
        struct nlmsghdr header;
        char bytes[REPLY_SIZE];
    } reply;
    if (send(owner->fd, question, sizeof *question, MSG_DONTWAIT) < 0)
        return errno;
    for (int i = 0; i < STALE_REPLIES_MAX; i++) {
        ssize_t length = recv(owner->fd, &reply, sizeof reply, MSG_DONTWAIT);
        if (length < 0)
            return errno;
        if (!NLMSG_OK(&reply.header, (size_t)length))
            return EPROTO;
        if (reply.header.nlmsg_seq != question->header.nlmsg_seq)
            continue;
        const void *content = NLMSG_DATA(&reply.header);
        size_t size = reply.header.nlmsg_len;
        if (reply.header.nlmsg_type == SOCK_DIAG_BY_FAMILY && size >= NLMSG_LENGTH(sizeof *ret_answer)) {
            memcpy(ret_answer, content, sizeof *ret_answer);
            return 0;
        }
        bool is_error = reply.header.nlmsg_type == NLMSG_ERROR && size >= NLMSG_LENGTH(sizeof(struct nlmsgerr));
        int reason = is_error ? -((const struct nlmsgerr *)content)->error : 0;
        return reason != 0 ? reason : EPROTO;
    }
    return EPROTO;
}

/* A question that has no answer, as no socket has port 0: 0, or why the kernel answers none. */
static int try_family(struct peer_owner *owner, sa_family_t family)
{
    const union address nobody = {.any = {.sa_family = family}};
    struct question question = make_question(owner, &nobody, &nobody);
    struct inet_diag_msg answer = {0};
    int reason = ask(owner, &question, &answer);
    return reason == ENOENT ? 0 : reason;
}

enum status peer_owner_create(struct peer_owner **ret_owner, struct error *ret_error)
{
    AUTO(peer_owner) owner = calloc(1, sizeof *owner);
    if (!owner)
        return error_set(ret_error, ERR_NO_MEMORY, "sock_diag");
    owner->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (owner->fd < 0)
        return error_set(ret_error, ERR_UNSUPPORTED, "sock_diag: %s", strerror(errno));
    int reason = try_family(owner, AF_INET);
    (void)try_family(owner, AF_INET6); /* a kernel without IPv6 has nothing to look up there */
    if (reason != 0)
        return error_set(ret_error, ERR_UNSUPPORTED, "sock_diag: %s", strerror(reason));
    *ret_owner = TAKE(owner);
    return OK;
}

void peer_owner_destroy(struct peer_owner *owner)
{
    if (!owner)
        return;
    if (owner->fd >= 0)
        close(owner->fd);
    free(owner);
}

bool peer_owner_find(struct peer_owner *owner, int fd, uid_t *ret_uid)
{
    union address own;
    union address other;
    memset(&own, 0, sizeof own);
    memset(&other, 0, sizeof other);
    socklen_t own_size = sizeof own;
    socklen_t other_size = sizeof other;
    if (getsockname(fd, &own.any, &own_size) < 0 || getpeername(fd, &other.any, &other_size) < 0)
        return false;
    struct question question = make_question(owner, &other, &own);
    struct inet_diag_msg answer = {0};
    /* A socket that its process has closed has no inode any more, and its owner is given as 0. */
    if (ask(owner, &question, &answer) != 0 || answer.idiag_inode == 0)
        return false;
    *ret_uid = answer.idiag_uid;
    return true;
}

/*
 * For LD_PRELOAD: system calls and allocations of a program and of all its libraries that fail when told to.
 * $CALL_SHIM_FILE holds what is told (struct control), shared with the one who tells it. Nothing else is changed: the
 * calls are made as ever, seccomp and all.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SHORT = -1 }; /* in place of an errno: it goes well, for one byte */

struct control {
    char name[24]; /* of the call */
    int32_t error;
    uint32_t first;  /* the first one to fail, counted from 1 */
    uint32_t length; /* and how many; 0: nothing is counted nor fails */
    atomic_uint count;
    atomic_uint hits;
};

static struct control *control;

__attribute__((constructor)) static void attach(void)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, getenv("CALL_SHIM_FILE"), O_RDWR | O_CLOEXEC, 0);
    void *shared = (void *)syscall(SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    control = shared == MAP_FAILED ? NULL : shared;
}

/* 0: this one goes through. */
static int fault_of(const char *name)
{
    if (!control || control->length == 0 || strcmp(control->name, name) != 0)
        return 0;
    uint32_t number = atomic_fetch_add(&control->count, 1) + 1;
    if (number < control->first || number - control->first >= control->length)
        return 0;
    atomic_fetch_add(&control->hits, 1);
    return control->error;
}

/* A file is not reset; a pipe or an eventfd that nobody waits for takes the little that is written to it. */
static bool is_possible(int fd, bool is_write)
{
    static const struct {
        mode_t kind;
        bool is_write;
        int errors[8];
    } rows[] = {
        {S_IFSOCK, false, {ECONNRESET, EINTR, EAGAIN, SHORT}},
        {S_IFSOCK, true, {EPIPE, ECONNRESET, EINTR, EAGAIN, SHORT}},
        {S_IFREG, false, {EIO, EINTR, SHORT}},
        {S_IFREG, true, {EIO, ENOSPC, EINTR, SHORT}},
        {S_IFIFO, false, {EINTR, EAGAIN}},
        {0, false, {EINTR, EAGAIN}}, /* eventfd, timerfd */
    };
    struct stat stat;
    if (!control || control->length == 0 || syscall(SYS_fstat, fd, &stat) != 0)
        return false;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool fits = rows[i].kind == (stat.st_mode & S_IFMT) && rows[i].is_write == is_write;
        for (size_t k = 0; fits && rows[i].errors[k] != 0; k++) {
            if (rows[i].errors[k] == control->error)
                return true;
        }
    }
    return false;
}

/* ---- system calls ---- */

#define FAIL_IF_TOLD(name)                                                                                             \
    do {                                                                                                               \
        int error_ = fault_of(name);                                                                                   \
        if (error_ > 0) {                                                                                              \
            errno = error_;                                                                                            \
            return -1;                                                                                                 \
        }                                                                                                              \
    } while (0)

#define CALL(result, name, parameters, ...)                                                                            \
    result name parameters                                                                                             \
    {                                                                                                                  \
        FAIL_IF_TOLD(#name);                                                                                           \
        return (result)syscall(__VA_ARGS__);                                                                           \
    }

/* What moves bytes may also move fewer than it was asked to. */
#define TRANSFER(name, label, parameters, size, ...)                                                                   \
    ssize_t name parameters                                                                                            \
    {                                                                                                                  \
        int error_ = fault_of(label);                                                                                  \
        if (error_ > 0) {                                                                                              \
            errno = error_;                                                                                            \
            return -1;                                                                                                 \
        }                                                                                                              \
        if (error_ == SHORT && size > 1)                                                                               \
            size = 1;                                                                                                  \
        return (ssize_t)syscall(__VA_ARGS__);                                                                          \
    }

CALL(int, socket, (int domain, int type, int protocol), SYS_socket, domain, type, protocol)
CALL(int, socketpair, (int domain, int type, int protocol, int fds[2]), SYS_socketpair, domain, type, protocol, fds)
CALL(int, bind, (int fd, const struct sockaddr *address, socklen_t length), SYS_bind, fd, address, length)
CALL(int, listen, (int fd, int backlog), SYS_listen, fd, backlog)
CALL(int, connect, (int fd, const struct sockaddr *address, socklen_t length), SYS_connect, fd, address, length)
CALL(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags), SYS_accept4, fd, address, length,
     flags)
CALL(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *length), SYS_getsockopt, fd, level,
     option, value, length)
CALL(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t length), SYS_setsockopt, fd, level,
     option, value, length)
CALL(int, getsockname, (int fd, struct sockaddr *address, socklen_t *length), SYS_getsockname, fd, address, length)
CALL(int, getpeername, (int fd, struct sockaddr *address, socklen_t *length), SYS_getpeername, fd, address, length)
CALL(int, shutdown, (int fd, int how), SYS_shutdown, fd, how)
CALL(int, poll, (struct pollfd * fds, nfds_t count, int timeout), SYS_poll, fds, count, timeout)
CALL(int, epoll_create1, (int flags), SYS_epoll_create1, flags)
CALL(int, epoll_ctl, (int epoll, int operation, int fd, struct epoll_event *event), SYS_epoll_ctl, epoll, operation, fd,
     event)
CALL(int, epoll_wait, (int epoll, struct epoll_event *events, int count, int timeout), SYS_epoll_wait, epoll, events,
     count, timeout)
CALL(int, eventfd, (unsigned value, int flags), SYS_eventfd2, value, flags)
CALL(int, timerfd_create, (int clock, int flags), SYS_timerfd_create, clock, flags)
CALL(int, pipe2, (int fds[2], int flags), SYS_pipe2, fds, flags)
CALL(int, fsync, (int fd), SYS_fsync, fd)
CALL(int, fdatasync, (int fd), SYS_fdatasync, fd)
CALL(int, ftruncate, (int fd, off_t size), SYS_ftruncate, fd, size)
CALL(int, flock, (int fd, int operation), SYS_flock, fd, operation)
CALL(int, renameat2, (int from, const char *from_path, int to, const char *to_path, unsigned flags), SYS_renameat2,
     from, from_path, to, to_path, flags)
CALL(int, unlink, (const char *path), SYS_unlink, path)
CALL(int, mkdir, (const char *path, mode_t mode), SYS_mkdir, path, mode)
CALL(int, fstat, (int fd, struct stat *ret_stat), SYS_fstat, fd, ret_stat)
CALL(int, lstat, (const char *path, struct stat *ret_stat), SYS_lstat, path, ret_stat)
CALL(int, fstatat, (int folder, const char *path, struct stat *ret_stat, int flags), SYS_newfstatat, folder, path,
     ret_stat, flags)
CALL(int, stat, (const char *path, struct stat *ret_stat), SYS_stat, path, ret_stat)

TRANSFER(read, is_possible(fd, false) ? "read" : "", (int fd, void *bytes, size_t size), size, SYS_read, fd, bytes,
         size)
TRANSFER(write, is_possible(fd, true) ? "write" : "", (int fd, const void *bytes, size_t size), size, SYS_write, fd,
         bytes, size)
TRANSFER(recv, "recv", (int fd, void *bytes, size_t size, int flags), size, SYS_recvfrom, fd, bytes, size, flags, NULL,
         NULL)
TRANSFER(send, "send", (int fd, const void *bytes, size_t size, int flags), size, SYS_sendto, fd, bytes, size, flags,
         NULL, 0)
TRANSFER(sendto, "send",
         (int fd, const void *bytes, size_t size, int flags, const struct sockaddr *address, socklen_t length), size,
         SYS_sendto, fd, bytes, size, flags, address, length)
TRANSFER(pread64, "pread", (int fd, void *bytes, size_t size, off_t at), size, SYS_pread64, fd, bytes, size, at)
TRANSFER(pwrite64, "pwrite", (int fd, const void *bytes, size_t size, off_t at), size, SYS_pwrite64, fd, bytes, size,
         at)

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    FAIL_IF_TOLD("writev");
    return (ssize_t)syscall(SYS_writev, fd, parts, count);
}

/* What is closed is gone, whatever close() says (close(2)). */
int close(int fd)
{
    int result = (int)syscall(SYS_close, fd);
    FAIL_IF_TOLD("close");
    return result;
}

int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    /* Giving up a lock takes nothing that could be missing (but the kernel's own memory). */
    bool is_unlock = command == F_SETLK && ((const struct flock *)argument)->l_type == F_UNLCK;
    if (!is_unlock)
        FAIL_IF_TOLD("fcntl");
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

static int open_at(int folder, const char *path, int flags, va_list arguments)
{
    FAIL_IF_TOLD("open");
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int fd = open_at(AT_FDCWD, path, flags, arguments);
    va_end(arguments);
    return fd;
}

int openat64(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int fd = open_at(folder, path, flags, arguments);
    va_end(arguments);
    return fd;
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off_t at)
{
    int error = fault_of("mmap");
    if (error > 0) {
        errno = error;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, at);
}

/* The other names that they have, of -D_FORTIFY_SOURCE and of files below 2 GiB. */
#define ALIAS(of) __attribute__((alias(#of), copy(of)))
extern __typeof__(pread64) pread ALIAS(pread64);
extern __typeof__(pwrite64) pwrite ALIAS(pwrite64);
extern __typeof__(fcntl64) fcntl ALIAS(fcntl64);
extern __typeof__(open64) open ALIAS(open64);
extern __typeof__(openat64) openat ALIAS(openat64);
extern __typeof__(mmap64) mmap ALIAS(mmap64);
extern __typeof__(ftruncate) ftruncate64 ALIAS(ftruncate);
extern __typeof__(fstat) fstat64_alias __asm__("fstat64") ALIAS(fstat);
extern __typeof__(stat) stat64_alias __asm__("stat64") ALIAS(stat);
extern __typeof__(lstat) lstat64_alias __asm__("lstat64") ALIAS(lstat);

ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room);
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room)
{
    return size > room ? (abort(), -1) : read(fd, bytes, size);
}

ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room, int flags);
ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room, int flags)
{
    return size > room ? (abort(), -1) : recv(fd, bytes, size, flags);
}

ssize_t __pread64_chk(int fd, void *bytes, size_t size, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *bytes, size_t size, off_t at, size_t room)
{
    return size > room ? (abort(), -1) : pread64(fd, bytes, size, at);
}

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
    return count > room / sizeof *fds ? (abort(), -1) : poll(fds, count, timeout);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
    return open64(path, flags);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open64(path, flags);
}

int __openat64_2(int folder, const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags)
{
    return openat64(folder, path, flags);
}

int __openat_2(int folder, const char *path, int flags);
int __openat_2(int folder, const char *path, int flags)
{
    return openat64(folder, path, flags);
}

/* ---- memory ---- */

#if !defined(WITHOUT_MEMORY) /* a sanitizer brings its own */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t number, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

#define ALLOCATION(name, parameters, call)                                                                             \
    void *name parameters                                                                                              \
    {                                                                                                                  \
        if (fault_of("malloc")) {                                                                                      \
            errno = ENOMEM;                                                                                            \
            return NULL;                                                                                               \
        }                                                                                                              \
        return call;                                                                                                   \
    }

ALLOCATION(malloc, (size_t size), __libc_malloc(size))
ALLOCATION(calloc, (size_t number, size_t size), __libc_calloc(number, size))
ALLOCATION(realloc, (void *block, size_t size), __libc_realloc(block, size))
ALLOCATION(memalign, (size_t alignment, size_t size), __libc_memalign(alignment, size))
ALLOCATION(aligned_alloc, (size_t alignment, size_t size), __libc_memalign(alignment, size))

int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    void *block = memalign(alignment, size);
    if (!block)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

#endif

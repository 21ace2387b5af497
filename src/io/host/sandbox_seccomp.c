#include "io/host/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* clang-format off */

/* By name, as the library knows each architecture's: what this one lacks is passed over. */
static const char *const allowed[] = {
    /* files and directories */
    "access", "chmod", "close", "close_range", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64",
    "fallocate", "fchmod", "fchmodat", "fchown", "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync",
    "ftruncate", "getcwd", "getdents64", "link", "linkat", "lseek", "lstat", "newfstatat", "open", "openat", "openat2",
    "pread64", "preadv", "pwrite64", "pwritev", "read", "readahead", "readlink", "readlinkat", "readv", "rename",
    "renameat", "renameat2", "stat", "statfs", "statx", "sync_file_range", "umask", "unlink", "unlinkat", "write",
    "writev",
    /* waiting */
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2",
    "pause", "pipe", "pipe2", "poll", "ppoll", "pselect6", "select", "timerfd_create", "timerfd_gettime",
    "timerfd_settime",
    /* sockets that are there, and those to providers; listen() is over */
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmmsg",
    "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    /* memory and threads; clone3 is answered by the filter below this one */
    "brk", "clone3", "exit", "exit_group", "futex", "futex_waitv", "get_robust_list", "getcpu", "gettid", "madvise",
    "membarrier", "mincore", "mlock", "mlock2", "mremap", "msync", "munlock", "munmap", "restart_syscall", "rseq",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
    "sched_yield", "set_robust_list",
    /* signals */
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
    "sigaltstack",
    /* time, chance and facts */
    "clock_getres", "clock_gettime", "clock_nanosleep", "getegid", "geteuid", "getgid", "getgroups", "getpgrp",
    "getpid", "getppid", "getrandom", "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "gettimeofday",
    "getuid", "nanosleep", "sysinfo", "time", "times", "uname",
};

/* Nothing that is linked here makes one of these: whoever does has taken the process over. */
static const char *const deadly[] = {
    /* another program, another process's memory */
    "execve", "execveat", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace",
    /* another view of the machine */
    "chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount", "open_by_handle_at",
    "open_tree", "pivot_root", "setns", "umount", "umount2", "unshare",
    /* another user */
    "capset", "setfsgid", "setfsuid", "setgid", "setgroups", "setregid", "setresgid", "setresuid", "setreuid", "setuid",
    /* the kernel and the machine */
    "acct", "bpf", "clock_adjtime", "clock_settime", "delete_module", "finit_module", "init_module",
    "ioperm", "iopl", "kexec_file_load", "kexec_load", "modify_ldt", "perf_event_open", "personality",
    "quotactl", "reboot", "sethostname", "settimeofday", "swapoff", "swapon", "userfaultfd", "vhangup",
};

/* clang-format on */

/* An int has 32 bits: what stands above them in its register is nobody's. */
#define INT_IS(argument, value)                                                                                        \
    {                                                                                                                  \
        argument, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)(value)                                                    \
    }
#define BITS_ARE(argument, mask, bits)                                                                                 \
    {                                                                                                                  \
        argument, SCMP_CMP_MASKED_EQ, mask, bits                                                                       \
    }
#define SOCKET_KIND_IS(kind) BITS_ARE(1, 0xf, kind) /* beside SOCK_CLOEXEC and SOCK_NONBLOCK */

/* Allowed when every condition holds. */
static const struct {
    const char *name;
    unsigned condition_count;
    struct scmp_arg_cmp conditions[2];
} conditional[] = {
    /* A thread, never a process. */
    {"clone", 1, {BITS_ARE(0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM)}},
    /* NSS and OpenSSL load modules, but what is written is never run. */
    {"mmap", 1, {BITS_ARE(2, PROT_EXEC, 0)}},
    {"mmap", 1, {BITS_ARE(2, PROT_WRITE | PROT_EXEC, PROT_EXEC)}},
    {"mprotect", 1, {BITS_ARE(2, PROT_EXEC, 0)}},
    {"socket", 1, {INT_IS(0, AF_UNIX)}},
    {"socket", 2, {INT_IS(0, AF_INET), SOCKET_KIND_IS(SOCK_STREAM)}},
    {"socket", 2, {INT_IS(0, AF_INET), SOCKET_KIND_IS(SOCK_DGRAM)}},
    {"socket", 2, {INT_IS(0, AF_INET6), SOCKET_KIND_IS(SOCK_STREAM)}},
    {"socket", 2, {INT_IS(0, AF_INET6), SOCKET_KIND_IS(SOCK_DGRAM)}},
    /* getaddrinfo() looks at this host's addresses. */
    {"socket", 2, {INT_IS(0, AF_NETLINK), INT_IS(2, NETLINK_ROUTE)}},
    {"socketpair", 1, {INT_IS(0, AF_UNIX)}},
    {"ioctl", 1, {INT_IS(1, FIONBIO)}},
    {"ioctl", 1, {INT_IS(1, FIONREAD)}},
    {"ioctl", 1, {INT_IS(1, SIOCGIFINDEX)}},
    {"ioctl", 1, {INT_IS(1, TCGETS)}},
    {"prctl", 1, {INT_IS(0, PR_SET_NAME)}},
    /* Looking at one's limits, not changing them. */
    {"prlimit64", 1, {{2, SCMP_CMP_EQ, 0, 0}}},
};

/* 0, or a negative errno, as everything of this library. */
static int add_call(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned condition_count,
                    const struct scmp_arg_cmp *conditions)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number < 0) /* __NR_SCMP_ERROR, or one that this architecture lacks */
        return 0;
    return seccomp_rule_add_array(filter, action, number, condition_count, conditions);
}

static int add_calls(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < count; i++)
        result = add_call(filter, action, names[i], 0, NULL);
    return result;
}

static int add_conditional(scmp_filter_ctx filter)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof conditional / sizeof *conditional; i++)
        result = add_call(filter, SCMP_ACT_ALLOW, conditional[i].name, conditional[i].condition_count,
                          conditional[i].conditions);
    return result;
}

/* abort() signals the thread that calls it; no other process is signalled. */
static int add_own_signals(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp own = INT_IS(0, getpid());
    return add_call(filter, SCMP_ACT_ALLOW, "tgkill", 1, &own);
}

static int set_attributes(scmp_filter_ctx filter, bool is_logged)
{
    const struct {
        enum scmp_filter_attr attribute;
        uint32_t value;
    } attributes[] = {
        {SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS},
        {SCMP_FLTATR_CTL_TSYNC, 1},
        {SCMP_FLTATR_CTL_LOG, is_logged},
        {SCMP_FLTATR_CTL_OPTIMIZE, 2}, /* a tree instead of one comparison after the other */
    };
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof attributes / sizeof *attributes; i++)
        result = seccomp_attr_set(filter, attributes[i].attribute, attributes[i].value);
    return result;
}

/*
 * A filter cannot look into clone3's arguments, and the C library takes ENOSYS alone for a reason to use clone. A
 * filter of its own, as each new thread's would be a line in the kernel's log.
 */
static int load_clone_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return -ENOMEM;
    int result = set_attributes(filter, false);
    if (result == 0)
        result = add_call(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}

static int load_call_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return -ENOMEM;
    int result = set_attributes(filter, true);
    if (result == 0)
        result = add_calls(filter, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof *allowed);
    if (result == 0)
        result = add_conditional(filter);
    if (result == 0)
        result = add_own_signals(filter);
    if (result == 0)
        result = add_calls(filter, SCMP_ACT_KILL_PROCESS, deadly, sizeof deadly / sizeof *deadly);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}

enum status sandbox_limit_calls(struct error *ret_error)
{
    if (prctl(PR_GET_SECCOMP) < 0)
        return error_set(ret_error, ERR_UNSUPPORTED, "seccomp: the kernel was built without it");
    int result = load_clone_filter();
    if (result == 0)
        result = load_call_filter();
    if (result == 0)
        return OK;
    return error_set(ret_error, result == -ENOMEM ? ERR_NO_MEMORY : ERR_IO, "seccomp: %s", strerror(-result));
}

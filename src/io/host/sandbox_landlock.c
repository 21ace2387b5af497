#include "io/host/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* What Debian 12's header, at ABI 2, does not name yet. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* ABI 3 */
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0) /* ABI 4 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1) /* ABI 6 */
#endif

enum { RULE_NET_PORT = 2 };

/* struct landlock_ruleset_attr of ABI 6; an older kernel takes it as long as what it does not know is 0. */
struct ruleset_attributes {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};

struct port_rule {
    uint64_t allowed;
    uint64_t port;
};

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define KEEP_STATE                                                                                                     \
    (READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_MAKE_REG |                \
     LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define KEEP_SOCKET (LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)
/* The rights that a rule for something other than a directory may carry. */
#define OF_ONE_FILE                                                                                                    \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |                       \
     LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_IOCTL_DEV)
/* Bits 0 to 12 are ABI 1's; moving between directories (ABI 2) is refused by every ABI that cannot be told about it. */
#define FIRST_RIGHTS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* What is asked for, and the ABI that knows it. */
static const struct {
    int abi;
    struct ruleset_attributes refused;
} refusals[] = {
    {1, {.files = FIRST_RIGHTS}},
    {2, {.files = LANDLOCK_ACCESS_FS_REFER}},
    {3, {.files = LANDLOCK_ACCESS_FS_TRUNCATE}},
    {4, {.network = LANDLOCK_ACCESS_NET_BIND_TCP}},
    {5, {.files = LANDLOCK_ACCESS_FS_IOCTL_DEV}},
    {6, {.scoped = LANDLOCK_SCOPE_SIGNAL}},
};

/* What an older ABI than the named one leaves out. */
static const struct {
    int abi;
    const char *gap;
} gaps[] = {
    {3, "truncating files, binding TCP ports, device controls and signals to other processes"},
    {4, "binding TCP ports, device controls and signals to other processes"},
    {5, "device controls and signals to other processes"},
    {6, "signals to other processes"},
};

struct ruleset {
    int fd;
    struct ruleset_attributes refused;
};

static void ruleset_finish(struct ruleset *ruleset)
{
    if (ruleset->fd >= 0)
        close(ruleset->fd);
}

static enum status find_abi(int *ret_abi, struct error *ret_error)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi >= 1) {
        *ret_abi = (int)abi;
        return OK;
    }
    /* EPERM: a container's own system call filter from before Landlock. */
    bool is_missing = errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM;
    return error_set(ret_error, is_missing ? ERR_UNSUPPORTED : ERR_IO, "Landlock: %s", strerror(errno));
}

static enum status ruleset_init(struct ruleset *ruleset, int abi, struct error *ret_error)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals && refusals[i].abi <= abi; i++) {
        ruleset->refused.files |= refusals[i].refused.files;
        ruleset->refused.network |= refusals[i].refused.network;
        ruleset->refused.scoped |= refusals[i].refused.scoped;
    }
    ruleset->fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset->refused, sizeof ruleset->refused, 0);
    return ruleset->fd >= 0 ? OK : error_set(ret_error, ERR_IO, "Landlock: %s", strerror(errno));
}

static bool add_path(const struct ruleset *ruleset, const char *path, uint64_t allowed)
{
    struct landlock_path_beneath_attr rule = {.parent_fd = open(path, O_PATH | O_CLOEXEC)};
    struct stat found;
    if (rule.parent_fd < 0)
        return false;
    bool is_added = fstat(rule.parent_fd, &found) == 0;
    if (!S_ISDIR(found.st_mode))
        allowed &= OF_ONE_FILE;
    rule.allowed_access = allowed & ruleset->refused.files;
    is_added = is_added && syscall(SYS_landlock_add_rule, ruleset->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    int reason = errno;
    close(rule.parent_fd);
    errno = reason;
    return is_added;
}

/*
 * Everything in the root directory but the machine's raw side. One that cannot be opened remains unreadable, as does
 * one that is made later.
 */
static enum status allow_reading(const struct ruleset *ruleset, struct error *ret_error)
{
    static const char *const shut[] = {".", "..", "boot", "dev", "sys"};
    /* Beside what libraries open: where a hidden peer's unit is found. */
    static const char *const exceptions[] = {"/dev/null",    "/dev/random", "/dev/shm",
                                             "/dev/urandom", "/dev/zero",   "/sys/fs/cgroup"};
    DIR *root = opendir("/");
    if (!root)
        return error_set(ret_error, ERR_IO, "/: %s", strerror(errno));
    for (const struct dirent *entry; (entry = readdir(root)) != NULL;) {
        char path[sizeof entry->d_name + 1] = "/";
        size_t i = 0;
        while (i < sizeof shut / sizeof *shut && strcmp(entry->d_name, shut[i]) != 0)
            i++;
        if (i == sizeof shut / sizeof *shut)
            (void)add_path(ruleset, strcat(path, entry->d_name), READ);
    }
    closedir(root);
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        (void)add_path(ruleset, exceptions[i], READ);
    return OK;
}

static enum status allow_writing(const struct ruleset *ruleset, const struct sandbox_files *files,
                                 struct error *ret_error)
{
    if (!add_path(ruleset, files->state_dir, KEEP_STATE))
        return error_set(ret_error, ERR_IO, "%s: %s", files->state_dir, strerror(errno));
    if (files->key_dir && !add_path(ruleset, files->key_dir, KEEP_STATE))
        return error_set(ret_error, ERR_IO, "%s: %s", files->key_dir, strerror(errno));
    for (size_t i = 0; i < sizeof files->socket_paths / sizeof *files->socket_paths; i++) {
        if (!files->socket_paths[i])
            continue;
        AUTO_TEXT path = strdup(files->socket_paths[i]);
        if (!path)
            return error_set(ret_error, ERR_NO_MEMORY, "no memory for the sandbox");
        const char *directory = dirname(path);
        if (!add_path(ruleset, directory, KEEP_SOCKET))
            return error_set(ret_error, ERR_IO, "%s: %s", directory, strerror(errno));
    }
    return OK;
}

static enum status allow_port(const struct ruleset *ruleset, int port, struct error *ret_error)
{
    struct port_rule rule = {.allowed = ruleset->refused.network, .port = (uint64_t)port};
    if (rule.allowed == 0 || syscall(SYS_landlock_add_rule, ruleset->fd, RULE_NET_PORT, &rule, 0) == 0)
        return OK;
    return error_set(ret_error, ERR_IO, "Landlock: TCP port %d: %s", port, strerror(errno));
}

static const char *gap_of(int abi)
{
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++)
        if (abi < gaps[i].abi)
            return gaps[i].gap;
    return NULL;
}

enum status sandbox_limit_files(const struct sandbox_files *files, const char **ret_gap, struct error *ret_error)
{
    int abi = 0;
    AUTO_FINISH(ruleset) ruleset = {.fd = -1};
    enum status status = find_abi(&abi, ret_error);
    if (status == OK)
        status = ruleset_init(&ruleset, abi, ret_error);
    if (status == OK)
        status = allow_reading(&ruleset, ret_error);
    if (status == OK)
        status = allow_writing(&ruleset, files, ret_error);
    if (status == OK)
        status = allow_port(&ruleset, files->tcp_port, ret_error);
    if (status != OK)
        return status;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, ruleset.fd, 0) != 0)
        return error_set(ret_error, ERR_IO, "Landlock: %s", strerror(errno));
    *ret_gap = gap_of(abi);
    return OK;
}

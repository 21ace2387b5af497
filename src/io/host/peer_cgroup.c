#include "io/host/peer_cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * A host has some hundred cgroups; units are three or four levels down, a few more in a user's own session. Users make
 * cgroups as well, and must not be able to make this take long.
 */
enum { LEVELS_MAX = 12, CGROUPS_MAX = 1000 };

/* Of a line of the unified hierarchy (cgroups(7)). */
#define PREFIX "0::"

struct search {
    pid_t pid;
    unsigned cgroups_left;
    char path[PATH_MAX]; /* of the cgroup that is looked into, from the hierarchy's root */
};

static bool has_process(int cgroup, pid_t pid)
{
    int fd = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *list = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!list) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool is_found = false;
    char line[32];
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%ld\n", (long)pid);
    while (!is_found && fgets(line, sizeof line, list))
        is_found = strcmp(line, wanted) == 0;
    fclose(list);
    return is_found;
}

static bool find_below(struct search *search, int take_cgroup, unsigned level);

/* Leaves the path at the cgroup that has the process, else as it was. */
static bool find_in(struct search *search, int parent, const char *name, unsigned level)
{
    size_t length = strlen(search->path);
    if (snprintf(search->path + length, sizeof search->path - length, "/%s", name) <
        (int)(sizeof search->path - length)) {
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && find_below(search, fd, level))
            return true;
    }
    search->path[length] = '\0';
    return false;
}

static bool find_below(struct search *search, int take_cgroup, unsigned level)
{
    if (level > LEVELS_MAX || search->cgroups_left == 0) {
        close(take_cgroup);
        return false;
    }
    search->cgroups_left--;
    DIR *cgroup = fdopendir(take_cgroup);
    if (!cgroup) {
        close(take_cgroup);
        return false;
    }
    bool is_found = has_process(dirfd(cgroup), search->pid);
    for (const struct dirent *entry; !is_found && (entry = readdir(cgroup)) != NULL;)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            is_found = find_in(search, dirfd(cgroup), entry->d_name, level + 1);
    closedir(cgroup);
    return is_found;
}

bool peer_cgroup_find(const char *root, pid_t pid, char text[PEER_CGROUP_TEXT_MAX])
{
    struct search search = {.pid = pid, .cgroups_left = CGROUPS_MAX};
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    /* The system's units first: so that users' cgroups never keep them from being found. */
    bool is_found = find_in(&search, fd, "system.slice", 1);
    if (is_found)
        close(fd);
    else
        is_found = find_below(&search, fd, 0);
    if (!is_found)
        return false;
    snprintf(text, PEER_CGROUP_TEXT_MAX, PREFIX "%s\n", search.path[0] ? search.path : "/");
    return true;
}

bool peer_cgroup_has(const char *root, const char *text, pid_t pid)
{
    char path[PATH_MAX];
    const char *cgroup = text + strlen(PREFIX);
    int length = snprintf(path, sizeof path, "%s%.*s", root, (int)strcspn(cgroup, "\n"), cgroup);
    int fd = length < (int)sizeof path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0)
        return false;
    bool is_in_it = has_process(fd, pid);
    close(fd);
    return is_in_it;
}

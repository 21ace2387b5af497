#include "io/store/store_ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"

enum { RETRY_FIRST_MS = 1000, RETRY_MOST_MS = 30 * 1000, BLOCK_BYTES = 512 };

static bool make_path(const char *path, char ret_path[PATH_MAX])
{
    return snprintf(ret_path, PATH_MAX, "%s.ballast", path) < PATH_MAX;
}

bool store_ballast_remove(const char *path)
{
    char file[PATH_MAX];
    return make_path(path, file) && unlink(file) == 0;
}

void store_ballast_init(struct store_ballast *ballast, const char *path)
{
    *ballast = (struct store_ballast){.path = path};
}

/* With all of its blocks: a sparse file would free nothing. */
static bool is_whole(const char *file, size_t size)
{
    struct stat found;
    return lstat(file, &found) == 0 && S_ISREG(found.st_mode) && found.st_size == (off_t)size &&
           (uint64_t)found.st_blocks * BLOCK_BYTES >= size;
}

/* posix_fallocate() writes zeros where the file system cannot allocate: either way the blocks are there. */
static int allocate(int fd, size_t size)
{
    struct statvfs room;
    if (fstatvfs(fd, &room) != 0)
        return errno;
    if ((uint64_t)room.f_bavail * room.f_frsize < 2 * (uint64_t)size)
        return ENOSPC;
    /* A quota does not show in the number of free blocks: only twice the size proves that as much is left. */
    int code = posix_fallocate(fd, 0, (off_t)(2 * size));
    if (code != 0)
        return code;
    return ftruncate(fd, (off_t)size) == 0 ? 0 : errno;
}

static int make_file(const char *file, size_t size)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return errno;
    int code = allocate(fd, size);
    close(fd);
    if (code != 0)
        unlink(file);
    return code;
}

static void wait_longer(struct store_ballast *ballast)
{
    int64_t delay = (int64_t)RETRY_FIRST_MS << (ballast->failures < 5 ? ballast->failures : 5);
    ballast->failures++;
    ballast->due = clock_boot_ms() + (delay < RETRY_MOST_MS ? delay : RETRY_MOST_MS);
}

void store_ballast_make(struct store_ballast *ballast)
{
    char file[PATH_MAX];
    if (!make_path(ballast->path, file)) {
        ballast->wanted = 0;
        return;
    }
    int code = 0;
    if (!is_whole(file, ballast->wanted)) {
        unlink(file);
        code = make_file(file, ballast->wanted);
    }
    ballast->is_there = code == 0;
    if (code != 0) {
        error_set(&ballast->trouble, code == ENOSPC || code == EDQUOT ? ERR_NO_SPACE : ERR_IO, "%s", strerror(code));
        wait_longer(ballast);
        return;
    }
    ballast->trouble = (struct error){0};
    ballast->failures = 0;
}

void store_ballast_want(struct store_ballast *ballast, size_t size)
{
    ballast->wanted = size;
    ballast->failures = 0;
    if (size > 0) {
        store_ballast_make(ballast);
        return;
    }
    store_ballast_remove(ballast->path);
    ballast->is_there = false;
    ballast->trouble = (struct error){0};
}

bool store_ballast_give_up(struct store_ballast *ballast)
{
    if (!ballast->is_there)
        return false;
    ballast->is_there = false;
    ballast->failures = 0;
    wait_longer(ballast);
    error_set(&ballast->trouble, ERR_NO_SPACE, "given up, because the disk is full");
    return store_ballast_remove(ballast->path);
}

int64_t store_ballast_delay(const struct store_ballast *ballast)
{
    if (ballast->wanted == 0 || ballast->is_there)
        return -1;
    int64_t delay = ballast->due - clock_boot_ms();
    return delay > 0 ? delay : 0;
}

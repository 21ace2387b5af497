#ifndef TEST_TEMPORARY_FOLDER_H
#define TEST_TEMPORARY_FOLDER_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of the test's own; each test is its own process. */
struct temporary_folder {
    char path[64];
};

static inline int temporary_folder_remove_entry(const char *path, const struct stat *metadata, int kind,
                                                struct FTW *where)
{
    (void)metadata, (void)kind, (void)where;
    return remove(path);
}

static inline struct temporary_folder temporary_folder_make(void)
{
    struct temporary_folder folder = {"/tmp/iclientd-test-XXXXXX"};
    cr_assert_not_null(mkdtemp(folder.path));
    return folder;
}

static inline void temporary_folder_finish(struct temporary_folder *folder)
{
    nftw(folder->path, temporary_folder_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#define TEMPORARY_FOLDER(name)                                                                                         \
    __attribute__((cleanup(temporary_folder_finish))) struct temporary_folder name = temporary_folder_make()

/* The path of a file within; good until the fourth next call. */
static inline const char *folder_path(const struct temporary_folder *folder, const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder->path, name);
    return path;
}

static inline const char *folder_write_bytes(const struct temporary_folder *folder, const char *name, mode_t mode,
                                             const void *bytes, size_t length)
{
    const char *path = folder_path(folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static inline const char *folder_write(const struct temporary_folder *folder, const char *name, mode_t mode,
                                       const char *text)
{
    return folder_write_bytes(folder, name, mode, text, strlen(text));
}

#endif

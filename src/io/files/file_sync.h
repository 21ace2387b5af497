#ifndef IO_FILES_FILE_SYNC_H
#define IO_FILES_FILE_SYNC_H

#include <stdbool.h>

/* Syncs the directory that a file stands in: only then does its new name last over a power cut. False sets errno. */
bool file_sync_directory_of(const char *path);

/* Gives a finished file its name, never over another one, and syncs it. False sets errno (EEXIST: another one came
 * first). */
bool file_publish(const char *temporary, const char *path);

#endif

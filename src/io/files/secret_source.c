#include "io/files/file_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/files/file_read.h"

/* Whoever may write the file decides what the daemon sends as its secret. */
static enum status check_permissions(const struct stat *metadata, struct error *ret_error)
{
    if (metadata->st_mode & (S_IWGRP | S_IWOTH))
        return error_set(ret_error, ERR_DENIED, "group or others may write it; chmod go-w it");
    return OK;
}

static enum status without_newline(const struct secret *bytes, struct secret **ret_secret, struct error *ret_error)
{
    const char *text = secret_reveal(bytes);
    size_t length = secret_length(bytes);
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length == 0)
        return error_set(ret_error, ERR_INVALID, "it is empty");
    struct secret *value = secret_create(text, length);
    if (!value)
        return error_set(ret_error, ERR_NO_MEMORY, "out of memory");
    *ret_secret = value;
    return OK;
}

static enum status read_secret_file(const char *path, struct secret **ret_secret, struct error *ret_error)
{
    AUTO(secret) bytes = NULL;
    struct stat metadata;
    enum status status = file_read(path, FILE_LOAD_SECRET_MAX, &bytes, &metadata, ret_error);
    if (status != OK)
        return status;
    status = check_permissions(&metadata, ret_error);
    if (status != OK)
        return status;
    return without_newline(bytes, ret_secret, ret_error);
}

static enum status read_joined(const char *directory, size_t length, const char *name, struct secret **ret_secret,
                               struct error *ret_error)
{
    AUTO_TEXT path = NULL;
    if (asprintf(&path, "%.*s/%s", (int)length, directory, name) < 0) {
        path = NULL;
        return error_set(ret_error, ERR_NO_MEMORY, "out of memory");
    }
    return read_secret_file(path, ret_secret, ret_error);
}

static enum status read_from_file(const char *document, const char *name, struct secret **ret_secret,
                                  struct error *ret_error)
{
    if (name[0] == '/')
        return read_secret_file(name, ret_secret, ret_error);
    if (document[0] == '\0')
        return error_set(ret_error, ERR_INVALID, "the path must be absolute in a document that is no file");
    const char *slash = strrchr(document, '/');
    if (!slash)
        return read_secret_file(name, ret_secret, ret_error);
    return read_joined(document, (size_t)(slash - document), name, ret_secret, ret_error);
}

/* systemd.exec(5), Credentials: a folder that only this service sees. */
static enum status read_from_credential(const char *document, const char *name, struct secret **ret_secret,
                                        struct error *ret_error)
{
    (void)document;
    if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(ret_error, ERR_INVALID, "not a credential's name");
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (!directory || directory[0] == '\0')
        return error_set(ret_error, ERR_NOT_FOUND, "systemd passed no credentials ($CREDENTIALS_DIRECTORY is not set)");
    return read_joined(directory, strlen(directory), name, ret_secret, ret_error);
}

static enum status read_from_environment(const char *document, const char *name, struct secret **ret_secret,
                                         struct error *ret_error)
{
    (void)document;
    const char *value = getenv(name);
    if (!value)
        return error_set(ret_error, ERR_NOT_FOUND, "it is not set");
    size_t length = strnlen(value, FILE_LOAD_SECRET_MAX + 1);
    if (length > FILE_LOAD_SECRET_MAX)
        return error_set(ret_error, ERR_TOO_LARGE, "larger than %d bytes", FILE_LOAD_SECRET_MAX);
    AUTO(secret) bytes = secret_create(value, length);
    if (!bytes)
        return error_set(ret_error, ERR_NO_MEMORY, "out of memory");
    return without_newline(bytes, ret_secret, ret_error);
}

static enum status read_secret(void *context, const char *file, enum secret_source source, const char *name,
                               struct secret **ret_secret, struct error *ret_error)
{
    static const struct {
        const char *word;
        enum status (*read)(const char *document, const char *name, struct secret **ret_secret,
                            struct error *ret_error);
    } sources[] = {
        [SECRET_FROM_FILE] = {"secret file", read_from_file},
        [SECRET_FROM_CREDENTIAL] = {"credential", read_from_credential},
        [SECRET_FROM_ENVIRONMENT] = {"environment variable", read_from_environment},
    };
    (void)context;
    struct error reason;
    enum status status = sources[source].read(file, name, ret_secret, &reason);
    return status == OK ? OK : error_set(ret_error, status, "%s %s: %s", sources[source].word, name, reason.message);
}

struct secret_resolver file_load_secret_resolver(void)
{
    return (struct secret_resolver){.read = read_secret};
}

#include "io/files/file_load.h"

#include <criterion/criterion.h>
#include <string.h>

#include "io/temporary_folder.h"

static enum status resolve(const char *document, enum secret_source source, const char *name,
                           struct secret **ret_secret, struct error *ret_error)
{
    struct secret_resolver resolver = file_load_secret_resolver();
    return resolver.read(resolver.context, document, source, name, ret_secret, ret_error);
}

static void assert_resolves(const char *document, enum secret_source source, const char *name, const char *expected)
{
    AUTO(secret) secret = NULL;
    struct error error = {0};
    cr_assert_eq(resolve(document, source, name, &secret, &error), OK, "%s", error.message);
    cr_assert_str_eq(secret_reveal(secret), expected);
    cr_assert_eq(secret_length(secret), strlen(expected));
}

static void assert_refused(const char *document, enum secret_source source, const char *name, enum status expected)
{
    AUTO(secret) secret = NULL;
    struct error error = {0};
    cr_assert_eq(resolve(document, source, name, &secret, &error), expected, "%s: %s", name, error.message);
    cr_assert_null(secret);
    cr_assert_not_null(strstr(error.message, name));
    cr_assert_null(strstr(error.message, "hush"));
}

Test(secret_source, relative_file_is_taken_from_the_documents_folder)
{
    TEMPORARY_FOLDER(folder);
    cr_assert_eq(mkdir(folder_path(&folder, "secrets"), 0700), 0);
    folder_write(&folder, "secrets/client", 0600, "hush");
    cr_assert_eq(mkdir(folder_path(&folder, "iclients.d"), 0700), 0);
    assert_resolves(folder_path(&folder, "a.json"), SECRET_FROM_FILE, "secrets/client", "hush");
    assert_resolves(folder_path(&folder, "iclients.d/a.json"), SECRET_FROM_FILE, "../secrets/client", "hush");
    assert_resolves("", SECRET_FROM_FILE, folder_path(&folder, "secrets/client"), "hush");
    cr_assert_eq(chdir(folder.path), 0);
    assert_resolves("a.json", SECRET_FROM_FILE, "secrets/client", "hush");
}

Test(secret_source, relative_file_without_a_documents_folder_is_refused)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "client", 0600, "hush");
    cr_assert_eq(chdir(folder.path), 0);
    assert_refused("", SECRET_FROM_FILE, "client", ERR_INVALID);
}

Test(secret_source, one_trailing_newline_is_dropped)
{
    TEMPORARY_FOLDER(folder);
    assert_resolves("", SECRET_FROM_FILE, folder_write(&folder, "a", 0600, "hush\n"), "hush");
    assert_resolves("", SECRET_FROM_FILE, folder_write(&folder, "b", 0600, "hush\n\n"), "hush\n");
    assert_resolves("", SECRET_FROM_FILE, folder_write(&folder, "c", 0600, " hush "), " hush ");
}

Test(secret_source, file_that_group_or_others_may_write_is_refused)
{
    TEMPORARY_FOLDER(folder);
    static const struct {
        mode_t mode;
        bool refused;
    } rows[] = {{0600, false}, {0644, false}, {0440, false}, {0620, true}, {0602, true}, {0666, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *path = folder_write(&folder, "client", rows[i].mode, "hush");
        if (rows[i].refused)
            assert_refused("", SECRET_FROM_FILE, path, ERR_DENIED);
        else
            assert_resolves("", SECRET_FROM_FILE, path, "hush");
    }
}

Test(secret_source, files_that_hold_no_secret_are_refused)
{
    TEMPORARY_FOLDER(folder);
    static char large[FILE_LOAD_SECRET_MAX + 1];
    memset(large, 'x', sizeof large);
    cr_assert_eq(mkfifo(folder_path(&folder, "fifo"), 0600), 0);
    assert_refused("", SECRET_FROM_FILE, folder_path(&folder, "missing"), ERR_NOT_FOUND);
    assert_refused("", SECRET_FROM_FILE, folder_path(&folder, "fifo"), ERR_INVALID);
    assert_refused("", SECRET_FROM_FILE, folder_write(&folder, "empty", 0600, ""), ERR_INVALID);
    assert_refused("", SECRET_FROM_FILE, folder_write(&folder, "newline", 0600, "\n"), ERR_INVALID);
    assert_refused("", SECRET_FROM_FILE, folder_write_bytes(&folder, "large", 0600, large, sizeof large),
                   ERR_TOO_LARGE);
}

Test(secret_source, credential_comes_from_systemds_folder)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "client", 0400, "hush\n");
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_refused("", SECRET_FROM_CREDENTIAL, "client", ERR_NOT_FOUND);
    setenv("CREDENTIALS_DIRECTORY", folder.path, 1);
    assert_resolves("", SECRET_FROM_CREDENTIAL, "client", "hush");
    assert_refused("", SECRET_FROM_CREDENTIAL, "missing", ERR_NOT_FOUND);
}

Test(secret_source, credential_cannot_leave_its_folder)
{
    TEMPORARY_FOLDER(folder);
    cr_assert_eq(mkdir(folder_path(&folder, "credentials"), 0700), 0);
    folder_write(&folder, "client", 0400, "hush");
    setenv("CREDENTIALS_DIRECTORY", folder_path(&folder, "credentials"), 1);
    static const char *const names[] = {"../client", "..", ".", "/etc/passwd", "a/b"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_refused("", SECRET_FROM_CREDENTIAL, names[i], ERR_INVALID);
}

Test(secret_source, environment_variable_is_read)
{
    setenv("CLIENT_SECRET", "hush", 1);
    setenv("EMPTY", "", 1);
    unsetenv("MISSING");
    assert_resolves("", SECRET_FROM_ENVIRONMENT, "CLIENT_SECRET", "hush");
    assert_refused("", SECRET_FROM_ENVIRONMENT, "EMPTY", ERR_INVALID);
    assert_refused("", SECRET_FROM_ENVIRONMENT, "MISSING", ERR_NOT_FOUND);
}

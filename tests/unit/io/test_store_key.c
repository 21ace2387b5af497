#include "io/store_crypto.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/wait.h>

#include "io/temporary_folder.h"

#define HEX_32 "00112233445566778899aAbBcCdDeEfF"

static enum status load(const char *path, bool create, struct error *ret_error)
{
    AUTO(secret) key = NULL;
    enum status status = store_key_load(path, create, &key, ret_error);
    cr_assert_eq(key != NULL, status == OK);
    cr_assert(!key || secret_length(key) == STORE_KEY_BYTES);
    return status;
}

Test(store_key, missing_key_is_made_once_and_kept)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "key");
    AUTO(secret) first = NULL;
    AUTO(secret) second = NULL;
    cr_assert_eq(store_key_load(path, true, &first, NULL), OK);
    cr_assert_eq(store_key_load(path, true, &second, NULL), OK);
    cr_assert(secret_equal(first, second));
    struct stat metadata;
    cr_assert_eq(stat(path, &metadata), 0);
    cr_assert_eq(metadata.st_mode & 07777, 0600);
    cr_assert_eq(rmdir(folder.path), -1);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rmdir(folder.path), 0, "a temporary file was left behind");
}

Test(store_key, two_keys_made_differ)
{
    TEMPORARY_FOLDER(folder);
    AUTO(secret) first = NULL;
    AUTO(secret) second = NULL;
    cr_assert_eq(store_key_load(folder_path(&folder, "a"), true, &first, NULL), OK);
    cr_assert_eq(store_key_load(folder_path(&folder, "b"), true, &second, NULL), OK);
    cr_assert_not(secret_equal(first, second));
}

Test(store_key, missing_key_without_create_is_not_found)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "key");
    struct error error;
    cr_assert_eq(load(path, false, &error), ERR_NOT_FOUND);
    cr_assert_not_null(strstr(error.message, path));
    cr_assert_eq(access(path, F_OK), -1);
}

Test(store_key, missing_directory_is_an_error_that_names_it)
{
    TEMPORARY_FOLDER(folder);
    struct error error;
    cr_assert_eq(load(folder_path(&folder, "missing/key"), true, &error), ERR_IO);
    cr_assert_not_null(strstr(error.message, "missing/key"));
}

Test(store_key, hex_and_raw_spellings_give_the_same_key)
{
    TEMPORARY_FOLDER(folder);
    AUTO(secret) raw = NULL;
    AUTO(secret) hex = NULL;
    AUTO(secret) line = NULL;
    const char *bytes = "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
                        "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
    cr_assert_eq(store_key_load(folder_write_bytes(&folder, "raw", 0600, bytes, 32), false, &raw, NULL), OK);
    cr_assert_eq(store_key_load(folder_write(&folder, "hex", 0400, HEX_32 HEX_32), false, &hex, NULL), OK);
    cr_assert_eq(store_key_load(folder_write(&folder, "line", 0600, HEX_32 HEX_32 "\n"), false, &line, NULL), OK);
    cr_assert(secret_equal(raw, hex));
    cr_assert(secret_equal(raw, line));
}

Test(store_key, what_is_no_key_is_refused_and_left_alone)
{
    static const char *const texts[] = {
        "",
        "short",
        HEX_32 "0",
        HEX_32 HEX_32 "0",
        HEX_32 HEX_32 "\n\n",
        HEX_32 "0011223344556677_899aabbccddeeff",
        HEX_32 "0011223344556677 899aabbccddeeff",
        HEX_32 "\x10\x11"
               "112233445566778899aabbccddeeff",
        "0123456789",
    };
    TEMPORARY_FOLDER(folder);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *path = folder_write(&folder, "key", 0600, texts[i]);
        struct error error;
        cr_assert_eq(load(path, true, &error), ERR_INVALID, "text %zu", i);
        struct stat metadata;
        cr_assert_eq(stat(path, &metadata), 0);
        cr_assert_eq((size_t)metadata.st_size, strlen(texts[i]));
        cr_assert(i == 0 || !strstr(error.message, texts[i]), "the message quotes the file");
    }
}

Test(store_key, key_that_others_may_use_is_refused)
{
    TEMPORARY_FOLDER(folder);
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        const char *path = folder_write(&folder, "key", modes[i], HEX_32 HEX_32);
        cr_assert_eq(load(path, true, NULL), ERR_DENIED, "mode %o", modes[i]);
    }
}

Test(store_key, key_of_another_user_is_refused)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_write(&folder, "key", 0600, HEX_32 HEX_32);
    if (chown(path, 12345, (gid_t)-1) != 0)
        cr_skip_test("needs root");
    cr_assert_eq(load(path, false, NULL), ERR_DENIED);
}

/* With an ACL for the service's user the mode shows 0440. */
Test(store_key, systemd_credential_may_show_the_group_bit)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_write(&folder, "key", 0440, HEX_32 HEX_32);
    cr_assert_eq(load(path, false, NULL), ERR_DENIED);
    setenv("CREDENTIALS_DIRECTORY", folder.path, 1);
    cr_assert_eq(load(path, false, NULL), OK);
    cr_assert_eq(chmod(path, 0444), 0);
    cr_assert_eq(load(path, false, NULL), ERR_DENIED);
}

Test(store_key, fifo_is_refused_without_waiting)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "key");
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(load(path, true, NULL), ERR_INVALID);
}

Test(store_key, processes_that_start_at_once_agree_on_one_key)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "key");
    enum { PROCESSES = 8 };
    int pipes[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        int ends[2];
        cr_assert_eq(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            AUTO(secret) key = NULL;
            bool loaded = store_key_load(path, true, &key, NULL) == OK;
            _exit(loaded && write(ends[1], secret_reveal(key), STORE_KEY_BYTES) == STORE_KEY_BYTES ? 0 : 1);
        }
        close(ends[1]);
        pipes[i] = ends[0];
    }
    char keys[PROCESSES][STORE_KEY_BYTES];
    for (int i = 0; i < PROCESSES; i++) {
        cr_assert_eq(read(pipes[i], keys[i], STORE_KEY_BYTES), STORE_KEY_BYTES);
        cr_assert_eq(memcmp(keys[0], keys[i], STORE_KEY_BYTES), 0);
        close(pipes[i]);
        wait(NULL);
    }
}

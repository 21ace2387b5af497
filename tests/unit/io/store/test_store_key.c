#include "io/store/store_crypto_keys.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "io/temporary_folder.h"

#define HEX_32 "00112233445566778899aAbBcCdDeEfF"

static enum status load(const char *path, bool create, struct error *ret_error)
{
    AUTO(store_crypto) keys = NULL;
    enum status status = store_key_load(path, create, &keys, ret_error);
    cr_assert_eq(keys != NULL, status == OK);
    return status;
}

/* As a key file has it. */
struct key_text {
    char text[(1 + STORE_OLD_KEYS_MAX) * (2 * STORE_KEY_BYTES + 1) + 1];
};

static struct key_text text_of(const struct store_crypto *keys)
{
    struct key_text key = {0};
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, sizeof key.text);
    cr_assert(store_crypto_append_keys(keys, store_crypto_key_count(keys), &text));
    strcpy(key.text, text_buffer_text(&text));
    return key;
}

static struct key_text load_text(const char *path)
{
    AUTO(store_crypto) keys = NULL;
    struct error error;
    cr_assert_eq(store_key_load(path, false, &keys, &error), OK, "%s", error.message);
    return text_of(keys);
}

Test(store_key, missing_key_is_made_once_and_kept)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "key");
    AUTO(store_crypto) first = NULL;
    AUTO(store_crypto) second = NULL;
    cr_assert_eq(store_key_load(path, true, &first, NULL), OK);
    cr_assert_eq(store_key_load(path, true, &second, NULL), OK);
    cr_assert_str_eq(text_of(first).text, text_of(second).text);
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
    AUTO(store_crypto) first = NULL;
    AUTO(store_crypto) second = NULL;
    cr_assert_eq(store_key_load(folder_path(&folder, "a"), true, &first, NULL), OK);
    cr_assert_eq(store_key_load(folder_path(&folder, "b"), true, &second, NULL), OK);
    cr_assert_str_neq(text_of(first).text, text_of(second).text);
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
    const char *bytes = "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
                        "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
    const char *expected = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
    cr_assert_str_eq(load_text(folder_write_bytes(&folder, "raw", 0600, bytes, 32)).text, expected);
    cr_assert_str_eq(load_text(folder_write(&folder, "hex", 0400, HEX_32 HEX_32)).text, expected);
    cr_assert_str_eq(load_text(folder_write(&folder, "line", 0600, HEX_32 HEX_32 "\n")).text, expected);
}

#define LINE(digit) HEX_OF(digit) "\n"
#define HEX_OF(digit)                                                                                                  \
    EIGHT(digit) EIGHT(digit) EIGHT(digit) EIGHT(digit) EIGHT(digit) EIGHT(digit) EIGHT(digit) EIGHT(digit)
#define EIGHT(digit) digit digit digit digit digit digit digit digit

Test(store_key, further_lines_are_old_keys_and_the_last_may_be_raw)
{
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {LINE("1") LINE("2"), LINE("1") LINE("2")},
        {LINE("1") LINE("2") HEX_OF("3"), LINE("1") LINE("2") LINE("3")},
        {LINE("a") "________________________________", LINE("a") EIGHT("5f") EIGHT("5f") EIGHT("5f") EIGHT("5f") "\n"},
        {LINE("1") LINE("2") LINE("1"), LINE("1") LINE("2")}, /* twice the same */
        {LINE("1") LINE("2") LINE("3") LINE("4") LINE("5") LINE("6") LINE("7") LINE("8") LINE("9"),
         LINE("1") LINE("2") LINE("3") LINE("4") LINE("5") LINE("6") LINE("7") LINE("8") LINE("9")},
    };
    TEMPORARY_FOLDER(folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_str_eq(load_text(folder_write(&folder, "key", 0600, rows[i].text)).text, rows[i].expected, "row %zu",
                         i);
}

/* ---- saving ---- */

static struct store_crypto *load_keys(const char *path)
{
    struct store_crypto *keys = NULL;
    struct error error;
    cr_assert_eq(store_key_load(path, false, &keys, &error), OK, "%s", error.message);
    return keys;
}

static void add_new_key(struct store_crypto *keys, char fill)
{
    char bytes[STORE_KEY_BYTES];
    memset(bytes, fill, sizeof bytes);
    AUTO(secret) key = secret_create(bytes, sizeof bytes);
    cr_assert_eq(store_crypto_add_new_key(keys, key, NULL), OK);
}

Test(store_key, saved_keys_take_the_files_place_whole_and_private)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_write(&folder, "key", 0400, HEX_OF("2"));
    folder_write(&folder, "key.new", 0600, "left over by a kill");
    AUTO(store_crypto) keys = load_keys(path);
    add_new_key(keys, 0x11);
    cr_assert_eq(store_key_save(keys, 2, NULL), OK);
    cr_assert_str_eq(load_text(path).text, LINE("1") LINE("2"));
    cr_assert_eq(store_key_save(keys, 1, NULL), OK);
    cr_assert_str_eq(load_text(path).text, LINE("1"));
    struct stat metadata;
    cr_assert_eq(stat(path, &metadata), 0);
    cr_assert_eq(metadata.st_mode & 07777, 0600);
    cr_assert_eq(access(folder_path(&folder, "key.new"), F_OK), -1);
}

Test(store_key, saving_through_a_link_leaves_the_link)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_write(&folder, "key", 0600, HEX_OF("2"));
    const char *link = folder_path(&folder, "link");
    cr_assert_eq(symlink(path, link), 0);
    AUTO(store_crypto) keys = load_keys(link);
    add_new_key(keys, 0x11);
    cr_assert_eq(store_key_save(keys, 2, NULL), OK);
    cr_assert_str_eq(load_text(path).text, LINE("1") LINE("2"));
    struct stat metadata;
    cr_assert_eq(lstat(link, &metadata), 0);
    cr_assert(S_ISLNK(metadata.st_mode));
}

Test(store_key, credential_is_never_written)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_write(&folder, "key", 0600, HEX_OF("2"));
    setenv("CREDENTIALS_DIRECTORY", folder.path, 1);
    AUTO(store_crypto) keys = load_keys(path);
    add_new_key(keys, 0x11);
    struct error error;
    cr_assert_eq(store_key_save(keys, 2, &error), ERR_DENIED);
    cr_assert_not_null(strstr(error.message, "credential"));
    cr_assert_str_eq(load_text(path).text, LINE("2"));
}

Test(store_key, save_that_fails_leaves_the_file_and_nothing_else)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_write(&folder, "key", 0600, HEX_OF("2"));
    AUTO(store_crypto) keys = load_keys(path);
    add_new_key(keys, 0x11);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){70, 70}), 0); /* the first key fits */
    struct error error;
    cr_assert_eq(store_key_save(keys, 2, &error), ERR_IO);
    cr_assert_not_null(strstr(error.message, path));
    cr_assert_null(strstr(error.message, EIGHT("2")));
    cr_assert_str_eq(load_text(path).text, LINE("2"));
    cr_assert_eq(access(folder_path(&folder, "key.new"), F_OK), -1);
}

Test(store_key, what_is_no_key_is_refused_and_left_alone)
{
    static const char *const texts[] = {
        "",
        "short",
        HEX_32 "0",
        HEX_32 HEX_32 "0",
        HEX_32 HEX_32 "\n\n",
        LINE("1") "\n" LINE("2"),
        LINE("1") HEX_32 "0",
        LINE("1") "# not a key",
        LINE("1") LINE("2") LINE("3") LINE("4") LINE("5") LINE("6") LINE("7") LINE("8") LINE("9") LINE("a"),
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
            AUTO(store_crypto) keys = NULL;
            bool loaded = store_key_load(path, true, &keys, NULL) == OK;
            char id[STORE_KEY_ID_TEXT_SIZE] = "";
            if (loaded)
                store_crypto_key_id(keys, id);
            _exit(loaded && write(ends[1], id, sizeof id) == (ssize_t)sizeof id ? 0 : 1);
        }
        close(ends[1]);
        pipes[i] = ends[0];
    }
    char ids[PROCESSES][STORE_KEY_ID_TEXT_SIZE];
    for (int i = 0; i < PROCESSES; i++) {
        cr_assert_eq(read(pipes[i], ids[i], sizeof ids[i]), (ssize_t)sizeof ids[i]);
        cr_assert_str_eq(ids[0], ids[i]);
        close(pipes[i]);
        wait(NULL);
    }
}

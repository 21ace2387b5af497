#include "io/files/file_load.h"

#include <criterion/criterion.h>
#include <string.h>

#include "io/temporary_folder.h"

/* ---- bytes ---- */

static enum status load_bytes(const char *path, size_t limit, struct error *ret_error)
{
    AUTO(secret) bytes = NULL;
    enum status status = file_load_bytes(path, limit, &bytes, ret_error);
    cr_assert_eq(bytes != NULL, status == OK);
    if (status != OK)
        cr_assert_not_null(strstr(ret_error->message, path));
    return status;
}

Test(file_load_bytes, gives_the_bytes_as_they_are)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_write_bytes(&folder, "file", 0600, "a\0b\n", 4);
    AUTO(secret) bytes = NULL;
    cr_assert_eq(file_load_bytes(path, 4, &bytes, NULL), OK);
    cr_assert_eq(secret_length(bytes), 4);
    cr_assert_eq(memcmp(secret_reveal(bytes), "a\0b\n", 4), 0);
}

Test(file_load_bytes, one_byte_beyond_the_limit_is_too_large)
{
    TEMPORARY_FOLDER(folder);
    struct error error;
    const char *path = folder_write(&folder, "file", 0600, "12345");
    cr_assert_eq(load_bytes(path, 5, &error), OK);
    cr_assert_eq(load_bytes(path, 4, &error), ERR_TOO_LARGE);
    cr_assert_eq(load_bytes(folder_write(&folder, "empty", 0600, ""), 0, &error), OK);
}

Test(file_load_bytes, large_file_comes_whole)
{
    TEMPORARY_FOLDER(folder);
    static char large[200000];
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 7);
    AUTO(secret) bytes = NULL;
    const char *path = folder_write_bytes(&folder, "file", 0600, large, sizeof large);
    cr_assert_eq(file_load_bytes(path, sizeof large, &bytes, NULL), OK);
    cr_assert_eq(secret_length(bytes), sizeof large);
    cr_assert_eq(memcmp(secret_reveal(bytes), large, sizeof large), 0);
}

Test(file_load_bytes, file_without_a_size_is_read_and_bounded)
{
    struct error error;
    cr_assert_eq(load_bytes("/proc/self/status", 64 * 1024, &error), OK);
    cr_assert_eq(load_bytes("/proc/self/status", 10, &error), ERR_TOO_LARGE);
}

Test(file_load_bytes, what_is_no_regular_file_is_refused_without_waiting)
{
    TEMPORARY_FOLDER(folder);
    cr_assert_eq(mkfifo(folder_path(&folder, "fifo"), 0600), 0);
    cr_assert_eq(symlink("fifo", folder_path(&folder, "link")), 0);
    const char *paths[] = {folder_path(&folder, "fifo"), folder_path(&folder, "link"), folder.path, "/dev/zero"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct error error;
        cr_assert_eq(load_bytes(paths[i], 10, &error), ERR_INVALID, "%s", paths[i]);
    }
}

Test(file_load_bytes, missing_file_is_not_found)
{
    TEMPORARY_FOLDER(folder);
    struct error error;
    cr_assert_eq(load_bytes(folder_path(&folder, "missing"), 10, &error), ERR_NOT_FOUND);
    cr_assert_eq(symlink("nowhere", folder_path(&folder, "dangling")), 0);
    cr_assert_eq(load_bytes(folder_path(&folder, "dangling"), 10, &error), ERR_NOT_FOUND);
}

Test(file_load_bytes, symbolic_links_are_followed)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "file", 0600, "x");
    cr_assert_eq(symlink("file", folder_path(&folder, "link")), 0);
    struct error error;
    cr_assert_eq(load_bytes(folder_path(&folder, "link"), 10, &error), OK);
}

/* ---- JSON ---- */

Test(file_load_json, gives_the_document)
{
    TEMPORARY_FOLDER(folder);
    AUTO_JSON document = NULL;
    cr_assert_eq(file_load_json(folder_write(&folder, "a.json", 0600, "{\"a\":1}\n"), &document, NULL), OK);
    cr_assert_eq(json_integer_value(json_object_get(document, "a")), 1);
}

Test(file_load_json, error_names_file_line_and_column_and_never_the_content)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_write(&folder, "a.json", 0600, "{\n  \"clientSecret\": \"hush\" x}");
    AUTO_JSON document = NULL;
    struct error error;
    cr_assert_eq(file_load_json(path, &document, &error), ERR_INVALID);
    cr_assert_not_null(strstr(error.message, path));
    cr_assert_not_null(strstr(error.message, "line 2 column"));
    cr_assert_null(strstr(error.message, "hush"));
}

Test(file_load_json, document_beyond_the_maximum_is_refused)
{
    TEMPORARY_FOLDER(folder);
    static char large[FILE_LOAD_DOCUMENT_MAX + 1];
    memset(large, ' ', sizeof large);
    memcpy(large, "{}", 2);
    AUTO_JSON fits = NULL;
    AUTO_JSON beyond = NULL;
    cr_assert_eq(file_load_json(folder_write_bytes(&folder, "a", 0600, large, sizeof large - 1), &fits, NULL), OK);
    cr_assert_eq(file_load_json(folder_write_bytes(&folder, "a", 0600, large, sizeof large), &beyond, NULL),
                 ERR_TOO_LARGE);
}

/* ---- directories ---- */

struct visit {
    char names[256];
    int count;
    enum status answer;
};

static enum status note_visit(void *context, const char *path, const char *name, const json_t *document,
                              struct fault_list *faults)
{
    (void)faults;
    struct visit *visit = context;
    cr_assert(json_is_object(document));
    cr_assert_not_null(strstr(path, name));
    cr_assert_eq(access(path, R_OK), 0);
    strcat(visit->names, name);
    strcat(visit->names, " ");
    visit->count++;
    return visit->answer;
}

Test(file_load_directory, visits_documents_in_name_order_and_passes_over_the_rest)
{
    TEMPORARY_FOLDER(folder);
    static const char *const names[] = {"b.json", "a.json",  "B.json",  "a.b.json", ".hidden.json",
                                        ".json",  "c.json~", "c.jsonx", "json",     "d.JSON"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        folder_write(&folder, names[i], 0600, "{}");
    AUTO(fault_list) faults = fault_list_create();
    struct visit visit = {0};
    cr_assert_eq(file_load_directory(folder.path, false, note_visit, &visit, faults), OK);
    cr_assert_str_eq(visit.names, "B a.b a b ");
    cr_assert_eq(fault_list_count(faults), 0);
}

Test(file_load_directory, broken_files_become_faults_and_the_walk_goes_on)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "a.json", 0600, "{");
    folder_write(&folder, "b.json", 0600, "{}");
    cr_assert_eq(mkdir(folder_path(&folder, "c.json"), 0700), 0);
    cr_assert_eq(symlink("nowhere", folder_path(&folder, "d.json")), 0);
    cr_assert_eq(mkfifo(folder_path(&folder, "e.json"), 0600), 0);
    folder_write(&folder, "f.json", 0600, "{}");
    AUTO(fault_list) faults = fault_list_create();
    struct visit visit = {0};
    cr_assert_eq(file_load_directory(folder.path, false, note_visit, &visit, faults), ERR_INVALID);
    cr_assert_str_eq(visit.names, "b f ");
    cr_assert_eq(fault_list_count(faults), 4);
    static const char *const files[] = {"a.json", "c.json", "d.json", "e.json"};
    for (size_t i = 0; i < 4; i++)
        cr_assert_str_eq(fault_list_at(faults, i)->file, folder_path(&folder, files[i]));
}

Test(file_load_directory, fault_of_a_document_goes_on_and_no_memory_stops)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "a.json", 0600, "{}");
    folder_write(&folder, "b.json", 0600, "{}");
    AUTO(fault_list) faults = fault_list_create();
    struct visit visit = {.answer = ERR_INVALID};
    cr_assert_eq(file_load_directory(folder.path, false, note_visit, &visit, faults), ERR_INVALID);
    cr_assert_eq(visit.count, 2);
    visit = (struct visit){.answer = ERR_NO_MEMORY};
    cr_assert_eq(file_load_directory(folder.path, false, note_visit, &visit, faults), ERR_NO_MEMORY);
    cr_assert_eq(visit.count, 1);
}

Test(file_load_directory, missing_directory_is_a_fault_unless_optional)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "missing");
    struct visit visit = {0};
    AUTO(fault_list) optional = fault_list_create();
    cr_assert_eq(file_load_directory(path, true, note_visit, &visit, optional), OK);
    cr_assert_not(fault_list_has_errors(optional));
    cr_assert_eq(fault_list_count(optional), 1);
    cr_assert(fault_list_at(optional, 0)->warning);

    AUTO(fault_list) needed = fault_list_create();
    cr_assert_eq(file_load_directory(path, false, note_visit, &visit, needed), ERR_INVALID);
    cr_assert(fault_list_has_errors(needed));
    cr_assert_str_eq(fault_list_at(needed, 0)->file, path);
}

Test(file_load_directory, file_in_place_of_an_optional_directory_is_a_fault)
{
    TEMPORARY_FOLDER(folder);
    struct visit visit = {0};
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(file_load_directory(folder_write(&folder, "file", 0600, ""), true, note_visit, &visit, faults),
                 ERR_INVALID);
    cr_assert(fault_list_has_errors(faults));
}

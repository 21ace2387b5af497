#include "iclientctl/terminal/document_list.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/text_buffer.h"
#include "io/temporary_folder.h"

static const char *make_folder(const struct temporary_folder *folder, const char *name)
{
    const char *path = folder_path(folder, name);
    cr_assert_eq(mkdir(path, 0700), 0);
    return path;
}

/* "name: kind" of each document, in order; names are below folder. Caller frees. */
static char *list_text(const struct document_list *list, const struct temporary_folder *folder)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 4096);
    for (size_t i = 0; i < document_list_count(list); i++) {
        const struct document *document = document_list_at(list, i);
        cr_assert(strncmp(document->path, folder->path, strlen(folder->path)) == 0, "%s", document->path);
        text_buffer_append_format(&text, "%s: %s\n", document->path + strlen(folder->path) + 1,
                                  document->is_connection ? "connection" : "iClient");
    }
    char *taken = text_buffer_take(&text);
    return taken ? taken : strdup("");
}

static void expect_faults(const struct fault_list *faults, size_t count, const char *part)
{
    cr_expect_eq(fault_list_count(faults), count, "%zu faults", fault_list_count(faults));
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        AUTO_TEXT text = fault_format(fault_list_at(faults, i));
        cr_expect_not_null(strstr(text, part), "%s", text);
    }
}

Test(document_list, a_folder_gives_what_lies_below_it_in_the_order_of_names)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "b.json", 0600, "{\"iClient\": \"a\"}");
    folder_write(&folder, "a.json", 0600, "{}");
    folder_write(&folder, "notes.txt", 0600, "no JSON");
    folder_write(&folder, ".hidden.json", 0600, "{");
    folder_write(&folder, "iclientd.json", 0600, "{}");
    make_folder(&folder, "sub");
    folder_write(&folder, "sub/c.json", 0600, "{\"name\": \"c\"}");
    make_folder(&folder, "providers");
    folder_write(&folder, "providers/p.json", 0600, "{}");
    make_folder(&folder, ".git");
    folder_write(&folder, ".git/g.json", 0600, "{}");
    cr_assert_eq(symlink("..", folder_path(&folder, "sub/up")), 0);

    AUTO(fault_list) faults = fault_list_create();
    AUTO(document_list) list = document_list_create();
    cr_assert_eq(document_list_add(list, folder.path, faults), OK);
    expect_faults(faults, 0, "");
    AUTO_TEXT text = list_text(list, &folder);
    cr_assert_str_eq(text, "a.json: iClient\nb.json: connection\nsub/c.json: iClient\n");
}

/* What is left out below a folder is read when it is named. */
Test(document_list, a_file_that_is_named_is_read)
{
    TEMPORARY_FOLDER(folder);
    AUTO(fault_list) faults = fault_list_create();
    AUTO(document_list) list = document_list_create();
    cr_assert_eq(document_list_add(list, folder_write(&folder, "iclientd.json", 0600, "{}"), faults), OK);
    cr_assert_eq(document_list_add(list, folder_write(&folder, "notes.txt", 0600, "{\"a\": 1}"), faults), OK);
    AUTO_TEXT text = list_text(list, &folder);
    cr_assert_str_eq(text, "iclientd.json: iClient\nnotes.txt: iClient\n");
    expect_faults(faults, 0, "");
}

Test(document_list, what_names_an_iclient_in_any_case_is_a_connection)
{
    static const struct {
        const char *document;
        bool is_connection;
    } rows[] = {
        {"{\"iClient\": \"a\"}", true},
        {"{\"iclient\": 1}", true},
        {"{\"ICLIENT\": null}", true},
        {"{\"iClients\": []}", false},
        {"{}", false},
        {"[]", false},
    };
    AUTO(fault_list) faults = fault_list_create();
    AUTO(document_list) list = document_list_create();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_JSON json = json_loads(rows[i].document, 0, NULL);
        cr_assert_eq(document_list_put(list, "a.json", json, faults), OK);
        cr_expect_eq(document_list_at(list, i)->is_connection, rows[i].is_connection, "%s", rows[i].document);
        cr_expect_eq(document_list_at(list, i)->json, json);
    }
}

Test(document_list, what_cannot_be_read_is_a_fault_that_names_the_file_once)
{
    TEMPORARY_FOLDER(folder);
    AUTO(fault_list) faults = fault_list_create();
    AUTO(document_list) list = document_list_create();
    const char *bad = folder_write(&folder, "bad.json", 0600, "{\n  \"a\": \n}");
    cr_assert_eq(document_list_add(list, bad, faults), OK);
    cr_assert_eq(document_list_add(list, folder_path(&folder, "gone.json"), faults), OK);
    cr_assert_eq(document_list_count(list), 0);
    expect_faults(faults, 2, folder.path);
    cr_expect_str_eq(fault_list_at(faults, 0)->file, bad);
    for (size_t i = 0; i < fault_list_count(faults); i++)
        cr_expect_null(strstr(fault_list_at(faults, i)->message, folder.path), "%s", fault_list_at(faults, i)->message);
}

Test(document_list, a_bad_file_in_a_folder_does_not_hide_the_others)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "a.json", 0600, "{");
    folder_write(&folder, "b.json", 0600, "{}");
    AUTO(fault_list) faults = fault_list_create();
    AUTO(document_list) list = document_list_create();
    cr_assert_eq(document_list_add(list, folder.path, faults), OK);
    expect_faults(faults, 1, "a.json");
    AUTO_TEXT text = list_text(list, &folder);
    cr_assert_str_eq(text, "b.json: iClient\n");
}

Test(document_list, folders_that_lie_too_deep_are_a_fault)
{
    TEMPORARY_FOLDER(folder);
    char name[4 * DOCUMENT_DEPTH_MAX] = "d";
    for (int depth = 1; depth <= DOCUMENT_DEPTH_MAX + 1; depth++) {
        make_folder(&folder, name);
        strcat(name, "/d");
    }
    AUTO(fault_list) faults = fault_list_create();
    AUTO(document_list) list = document_list_create();
    cr_assert_eq(document_list_add(list, folder.path, faults), OK);
    expect_faults(faults, 1, "folders lie deeper than 16");
}

Test(document_list, many_documents_keep_their_places)
{
    enum { COUNT = 1000 };
    AUTO(fault_list) faults = fault_list_create();
    AUTO(document_list) list = document_list_create();
    AUTO_JSON json = json_object();
    for (int i = 0; i < COUNT; i++) {
        char path[16];
        snprintf(path, sizeof path, "%d", i);
        cr_assert_eq(document_list_put(list, path, json, faults), OK);
    }
    cr_assert_eq(document_list_count(list), COUNT);
    for (int i = 0; i < COUNT; i++)
        cr_assert_eq(atoi(document_list_at(list, (size_t)i)->path), i);
}

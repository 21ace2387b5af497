#include "io/files/file_load.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "io/temporary_folder.h"

static const char PRESET[] = "{\"oauth2\":{\"grantType\":\"clientcredentials\","
                             "\"token\":{\"uri\":\"https://acme.example.com/token\"}}}";
static const char ICLIENT[] = "{\"name\":\"crm\",\"provider\":\"acme\","
                              "\"oauth2\":{\"clientId\":\"id\",\"clientSecret\":{\"$file\":\"../secret\"},"
                              "\"validDomainNames\":[\"acme.example.com\"]}}";
static const char CONNECTION[] = "{\"name\":\"sales\",\"iClient\":\"crm\"}";

struct shelf {
    struct temporary_folder folder;
    struct secret_resolver resolver;
    struct catalog *catalog;
    struct fault_list *faults;
    char presets[128];
    char iclients[128];
    char connections[128];
};

static void shelf_finish(struct shelf *shelf)
{
    catalog_destroy(shelf->catalog);
    fault_list_destroy(shelf->faults);
    temporary_folder_finish(&shelf->folder);
}

static void shelf_start(struct shelf *shelf)
{
    *shelf = (struct shelf){.folder = temporary_folder_make(), .resolver = file_load_secret_resolver()};
    char *paths[] = {shelf->presets, shelf->iclients, shelf->connections, NULL};
    static const char *const names[] = {"providers", "iclients.d", "connections.d"};
    for (size_t i = 0; i < 3; i++) {
        strcpy(paths[i], folder_path(&shelf->folder, names[i]));
        cr_assert_eq(mkdir(paths[i], 0700), 0);
    }
    folder_write(&shelf->folder, "secret", 0600, "hush\n");
    folder_write(&shelf->folder, "providers/acme.json", 0600, PRESET);
    folder_write(&shelf->folder, "iclients.d/crm.json", 0600, ICLIENT);
    folder_write(&shelf->folder, "connections.d/sales.json", 0600, CONNECTION);
    struct catalog_options options = {.iclient = {.default_redirect_uri = "http://127.0.0.1:8085/callback"},
                                      .resolve_secrets = &shelf->resolver};
    shelf->catalog = catalog_create(&options);
    shelf->faults = fault_list_create();
}

#define SHELF(name)                                                                                                    \
    __attribute__((cleanup(shelf_finish))) struct shelf name;                                                          \
    shelf_start(&name)

static enum status load(struct shelf *shelf)
{
    struct catalog_directories directories = {shelf->presets, shelf->iclients, shelf->connections, NULL};
    return file_load_catalog(&directories, shelf->catalog, shelf->faults);
}

static const char *first_fault(const struct shelf *shelf)
{
    return fault_list_count(shelf->faults) > 0 ? fault_list_at(shelf->faults, 0)->message : "";
}

Test(file_load_catalog, three_directories_become_one_catalog)
{
    SHELF(shelf);
    cr_assert_eq(load(&shelf), OK, "%s", first_fault(&shelf));
    const struct connection *connection = catalog_find_connection(shelf.catalog, "default", "sales");
    cr_assert_not_null(connection);
    const struct iclient *iclient = connection_iclient(connection);
    cr_assert_str_eq(iclient_text(iclient, ICLIENT_TOKEN_URI), "https://acme.example.com/token");
    cr_assert_str_eq(secret_reveal(iclient_client_secret(iclient)), "hush");
    cr_assert_str_eq(iclient_file(iclient), folder_path(&shelf.folder, "iclients.d/crm.json"));
    int64_t modified;
    cr_assert(clock_parse(iclient_text(iclient, ICLIENT_LAST_MODIFIED), &modified));
    cr_assert(modified > clock_wall() - 600 && modified <= clock_wall() + 1);
}

static enum status add_other_iclient(void *context, struct catalog *catalog, struct fault_list *faults)
{
    AUTO_JSON document = json_pack("{s:s,s:s,s:{s:s,s:s}}", "name", "other", "provider", "acme", "oauth2", "clientId",
                                   "id", "clientSecret", "secret");
    (*(int *)context)++;
    return catalog_add_iclient(catalog, document, "", faults);
}

static enum status add_other_connection(void *context, struct catalog *catalog, struct fault_list *faults)
{
    AUTO_JSON document = json_pack("{s:s,s:s}", "name", "sales", "iClient", "crm");
    (*(int *)context)++;
    return catalog_add_connection(catalog, document, "", faults);
}

Test(file_load_catalog, documents_from_elsewhere_come_after_the_files_of_their_kind)
{
    SHELF(shelf);
    int calls = 0;
    const struct catalog_source beside = {add_other_iclient, add_other_connection, &calls};
    struct catalog_directories directories = {shelf.presets, shelf.iclients, shelf.connections, &beside};
    folder_write(&shelf.folder, "connections.d/more.json", 0600, "{\"name\":\"more\",\"iClient\":\"other\"}");
    cr_assert_eq(file_load_catalog(&directories, shelf.catalog, shelf.faults), ERR_INVALID);
    cr_assert_eq(calls, 2);
    cr_assert_eq(fault_list_count(shelf.faults), 1, "%s", first_fault(&shelf));
    cr_assert(strstr(first_fault(&shelf), "sales.json"), "%s", first_fault(&shelf));
    cr_assert_not_null(catalog_find_connection(shelf.catalog, "default", "more"));
}

Test(file_load_catalog, faults_of_every_directory_come_in_one_run)
{
    SHELF(shelf);
    folder_write(&shelf.folder, "providers/broken.json", 0600, "{");
    folder_write(&shelf.folder, "iclients.d/broken.json", 0600, "[");
    folder_write(&shelf.folder, "connections.d/broken.json", 0600, "{\"name\":\"x\",\"iClient\":\"nobody\"}");
    cr_assert_eq(load(&shelf), ERR_INVALID);
    static const char *const files[] = {"providers/broken.json", "iclients.d/broken.json", "connections.d/broken.json"};
    for (size_t i = 0; i < 3; i++) {
        bool named = false;
        for (size_t k = 0; k < fault_list_count(shelf.faults); k++)
            named = named || strcmp(fault_list_at(shelf.faults, k)->file, folder_path(&shelf.folder, files[i])) == 0;
        cr_assert(named, "%s", files[i]);
    }
}

Test(file_load_catalog, secret_that_cannot_be_read_is_a_fault_of_its_document)
{
    SHELF(shelf);
    cr_assert_eq(chmod(folder_path(&shelf.folder, "secret"), 0666), 0);
    cr_assert_eq(load(&shelf), ERR_INVALID);
    cr_assert_str_eq(fault_list_at(shelf.faults, 0)->file, folder_path(&shelf.folder, "iclients.d/crm.json"));
}

Test(file_load_catalog, missing_iclients_and_connections_are_said_and_missing_presets_are_a_fault)
{
    SHELF(shelf);
    AUTO(catalog) catalog = catalog_create(&(struct catalog_options){0});
    struct catalog_directories none = {0};
    cr_assert_eq(file_load_catalog(&none, catalog, shelf.faults), OK);
    cr_assert_eq(fault_list_count(shelf.faults), 0);

    strcat(shelf.iclients, "-missing");
    strcat(shelf.connections, "-missing");
    AUTO(catalog) second = catalog_create(&(struct catalog_options){0});
    struct catalog_directories missing = {shelf.presets, shelf.iclients, shelf.connections, NULL};
    cr_assert_eq(file_load_catalog(&missing, second, shelf.faults), OK);
    cr_assert_eq(fault_list_count(shelf.faults), 2);

    strcat(shelf.presets, "-missing");
    AUTO(catalog) third = catalog_create(&(struct catalog_options){0});
    struct catalog_directories no_presets = {.presets = shelf.presets};
    cr_assert_eq(file_load_catalog(&no_presets, third, shelf.faults), ERR_INVALID);
}

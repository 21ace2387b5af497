/* What a connection's fields say together, and together with its iClient. */
#include <string.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "model/connection/connection_record.h"
#include "model/iclient/iclient_record.h"
#include "model/template/template_check.h"

enum { POINTER_MAX = 512 };

struct connection_check {
    const struct connection *connection;
    const json_t *kept;
    struct document_faults *faults;
};

static const char closed_text[] = "the iClient says useIClientFields: only its own value is used";

/* What useIClientFields keeps a connection from having. */
static void check_closed(struct connection_check *check)
{
    static const char *const pointers[] = {"/scope", "/audience", "/username", "/password", "/params"};
    if (!iclient_flag(check->connection->iclient, ICLIENT_USE_ICLIENT_FIELDS))
        return;
    for (size_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++)
        if (json_object_get(check->kept, pointers[i] + 1))
            document_fault(check->faults, pointers[i], NULL, "%s", closed_text);
}

static bool iclient_has_member(const struct iclient *iclient, const char *group, const char *name)
{
    char path[TEMPLATE_PATH_MAX];
    struct iclient_path_value found;
    snprintf(path, sizeof path, "%s.%s", group, name);
    return iclient_find_path(iclient, path, &found);
}

/* Under useIClientFields a connection may add to settings, unencrypted and encrypted, but not change a member. */
static void check_overrides(struct connection_check *check)
{
    static const char *const groups[] = {"settings", "unencrypted", "encrypted"};
    if (!iclient_flag(check->connection->iclient, ICLIENT_USE_ICLIENT_FIELDS))
        return;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        const char *name;
        json_t *value;
        json_object_foreach (json_object_get(check->kept, groups[i]), name, value) {
            if (!iclient_has_member(check->connection->iclient, groups[i], name))
                continue;
            AUTO_FINISH(text_buffer) pointer;
            text_buffer_init(&pointer, POINTER_MAX);
            json_pointer_append(&pointer, groups[i]);
            json_pointer_append(&pointer, name);
            document_fault(check->faults, text_buffer_text(&pointer), NULL, "%s", closed_text);
        }
    }
}

static void check_account(struct connection_check *check)
{
    const struct connection *connection = check->connection;
    if (iclient_grant(connection->iclient) != GRANT_PASSWORD)
        return;
    if (!connection_username(connection))
        document_fault(check->faults, "/username", NULL,
                       "is required for the password grant: neither the connection nor the iClient has one");
    if (!connection_has_password(connection))
        document_fault(check->faults, "/password", NULL,
                       "is required for the password grant: neither the connection nor the iClient has one");
}

static void missing_value(struct connection_check *check, const char *path)
{
    AUTO_FINISH(text_buffer) pointer;
    text_buffer_init(&pointer, POINTER_MAX);
    text_buffer_append_text(&pointer, "/");
    for (; *path; path++)
        text_buffer_append(&pointer, *path == '.' ? "/" : path, 1);
    document_fault(check->faults, text_buffer_text(&pointer), NULL, "is required: a template of iClient \"%s\" uses it",
                   iclient_name(check->connection->iclient));
}

static void visit_param(void *context, const struct template_site *site)
{
    struct connection_check *check = context;
    const char *in_iclient = template_path_below(site->path, "iClient");
    const char *in_connection = template_path_below(site->path, "connection");
    struct iclient_path_value value;
    bool resolves = true;
    if (in_iclient)
        resolves =
            strcmp(in_iclient, "jwt.token") == 0 || iclient_find_path(check->connection->iclient, in_iclient, &value);
    else if (in_connection)
        resolves = connection_has_path(check->connection, check->kept, in_connection);
    if (!resolves)
        document_fault(check->faults, site->pointer, NULL, "{{{%s}}} resolves to nothing", site->path);
}

static void check_templates(struct connection_check *check)
{
    const struct iclient *iclient = check->connection->iclient;
    for (size_t i = 0; i < iclient->connection_path_count; i++)
        if (!connection_has_path(check->connection, check->kept, iclient->connection_paths[i]))
            missing_value(check, iclient->connection_paths[i]);
    const json_t *params = connection_params(check->connection);
    const bool code_grant = iclient_grant(iclient) == GRANT_AUTHORIZATION_CODE;
    if (params)
        template_check_value(params, "/params", code_grant ? REQUEST_CODE : REQUEST_UNATTENDED, check->faults,
                             visit_param, check);
}

void connection_check(const struct connection *connection, const json_t *kept, struct document_faults *faults)
{
    struct connection_check check = {.connection = connection, .kept = kept, .faults = faults};
    check_closed(&check);
    check_overrides(&check);
    check_account(&check);
    check_templates(&check);
    connection_check_uris(connection, kept, faults);
}

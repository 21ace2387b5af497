/* The same connection under another object of its iClient, or another version of it. */
#include <string.h>

#include "model/connection/connection_record.h"
#include "model/iclient/iclient_record.h"

static bool copy_text(const char *text, char **ret_copy)
{
    *ret_copy = text ? strdup(text) : NULL;
    return *ret_copy || !text;
}

/* All but what depends on the iClient: the joined scope. */
static bool copy_content(const struct connection_content *content, struct connection *connection)
{
    if (!content)
        return true;
    struct connection_content *copy = connection_own_content(connection);
    if (!copy)
        return false;
    copy->password = secret_hold(content->password);
    copy->has_password = content->has_password;
    copy->encrypted = secret_object_hold(content->encrypted);
    copy->params = json_incref(content->params);
    return copy_text(content->text, &copy->text) && copy_text(content->username, &copy->username) &&
           copy_text(content->audience, &copy->audience);
}

static bool join_scope(struct connection *connection, const json_t *kept)
{
    const json_t *scopes = json_object_get(kept, "scope");
    if (json_array_size(scopes) == 0)
        return true;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a kept scope is content, and copy_content() made it. */
    connection->content->scope =
        iclient_join_scopes(scopes, iclient_text(connection->iclient, ICLIENT_SCOPE_DELIMITER));
    return connection->content->scope != NULL;
}

enum status connection_rebind(const struct connection *connection, const struct iclient *iclient,
                              struct fault_list *faults, struct connection **ret_connection)
{
    AUTO(connection) copy = calloc(1, sizeof *copy);
    if (!copy)
        return ERR_NO_MEMORY;
    *copy = (struct connection){
        .holds = 1,
        .implicit = connection->implicit,
        .ahead = connection->ahead,
        .active = connection->active,
        .refers_by_id = connection->refers_by_id,
        .iclient = iclient_hold(iclient),
        .access = shared_access_hold(connection->access),
    };
    bool done;
    AUTO_JSON own = connection_own_document(connection, &done);
    if (!done || !copy_text(connection->name, &copy->name) || !copy_text(connection->file, &copy->file) ||
        !copy_content(connection->content, copy) || !join_scope(copy, own))
        return ERR_NO_MEMORY;
    struct document_faults own_faults = {.list = faults, .file = connection_file(connection)};
    connection_check(copy, own, &own_faults);
    enum status status = document_faults_status(&own_faults);
    if (status == OK)
        *ret_connection = TAKE(copy);
    return status;
}

/* Where the iClient's URIs lead with a connection's values, as far as that is known before anything is sent. */
#include "base/json/json_read.h"
#include "model/connection/connection_record.h"
#include "model/iclient/iclient_record.h"
#include "model/template/template.h"
#include "model/rule/uri_policy.h"

enum { POINTER_MAX = 512 };

struct uri_check {
    const struct connection *connection;
    const json_t *document;     /* the connection's own members; NULL: none */
    struct text_buffer pointer; /* of the first own member that a template names; empty: none */
};

static enum status look_up(const void *context, const char *path, struct text_buffer *value)
{
    const struct uri_check *check = context;
    const char *below = template_path_below(path, "iClient");
    if (below)
        return iclient_lookup(check->connection->iclient, below, value);
    below = template_path_below(path, "connection");
    return below ? connection_lookup_in(check->connection, check->document, below, value) : ERR_NOT_FOUND;
}

static enum status note_own_member(void *context, const char *path, struct error *ret_error)
{
    (void)ret_error;
    struct uri_check *check = context;
    const char *below = template_path_below(path, "connection");
    if (!below || check->pointer.length > 0 || !json_read_path(check->document, below))
        return OK;
    text_buffer_append_text(&check->pointer, "/");
    for (; *below; below++)
        text_buffer_append(&check->pointer, *below == '.' ? "/" : below, 1);
    return OK;
}

/* At the member that leads astray; the implicit connection has none, and others with better values may come. */
static void report(struct uri_check *check, enum iclient_field field, const struct error *error,
                   struct document_faults *faults)
{
    const struct iclient *iclient = check->connection->iclient;
    const char *uri = iclient_field_row(field)->pointer;
    if (check->connection->implicit) {
        document_warning(faults, uri, NULL, "no connection names this iClient, and for its own %s", error->message);
        return;
    }
    text_buffer_init(&check->pointer, POINTER_MAX);
    template_walk(iclient_text(iclient, field), note_own_member, check, NULL);
    document_fault(faults, check->pointer.length > 0 ? text_buffer_text(&check->pointer) : "/iClient", NULL,
                   "in %s of iClient \"%s\": %s", uri, iclient_name(iclient), error->message);
    text_buffer_finish(&check->pointer);
}

void connection_check_uris(const struct connection *connection, const json_t *document, struct document_faults *faults)
{
    struct uri_check check = {.connection = connection, .document = document};
    for (size_t i = 0; i < URI_POLICY_FIELD_COUNT; i++) {
        const enum iclient_field field = uri_policy_fields[i];
        struct error error = {0};
        enum status status = uri_policy_check_rendered(
            iclient_url_policy(connection->iclient), iclient_text(connection->iclient, field), look_up, &check, &error);
        if (status == ERR_NO_MEMORY)
            faults->no_memory = true;
        else if (status != OK)
            report(&check, field, &error, faults);
    }
}

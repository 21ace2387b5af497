#include <string.h>
#include <strings.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "model/connection/connection_record.h"
#include "model/iclient/field_rule.h"
#include "model/iclient/iclient_record.h"
#include "model/rule/name_rule.h"
#include "model/iclient/reserved_param.h"

enum { POINTER_MAX = 512, SCOPES_MAX = 256, PARAMS_MAX = 128, CONTENT_TEXT_MAX = 256 * 1024 };

struct connection_reader {
    struct connection *connection;
    struct document_faults *faults;
    const struct secret_resolver *resolve;
    const struct identity_resolver *resolve_ids;
    struct access_share *share;
    json_t *kept; /* what connection_to_json() gives back beside name, iClient and tenant */
};

/* Reads one member; pointer is its own. Each adds what is to be kept. */
typedef void read_member(struct connection_reader *reader, const char *pointer, const json_t *value);

static void keep(struct connection_reader *reader, const char *pointer, json_t *take_value)
{
    if (json_object_set_new(reader->kept, pointer + 1, take_value) < 0)
        reader->faults->no_memory = true;
}

static void *allocated(struct connection_reader *reader, void *memory)
{
    if (!memory)
        reader->faults->no_memory = true;
    return memory;
}

static struct connection_content *content(struct connection_reader *reader)
{
    return allocated(reader, connection_own_content(reader->connection));
}

static void must_be(struct connection_reader *reader, const char *pointer, const char *what)
{
    document_fault(reader->faults, pointer, NULL, "must be %s", what);
}

/* A plain, non-empty text without control characters; NULL after a fault. */
static const char *plain_text(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    const char *text = json_string_value(value);
    const char *broken = text ? field_rule_broken(ICLIENT_USERNAME, text) : NULL;
    if (!text)
        must_be(reader, pointer, "a string");
    else if (broken)
        document_fault(reader->faults, pointer, NULL, "%s", broken);
    return broken ? NULL : text;
}

static void read_name(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    const char *text = plain_text(reader, pointer, value);
    if (text && !name_is_valid(text))
        document_fault(reader->faults, pointer, NULL, NAME_RULE_TEXT);
    else if (text)
        reader->connection->name = allocated(reader, strdup(text));
}

static void read_iclient(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    const char *text = plain_text(reader, pointer, value);
    const struct iclient *iclient = reader->connection->iclient;
    reader->connection->refers_by_id =
        text && strcasecmp(text, iclient_id(iclient)) == 0 && strcasecmp(text, iclient_name(iclient)) != 0;
}

static void read_tenant(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    const char *text = plain_text(reader, pointer, value);
    if (text && strcmp(text, iclient_tenant(reader->connection->iclient)) != 0)
        document_fault(reader->faults, pointer, NULL, "is not the tenant of the iClient");
}

static void read_description(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    const char *text = json_string_value(value);
    const char *broken = text ? field_rule_broken(ICLIENT_DESCRIPTION, text) : "must be a string";
    if (broken)
        document_fault(reader->faults, pointer, NULL, "%s", broken);
    else
        keep(reader, pointer, json_incref((json_t *)value));
}

static void read_scope(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    AUTO_JSON scopes = json_is_string(value) ? json_pack("[O]", value) : json_deep_copy(value);
    if (!allocated(reader, scopes))
        return;
    bool good = json_is_array(scopes) && json_array_size(scopes) <= SCOPES_MAX;
    for (size_t i = 0; i < json_array_size(scopes); i++) {
        const char *text = json_string_value(json_array_get(scopes, i));
        good = good && text && !field_rule_broken(ICLIENT_SCOPE, text);
    }
    if (!good) {
        must_be(reader, pointer, "a string or an array of strings, none of them empty");
        return;
    }
    const char *delimiter = iclient_text(reader->connection->iclient, ICLIENT_SCOPE_DELIMITER);
    if (json_array_size(scopes) > 0 && content(reader))
        reader->connection->content->scope = allocated(reader, iclient_join_scopes(scopes, delimiter));
    keep(reader, pointer, TAKE(scopes));
}

static void read_username(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    const char *text = plain_text(reader, pointer, value);
    if (!text || !content(reader))
        return;
    reader->connection->content->username = allocated(reader, strdup(text));
    keep(reader, pointer, json_incref((json_t *)value));
}

static void read_audience(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    const char *text = plain_text(reader, pointer, value);
    if (!text || !content(reader))
        return;
    reader->connection->content->audience = allocated(reader, strdup(text));
    keep(reader, pointer, json_incref((json_t *)value));
}

static void read_password(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    const struct secret_reader secrets = {.faults = reader->faults, .resolve = reader->resolve};
    struct secret *password = NULL;
    if (!content(reader) || !secret_value_read(&secrets, value, pointer, false, &password))
        return;
    reader->connection->content->password = password;
    reader->connection->content->has_password = true;
    keep(reader, pointer, json_string(SECRET_MASK));
}

static void read_object(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    if (!json_is_object(value))
        must_be(reader, pointer, "an object");
    else
        keep(reader, pointer, json_incref((json_t *)value));
}

static void read_encrypted(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    const struct secret_reader secrets = {.faults = reader->faults, .resolve = reader->resolve};
    json_t *masked = NULL;
    if (!json_is_object(value))
        must_be(reader, pointer, "an object");
    else if (content(reader) &&
             secret_object_read(&secrets, value, pointer, &masked, &reader->connection->content->encrypted))
        keep(reader, pointer, masked);
}

static bool are_params(const json_t *value)
{
    if (!json_is_object(value) || json_object_size(value) > PARAMS_MAX)
        return false;
    const char *name;
    json_t *member;
    json_object_foreach ((json_t *)value, name, member) {
        if (*name == '\0' || json_is_object(member) || json_is_array(member) || json_is_null(member))
            return false;
    }
    return true;
}

static void read_params(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    if (!are_params(value)) {
        must_be(reader, pointer, "an object whose values are strings, numbers or flags");
        return;
    }
    reserved_param_check_connection(value, pointer, reader->faults);
    if (json_object_size(value) > 0 && content(reader))
        reader->connection->content->params = allocated(reader, json_deep_copy(value));
    keep(reader, pointer, json_incref((json_t *)value));
}

static void read_allow(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    struct connection *connection = reader->connection;
    if (reader->share)
        connection->access = shared_access_hold(access_share_find(reader->share, value));
    if (!connection->access) {
        struct access_rule *rule = NULL;
        struct error error = {0};
        enum status status = access_rule_from_json(value, reader->resolve_ids, &rule, &error);
        if (!document_check(reader->faults, pointer, status, &error))
            return;
        connection->access = allocated(reader, shared_access_create(rule));
        if (connection->access && reader->share)
            access_share_add(reader->share, value, connection->access);
    }
    keep(reader, pointer, json_incref((json_t *)value));
}

static void read_refresh(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    static const char *const choices[] = {"ahead", "onDemand"};
    const char *text = json_string_value(value);
    for (size_t i = 0; text && i < 2; i++) {
        if (strcasecmp(text, choices[i]) != 0)
            continue;
        reader->connection->ahead = i == 0;
        keep(reader, pointer, json_string(choices[i]));
        return;
    }
    document_fault_nearest(reader->faults, pointer, text ? nearest_name(text, choices, 2) : NULL,
                           "must be \"ahead\" or \"onDemand\"");
}

static void read_active(struct connection_reader *reader, const char *pointer, const json_t *value)
{
    if (!json_is_boolean(value)) {
        must_be(reader, pointer, "true or false");
        return;
    }
    reader->connection->active = json_is_true(value);
    keep(reader, pointer, json_incref((json_t *)value));
}

static const struct {
    const char *pointer;
    read_member *read;
    bool needs_iclient;
} members[] = {
    {"/name", read_name, false},       {"/iClient", read_iclient, true},          {"/tenant", read_tenant, true},
    {"/scope", read_scope, true},      {"/description", read_description, false}, {"/audience", read_audience, false},
    {"/params", read_params, false},   {"/username", read_username, false},       {"/password", read_password, false},
    {"/settings", read_object, false}, {"/unencrypted", read_object, false},      {"/encrypted", read_encrypted, false},
    {"/allow", read_allow, false},     {"/refresh", read_refresh, false},         {"/active", read_active, false},
};
enum { MEMBER_COUNT = sizeof members / sizeof members[0] };

static void unknown_member(struct connection_reader *reader, const char *name)
{
    const char *names[MEMBER_COUNT];
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        names[i] = members[i].pointer + 1;
    AUTO_FINISH(text_buffer) pointer;
    text_buffer_init(&pointer, POINTER_MAX);
    json_pointer_append(&pointer, name);
    document_fault_nearest(reader->faults, text_buffer_text(&pointer), nearest_name(name, names, MEMBER_COUNT),
                           "is no field of a connection");
}

static void read_document(struct connection_reader *reader, const json_t *document)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)document, name, value) {
        size_t i = 0;
        while (i < MEMBER_COUNT && strcmp(members[i].pointer + 1, name) != 0)
            i++;
        if (i == MEMBER_COUNT) {
            unknown_member(reader, name);
            continue;
        }
        if (reader->connection->iclient || !members[i].needs_iclient)
            members[i].read(reader, members[i].pointer, value);
    }
}

/* ---- load ---- */

static bool keep_text(struct connection_reader *reader)
{
    if (json_object_size(reader->kept) == 0)
        return true;
    const size_t size = json_dumpb(reader->kept, NULL, 0, JSON_COMPACT);
    if (size > CONTENT_TEXT_MAX) {
        document_fault(reader->faults, "", NULL, "is larger than %d bytes", CONTENT_TEXT_MAX);
        return true;
    }
    char *text = size > 0 && content(reader) ? calloc(1, size + 1) : NULL;
    if (!text)
        return false;
    reader->connection->content->text = text;
    return json_dumpb(reader->kept, text, size, JSON_COMPACT) == size;
}

static void read_all(struct connection_reader *reader, const json_t *document)
{
    read_document(reader, document);
    if (!json_object_get(document, "name"))
        document_fault(reader->faults, "/name", NULL, "is required");
    if (!reader->connection->iclient) {
        reader->faults->has_errors = true;
        return;
    }
    if (!json_object_get(document, "iClient"))
        document_fault(reader->faults, "/iClient", NULL, "is required");
    connection_check(reader->connection, reader->kept, reader->faults);
    if (!reader->faults->has_errors)
        reader->faults->no_memory |= !keep_text(reader);
}

enum status connection_from_json_sharing(const json_t *document, const struct iclient *iclient, const char *file,
                                         const struct secret_resolver *resolve,
                                         const struct identity_resolver *resolve_ids, struct shared_access *access,
                                         struct access_share *share, struct fault_list *faults,
                                         struct connection **ret_connection)
{
    struct document_faults document_faults = {.list = faults, .file = file};
    AUTO(connection) connection = calloc(1, sizeof *connection);
    AUTO_JSON kept = json_object();
    if (!connection || !kept || !(connection->file = strdup(file)))
        return ERR_NO_MEMORY;
    connection->holds = 1;
    connection->ahead = true;
    connection->active = true;
    connection->iclient = iclient_hold(iclient);
    struct connection_reader reader = {.connection = connection,
                                       .faults = &document_faults,
                                       .resolve = resolve,
                                       .resolve_ids = resolve_ids,
                                       .share = share,
                                       .kept = kept};
    if (json_is_object(document))
        read_all(&reader, document);
    else
        document_fault(&document_faults, "", NULL, "must be an object");
    if (!connection->access)
        connection->access = shared_access_hold(access);
    enum status status = document_faults_status(&document_faults);
    if (status == OK)
        *ret_connection = TAKE(connection);
    return status;
}

enum status connection_from_json(const json_t *document, const struct iclient *iclient, const char *file,
                                 const struct secret_resolver *resolve, const struct identity_resolver *resolve_ids,
                                 struct fault_list *faults, struct connection **ret_connection)
{
    struct access_rule *rule = NULL;
    if (access_rule_from_json(NULL, resolve_ids, &rule, NULL) != OK)
        return ERR_NO_MEMORY;
    AUTO(shared_access) access = shared_access_create(rule);
    if (!access)
        return ERR_NO_MEMORY;
    return connection_from_json_sharing(document, iclient, file, resolve, resolve_ids, access, NULL, faults,
                                        ret_connection);
}

const char *connection_field_pointer(size_t index)
{
    return index < MEMBER_COUNT ? members[index].pointer : NULL;
}

const char *connection_iclient_reference(const json_t *document)
{
    return json_read_string(document, "iClient");
}

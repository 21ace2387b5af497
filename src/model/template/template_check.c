#include "model/template/template_check.h"

#include <string.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"

enum {
    REQUEST_ANY =
        REQUEST_AUTHORIZATION | REQUEST_CODE | REQUEST_UNATTENDED | REQUEST_REFRESH | REQUEST_REVOKE | REQUEST_JWT,
    REQUEST_TOKEN = REQUEST_CODE | REQUEST_UNATTENDED,
    POINTER_MAX = 64 * 1024,
    DEPTH_MAX = 32,
};

enum members { NO_MEMBERS, MEMBERS, KNOWN_MEMBERS };

static const struct {
    const char *name;
    unsigned requests;
    enum members members; /* what follows after a dot */
} roots[] = {
    {"iClient", REQUEST_ANY, MEMBERS},
    {"connection", REQUEST_ANY, KNOWN_MEMBERS},
    {"code", REQUEST_CODE | REQUEST_JWT, NO_MEMBERS},
    {"redirectUri", REQUEST_AUTHORIZATION | REQUEST_CODE | REQUEST_REFRESH | REQUEST_JWT, NO_MEMBERS},
    {"codeVerifier", REQUEST_AUTHORIZATION | REQUEST_CODE | REQUEST_JWT, NO_MEMBERS},
    {"state", REQUEST_AUTHORIZATION | REQUEST_CODE | REQUEST_JWT, NO_MEMBERS},
    {"refreshToken", REQUEST_REFRESH | REQUEST_REVOKE | REQUEST_JWT, NO_MEMBERS},
    {"accessToken", REQUEST_REFRESH | REQUEST_REVOKE | REQUEST_JWT, NO_MEMBERS},
    {"token", REQUEST_REVOKE | REQUEST_JWT, NO_MEMBERS},
    {"tokenTypeHint", REQUEST_REVOKE | REQUEST_JWT, NO_MEMBERS},
    {"callback", REQUEST_CODE | REQUEST_JWT, MEMBERS},
    {"metadata", REQUEST_ANY, MEMBERS},
    {"now", REQUEST_ANY, NO_MEMBERS},
    {"uuid", REQUEST_ANY, NO_MEMBERS},
};
enum { ROOT_COUNT = sizeof roots / sizeof roots[0] };

static const char *const connection_members[] = {"name",     "username", "password",    "scope",
                                                 "audience", "settings", "unencrypted", "encrypted"};
enum { CONNECTION_MEMBER_COUNT = sizeof connection_members / sizeof connection_members[0] };

static const struct {
    enum iclient_field field;
    unsigned requests;
} template_fields[] = {
    {ICLIENT_AUTH_URI, REQUEST_AUTHORIZATION}, {ICLIENT_AUTH_PARAMS, REQUEST_AUTHORIZATION},
    {ICLIENT_ISSUER, REQUEST_AUTHORIZATION},   {ICLIENT_TOKEN_URI, REQUEST_TOKEN},
    {ICLIENT_TOKEN_BODY, REQUEST_TOKEN},       {ICLIENT_TOKEN_HEADERS, REQUEST_TOKEN},
    {ICLIENT_TOKEN_PARAMS, REQUEST_TOKEN},     {ICLIENT_REFRESH_URI, REQUEST_REFRESH},
    {ICLIENT_REFRESH_BODY, REQUEST_REFRESH},   {ICLIENT_REFRESH_HEADERS, REQUEST_REFRESH},
    {ICLIENT_REFRESH_PARAMS, REQUEST_REFRESH}, {ICLIENT_REVOKE_URI, REQUEST_REVOKE},
    {ICLIENT_REVOKE_BODY, REQUEST_REVOKE},     {ICLIENT_REVOKE_HEADERS, REQUEST_REVOKE},
    {ICLIENT_JWT_HEADER, REQUEST_JWT},         {ICLIENT_JWT_PAYLOAD, REQUEST_JWT},
};

struct check {
    struct document_faults *faults;
    template_site_visit *visit;
    void *context;
    bool silent;
    enum iclient_field field;
    unsigned requests;
    struct text_buffer pointer;
    unsigned depth;
};

static size_t find_root(const char *name, size_t length)
{
    for (size_t i = 0; i < ROOT_COUNT; i++)
        if (strncmp(roots[i].name, name, length) == 0 && roots[i].name[length] == '\0')
            return i;
    return ROOT_COUNT;
}

static const char *nearest_root(const char *name)
{
    const char *names[ROOT_COUNT];
    for (size_t i = 0; i < ROOT_COUNT; i++)
        names[i] = roots[i].name;
    return nearest_name(name, names, ROOT_COUNT);
}

/* A field of the iClient whose context was left out, as in {{{clientId}}}: its path with it. */
static const char *path_in_iclient(const char *path, char *buffer, size_t size)
{
    char below[TEMPLATE_PATH_MAX + sizeof "oauth2."];
    const char *rest;
    snprintf(below, sizeof below, "oauth2.%s", path);
    if (iclient_field_find_path(path, &rest) == ICLIENT_FIELD_COUNT &&
        iclient_field_find_path(below, &rest) == ICLIENT_FIELD_COUNT)
        return NULL;
    snprintf(buffer, size, "iClient.%s", path);
    return buffer;
}

static bool is_connection_member(const char *path)
{
    size_t length = strcspn(path, ".");
    for (size_t i = 0; i < CONNECTION_MEMBER_COUNT; i++)
        if (strncmp(connection_members[i], path, length) == 0 && connection_members[i][length] == '\0')
            return true;
    return false;
}

/* False after a fault. */
static bool check_root(const struct check *check, const char *path)
{
    const char *pointer = text_buffer_text(&check->pointer);
    size_t length = strcspn(path, ".");
    size_t root = find_root(path, length);
    const char *rest = path[length] == '.' ? path + length + 1 : "";
    const char *problem = NULL;
    const char *nearest = NULL;
    char in_iclient[TEMPLATE_PATH_MAX + sizeof "iClient."];
    if (root == ROOT_COUNT) {
        char name[TEMPLATE_PATH_MAX + 1];
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        problem = "resolves to nothing: no such context";
        nearest = path_in_iclient(path, in_iclient, sizeof in_iclient);
        if (!nearest)
            nearest = nearest_root(name);
    } else if (!(roots[root].requests & check->requests)) {
        problem = "resolves to nothing in this request";
    } else if (roots[root].members == NO_MEMBERS && path[length] == '.') {
        problem = "resolves to nothing: it has no members";
    } else if (roots[root].members != NO_MEMBERS && *rest == '\0') {
        problem = "resolves to nothing: name a member of it";
    } else if (roots[root].members == KNOWN_MEMBERS && !is_connection_member(rest)) {
        problem = "resolves to nothing: no such field";
        nearest = nearest_name(rest, connection_members, CONNECTION_MEMBER_COUNT);
    }
    if (problem && !check->silent)
        document_fault_nearest(check->faults, pointer, nearest, "{{{%s}}} %s", path, problem);
    return !problem;
}

static enum status visit_path(void *context, const char *path, struct error *ret_error)
{
    (void)ret_error;
    const struct check *check = context;
    const struct template_site site = {
        .field = check->field, .pointer = text_buffer_text(&check->pointer), .path = path};
    if (check_root(check, path) && check->visit)
        check->visit(check->context, &site);
    return OK;
}

static void walk_value(struct check *check, const json_t *value);

static void walk_member(struct check *check, const char *name, const json_t *value)
{
    size_t length = check->pointer.length;
    json_pointer_append(&check->pointer, name);
    check->faults->no_memory |= check->pointer.failed;
    if (template_is_in(name) && !check->silent)
        document_fault(check->faults, text_buffer_text(&check->pointer),
                       "write name and template apart: \"name\": \"{{{path}}}\"",
                       "a template makes a value, never a name");
    if (check->depth < DEPTH_MAX) {
        check->depth++;
        walk_value(check, value);
        check->depth--;
    } else if (!check->silent) {
        document_fault(check->faults, text_buffer_text(&check->pointer), NULL, "is nested too deeply");
    }
    text_buffer_truncate(&check->pointer, length);
}

static void walk_text(struct check *check, const char *text)
{
    struct error error = {0};
    if (!strstr(text, "{{"))
        return;
    enum status status = template_walk(text, visit_path, check, &error);
    if (status == ERR_NO_MEMORY || !check->silent)
        document_check(check->faults, text_buffer_text(&check->pointer), status, &error);
}

static void walk_value(struct check *check, const json_t *value)
{
    if (json_is_string(value)) {
        walk_text(check, json_string_value(value));
        return;
    }
    const char *name;
    size_t i;
    json_t *member;
    json_object_foreach ((json_t *)value, name, member) {
        walk_member(check, name, member);
    }
    json_array_foreach ((json_t *)value, i, member) {
        const char *header = json_read_string(member, "name");
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        walk_member(check, header ? header : index, header ? json_object_get(member, "value") : member);
    }
}

static void check_start(struct check *check, const char *pointer, const json_t *value)
{
    text_buffer_init(&check->pointer, POINTER_MAX);
    text_buffer_append_text(&check->pointer, pointer);
    walk_value(check, value);
    text_buffer_finish(&check->pointer);
}

void template_check_value(const json_t *value, const char *pointer, unsigned requests, struct document_faults *faults,
                          template_site_visit *visit, void *context)
{
    struct check check = {
        .faults = faults, .visit = visit, .context = context, .field = ICLIENT_FIELD_COUNT, .requests = requests};
    check_start(&check, pointer, value);
}

static void check_fields(const struct field_view *view, unsigned token_request, struct check *check)
{
    for (size_t i = 0; i < sizeof template_fields / sizeof template_fields[0]; i++) {
        check->field = template_fields[i].field;
        check->requests = template_fields[i].requests;
        if (check->requests == REQUEST_TOKEN)
            check->requests = token_request;
        const json_t *value = field_view_get(view, check->field);
        if (value)
            check_start(check, iclient_field_row(check->field)->pointer, value);
    }
}

void template_check_fields(const struct field_view *view, bool code_grant, struct document_faults *faults,
                           template_site_visit *visit, void *context)
{
    struct check check = {.faults = faults, .visit = visit, .context = context};
    check_fields(view, code_grant ? REQUEST_CODE : REQUEST_UNATTENDED, &check);
}

void template_check_silently(const struct field_view *view, struct document_faults *faults, template_site_visit *visit,
                             void *context)
{
    struct check check = {.faults = faults, .visit = visit, .context = context, .silent = true};
    check_fields(view, REQUEST_TOKEN, &check);
}

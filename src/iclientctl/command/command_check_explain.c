#include "iclientctl/command/command_check_explain.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json/json_read.h"
#include "iclientctl/check/check_catalog.h"
#include "iclientctl/terminal/document_list.h"
#include "iclientctl/check/explain_document.h"
#include "iclientctl/check/explain_request.h"
#include "iclientctl/terminal/terminal_text.h"
#include "model/catalog/document_secrets.h"

enum { JSON_LINE_MAX = 1024 * 1024 };

/* Everything that one run holds. */
struct explanation {
    const struct check_settings *settings;
    struct document_list *given;
    struct fault_list *faults;
    struct catalog *checked; /* of the documents as they are: what is good */
    struct placeholders *placeholders;
    struct secret_stand_ins *stand_ins;
    struct document_list *masked;
    struct fault_list *masked_faults; /* nobody's: the same documents were checked before */
    struct catalog *shown;            /* of the documents without secrets: what is explained */
};

static void explanation_finish(struct explanation *explanation)
{
    catalog_destroy(explanation->shown);
    fault_list_destroy(explanation->masked_faults);
    document_list_destroy(explanation->masked);
    secret_stand_ins_destroy(explanation->stand_ins);
    placeholders_destroy(explanation->placeholders);
    catalog_destroy(explanation->checked);
    fault_list_destroy(explanation->faults);
    document_list_destroy(explanation->given);
}

/* ---- from documents to catalogs ---- */

static enum status check_documents(struct explanation *explanation, const struct arguments *arguments)
{
    explanation->given = document_list_create();
    explanation->faults = fault_list_create();
    explanation->checked = check_catalog_create(explanation->settings, NULL);
    if (!explanation->given || !explanation->faults || !explanation->checked)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < arguments->operand_count; i++) {
        if (document_list_add(explanation->given, arguments->operands[i], explanation->faults) != OK)
            return ERR_NO_MEMORY;
    }
    return check_catalog_fill(explanation->checked, explanation->settings, explanation->given, explanation->faults);
}

/* How its JWTs are signed: the preset may say it. NULL: not at all, or the document has faults. */
static const char *signature_method(const struct explanation *explanation, const char *path)
{
    for (size_t i = 0; i < catalog_iclient_count(explanation->checked); i++) {
        const struct iclient *iclient = catalog_iclient_at(explanation->checked, i);
        if (strcmp(iclient_file(iclient), path) == 0)
            return iclient_text(iclient, ICLIENT_JWT_SIGNATURE_METHOD);
    }
    return NULL;
}

static enum status mask_document(struct explanation *explanation, const struct document *document)
{
    AUTO_JSON masked = NULL;
    if (document->is_connection)
        masked = explain_document_connection(document->json);
    else
        masked = explain_document_iclient(document->json, signature_method(explanation, document->path));
    if (!masked)
        return ERR_NO_MEMORY;
    return document_list_put(explanation->masked, document->path, masked, explanation->masked_faults);
}

static enum status mask_documents(struct explanation *explanation)
{
    explanation->placeholders = placeholders_create();
    if (!explanation->placeholders)
        return ERR_NO_MEMORY;
    explanation->stand_ins = secret_stand_ins_create(explanation->placeholders);
    explanation->masked = document_list_create();
    explanation->masked_faults = fault_list_create();
    if (!explanation->stand_ins || !explanation->masked || !explanation->masked_faults)
        return ERR_NO_MEMORY;
    explanation->shown = check_catalog_create(explanation->settings, secret_stand_ins_resolver(explanation->stand_ins));
    enum status status = explanation->shown ? OK : ERR_NO_MEMORY;
    for (size_t i = 0; i < document_list_count(explanation->given) && status == OK; i++)
        status = mask_document(explanation, document_list_at(explanation->given, i));
    if (status == OK)
        status = check_catalog_fill(explanation->shown, explanation->settings, explanation->masked,
                                    explanation->masked_faults);
    return status;
}

/* ---- from catalogs to rows ---- */

static const char *grant_name(enum grant_type grant)
{
    static const char *const names[] = {
        [GRANT_AUTHORIZATION_CODE] = "authorizecode",
        [GRANT_PASSWORD] = "password",
        [GRANT_CLIENT_CREDENTIALS] = "clientcredentials",
        [GRANT_JWT_BEARER] = "jwtbearer",
        [GRANT_JWT_TOKEN] = "jwttoken",
    };
    return names[grant];
}

static json_t *explain_connection(const struct explanation *explanation, const struct connection *checked)
{
    const struct connection *connection =
        catalog_find_connection(explanation->shown, connection_tenant(checked), connection_name(checked));
    const struct iclient *iclient = connection ? connection_iclient(connection) : NULL;
    if (!iclient)
        return NULL;
    const bool has_login = iclient_grant(iclient) == GRANT_AUTHORIZATION_CODE;
    return json_pack("{s:s, s:s, s:s, s:o?, s:s?, s:s?, s:s*, s:o}", "connection", connection_name(connection),
                     "tenant", connection_tenant(connection), "iclient", iclient_name(iclient), "file",
                     json_string(connection_file(connection)), "grant", grant_name(iclient_grant(iclient)), "reason",
                     iclient_no_grant_reason(iclient), "redirect_uri", has_login ? iclient_redirect_uri(iclient) : NULL,
                     "requests", explain_requests(connection, explanation->placeholders));
}

static json_t *explain_connections(const struct explanation *explanation)
{
    AUTO_JSON rows = json_array();
    for (size_t i = 0; i < catalog_connection_count(explanation->checked); i++) {
        const struct connection *connection = catalog_connection_at(explanation->checked, i);
        if (json_array_append_new(rows, explain_connection(explanation, connection)) != 0)
            return NULL;
    }
    return TAKE(rows);
}

static bool has_errors(const json_t *rows)
{
    size_t i, j;
    json_t *row, *request;
    json_array_foreach (rows, i, row) {
        json_array_foreach (json_object_get(row, "requests"), j, request) {
            if (json_object_get(request, "error"))
                return true;
        }
    }
    return false;
}

/* ---- for a person ---- */

static void append_line(struct text_buffer *text, const char *before, const char *line)
{
    text_buffer_append_text(text, before);
    terminal_text_append(text, line);
    text_buffer_append_text(text, "\n");
}

static bool is_form(const json_t *headers)
{
    size_t i;
    json_t *header;
    json_array_foreach (headers, i, header) {
        if (strcasecmp(json_read_string(header, "name"), "Content-Type") == 0)
            return strcasestr(json_read_string(header, "value"), "x-www-form-urlencoded") != NULL;
    }
    return false;
}

/* A form has one line for each parameter, which on the wire are one line. */
static void append_body(struct text_buffer *text, const json_t *request)
{
    const char *body = json_read_string(request, "body");
    if (!body)
        return;
    text_buffer_append_text(text, "\n    ");
    const bool form = is_form(json_object_get(request, "headers"));
    for (const char *parameter = body; *parameter;) {
        size_t length = form ? 1 + strcspn(parameter + 1, "&") : strlen(parameter);
        char *line = strndup(parameter, length);
        append_line(text, parameter == body ? "" : "    ", line ? line : "out of memory");
        free(line);
        parameter += length;
    }
}

static void append_jwts(struct text_buffer *text, const json_t *jwts)
{
    size_t i;
    json_t *jwt;
    json_array_foreach (jwts, i, jwt) {
        AUTO_FINISH(text_buffer) line;
        text_buffer_init(&line, JSON_LINE_MAX);
        text_buffer_append_format(&line, "JWT %zu: ", i + 1);
        text_buffer_append_json(&line, json_object_get(jwt, "header"));
        text_buffer_append_text(&line, " . ");
        text_buffer_append_json(&line, json_object_get(jwt, "payload"));
        text_buffer_append_text(&line, " . " SECRET_MASK);
        append_line(text, "\n    ", text_buffer_text(&line));
    }
}

static void append_request(struct text_buffer *text, const json_t *request, bool colours)
{
    text_buffer_append_text(text, "\n  ");
    terminal_text_append_tone(text, json_read_string(request, "title"), TONE_TITLE, colours);
    text_buffer_append_text(text, "\n");
    const char *error = json_read_string(request, "error");
    if (error) {
        text_buffer_append_text(text, "    ");
        terminal_text_append_tone(text, "cannot be made: ", TONE_BAD, colours);
        append_line(text, "", error);
        return;
    }
    if (json_read_string(request, "method")) {
        text_buffer_append_format(text, "    %s ", json_read_string(request, "method"));
        append_line(text, "", json_read_string(request, "url"));
    }
    size_t i;
    json_t *header;
    json_array_foreach (json_object_get(request, "headers"), i, header) {
        text_buffer_append_format(text, "    %s: ", json_read_string(header, "name"));
        append_line(text, "", json_read_string(header, "value"));
    }
    append_body(text, request);
    append_jwts(text, json_object_get(request, "jwts"));
}

static void append_connection(struct text_buffer *text, const json_t *row, bool colours)
{
    const char *grant = json_read_string(row, "grant");
    terminal_text_append_tone(text, json_read_string(row, "connection"), TONE_TITLE, colours);
    text_buffer_append_format(text, ": iClient %s, ", json_read_string(row, "iclient"));
    append_line(text, grant ? "grant " : "no grant: ", grant ? grant : json_read_string(row, "reason"));
    const char *redirect_uri = json_read_string(row, "redirect_uri");
    if (redirect_uri)
        append_line(text, "  redirect URI to register at the provider: ", redirect_uri);
    size_t i;
    json_t *request;
    json_array_foreach (json_object_get(row, "requests"), i, request) {
        append_request(text, request, colours);
    }
}

static bool print_as_text(const json_t *rows)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, TERMINAL_TEXT_MAX);
    size_t i;
    json_t *row;
    json_array_foreach (rows, i, row) {
        text_buffer_append_text(&text, i ? "\n" : "");
        append_connection(&text, row, terminal_has_colours(STDOUT_FILENO));
    }
    return terminal_write_buffer(&text);
}

static void say_faults(const struct fault_list *faults)
{
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        const struct fault *fault = fault_list_at(faults, i);
        AUTO_TEXT line = fault_format(fault);
        terminal_say("%s: %s", fault->warning ? "warning" : "error", line ? line : fault->message);
    }
}

static enum exit_code explain(struct explanation *explanation, const struct arguments *arguments)
{
    enum status status = check_documents(explanation, arguments);
    if (status == OK)
        status = mask_documents(explanation);
    AUTO_JSON rows = status == OK ? explain_connections(explanation) : NULL;
    if (!rows) {
        terminal_say("out of memory");
        return EXIT_FAILED;
    }
    say_faults(explanation->faults);
    bool printed = arguments->options[OPTION_JSON] ? terminal_write_json(rows) : print_as_text(rows);
    return printed && !fault_list_has_errors(explanation->faults) && !has_errors(rows) ? EXIT_DONE : EXIT_FAILED;
}

enum exit_code check_explain(const struct arguments *arguments, const struct check_settings *settings)
{
    if (arguments->operand_count == 0) {
        terminal_say("check --explain needs a document: an iClient, and its connections if it has any");
        return EXIT_USAGE;
    }
    struct explanation explanation = {.settings = settings};
    enum exit_code code = explain(&explanation, arguments);
    explanation_finish(&explanation);
    return code;
}

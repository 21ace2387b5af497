#include "iclientctl/daemon/api_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "iclientctl/terminal/terminal_text.h"

enum { TARGET_MAX = 16 * 1024 };

static bool append_target(const struct arguments *arguments, const struct api_call *call, struct text_buffer *target)
{
    text_buffer_append_format(target, "/v1/%s", call->collection);
    if (call->name) {
        text_buffer_append_text(target, "/");
        text_buffer_append_percent(target, call->name, strlen(call->name));
    }
    if (call->action)
        text_buffer_append_format(target, "/%s", call->action);
    const char *separator = "?";
    if (call->query && *call->query) {
        text_buffer_append_format(target, "?%s", call->query);
        separator = "&";
    }
    const char *tenant = arguments->options[OPTION_TENANT];
    if (tenant) {
        text_buffer_append_format(target, "%stenant=", separator);
        text_buffer_append_percent(target, tenant, strlen(tenant));
    }
    return !target->failed;
}

static const char *no_reply_advice(enum status status, enum api_socket socket)
{
    if (status == ERR_DENIED && socket == SOCKET_ADMIN)
        return "be root or a member of the group iclientd";
    if (status == ERR_NOT_FOUND)
        return socket == SOCKET_ADMIN ? "is iclientd running? --admin-socket says where it listens"
                                      : "is iclientd running? --token-socket says where it listens";
    return NULL;
}

static enum exit_code fail_without_reply(const struct error *error, enum api_socket socket, struct api_failure *failure)
{
    *failure = (struct api_failure){
        .exit = exit_code_from_status(error->status),
        .error = *error,
        .advice = no_reply_advice(error->status, socket),
    };
    return failure->exit;
}

/* {"errors":[{"code","message","field"}],"retryable":…}; the first error is the one to act on. */
static enum exit_code fail_with_reply(const struct api_reply *reply, enum api_socket socket,
                                      struct api_failure *failure)
{
    *failure = (struct api_failure){.exit = EXIT_FAILED, .error.status = ERR_INVALID};
    AUTO_JSON document = NULL;
    json_read_text(text_buffer_text(&reply->body), reply->body.length, &document, NULL);
    const json_t *first = json_array_get(json_object_get(document, "errors"), 0);
    const char *code = json_read_string(first, "code");
    const char *message = json_read_string(first, "message");
    const char *field = json_read_string(first, "field");
    if (!code) {
        error_set(&failure->error, ERR_INVALID, "the daemon answered with status %ld and no reason",
                  reply->http_status);
        return failure->exit;
    }
    snprintf(failure->code, sizeof failure->code, "%s", code);
    failure->exit = exit_code_from_api(code);
    failure->advice = exit_code_advice(code);
    if (failure->exit == EXIT_NOT_ALLOWED && socket == SOCKET_ADMIN)
        failure->advice = no_reply_advice(ERR_DENIED, SOCKET_ADMIN);
    error_set(&failure->error, ERR_INVALID, "%s%s%s", field ? field : "", field ? ": " : "", message ? message : code);
    return failure->exit;
}

enum exit_code api_call_try(const struct arguments *arguments, const struct api_call *call, struct api_reply *reply,
                            struct api_failure *ret_failure)
{
    struct error error = {0};
    AUTO_FINISH(text_buffer) target;
    text_buffer_init(&target, TARGET_MAX);
    AUTO_TEXT path = socket_path(arguments, call->socket);
    if (!path) {
        error_set(&error, ERR_NO_MEMORY, "out of memory");
        return fail_without_reply(&error, call->socket, ret_failure);
    }
    if (!append_target(arguments, call, &target)) {
        error_set(&error, ERR_TOO_LARGE, "the name is too long");
        return fail_without_reply(&error, call->socket, ret_failure);
    }
    const struct api_request request = {
        .socket_path = path,
        .method = call->method,
        .target = text_buffer_text(&target),
        .body = call->body,
        .timeout_seconds = call->timeout_seconds,
        .each_line = call->each_line,
        .goes_on = call->goes_on,
        .context = call->context,
    };
    if (api_client_send(&request, reply, &error) != OK)
        return fail_without_reply(&error, call->socket, ret_failure);
    if (reply->http_status < 200 || reply->http_status > 299)
        return fail_with_reply(reply, call->socket, ret_failure);
    return EXIT_DONE;
}

enum exit_code api_call_try_json(const struct arguments *arguments, const struct api_call *call, json_t **ret_document,
                                 struct api_failure *ret_failure)
{
    AUTO_FINISH(api_reply) reply;
    api_reply_init(&reply);
    enum exit_code code = api_call_try(arguments, call, &reply, ret_failure);
    if (code != EXIT_DONE)
        return code;
    struct error error;
    if (json_read_text(text_buffer_text(&reply.body), reply.body.length, ret_document, &error) == OK)
        return EXIT_DONE;
    error_prefix(&error, "the daemon's answer is no JSON");
    *ret_failure = (struct api_failure){.exit = EXIT_FAILED, .error = error};
    return EXIT_FAILED;
}

static void append_advice(const char *advice, const char *name, struct text_buffer *text)
{
    const char *place = name ? strstr(advice, "NAME") : NULL;
    if (!place) {
        text_buffer_append_text(text, advice);
        return;
    }
    text_buffer_append(text, advice, (size_t)(place - advice));
    text_buffer_append_text(text, name);
    text_buffer_append_text(text, place + strlen("NAME"));
}

void api_advice_say(const struct arguments *arguments, const char *advice, const char *name)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, TARGET_MAX);
    append_advice(advice, name, &text);
    const char *tenant = arguments->options[OPTION_TENANT];
    if (tenant && strstr(advice, "run: iclientctl "))
        text_buffer_append_format(&text, " --tenant %s", tenant);
    terminal_say("%s", text_buffer_text(&text));
}

enum exit_code api_failure_say(const struct arguments *arguments, const struct api_failure *failure, const char *name)
{
    terminal_say("%s%s%s", name ? name : "", name ? ": " : "", failure->error.message);
    /* The daemon's own words may say it already. */
    if (failure->advice && !strstr(failure->error.message, "iclientctl "))
        api_advice_say(arguments, failure->advice, name);
    return failure->exit;
}

enum exit_code api_call_text(const struct arguments *arguments, const struct api_call *call, struct api_reply *reply)
{
    struct api_failure failure;
    enum exit_code code = api_call_try(arguments, call, reply, &failure);
    return code == EXIT_DONE ? EXIT_DONE : api_failure_say(arguments, &failure, call->name);
}

enum exit_code api_call_json(const struct arguments *arguments, const struct api_call *call, json_t **ret_document)
{
    struct api_failure failure;
    enum exit_code code = api_call_try_json(arguments, call, ret_document, &failure);
    return code == EXIT_DONE ? EXIT_DONE : api_failure_say(arguments, &failure, call->name);
}

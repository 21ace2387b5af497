#ifndef UNIT_MODEL_FIXTURE_H
#define UNIT_MODEL_FIXTURE_H

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/fault_list.h"
#include "base/json/json_read.h"
#include "model/iclient/iclient.h"
#include "model/iclient/provider_preset.h"

/* A document as a test writes it, with ' for ". */
static inline json_t *fixture_json(const char *text)
{
    char *copy = strdup(text);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_error_t error;
    json_t *value = json_loads(copy, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(value, "%s: %s", error.text, copy);
    free(copy);
    return value;
}

/* An iClient that is whole, for tests to change one thing in. */
#define FIXTURE_ICLIENT                                                                                                \
    "{'name':'crm','provider':'custom_oauth2','oauth2':{'clientId':'id','clientSecret':'hunter2',"                     \
    "'grantType':'authorizecode','auth':{'uri':'https://login.example.com/auth'},"                                     \
    "'token':{'uri':'https://login.example.com/token'}}}"

/* The whole one with members laid over it; a null takes one away. */
static inline json_t *fixture_document(const char *changes)
{
    json_t *document = fixture_json(FIXTURE_ICLIENT);
    AUTO_JSON over = fixture_json(changes);
    json_object_update_recursive(document, over);
    const char *name;
    json_t *group;
    void *next;
    json_object_foreach_safe (document, next, name, group) {
        const char *member;
        json_t *value;
        void *next_member;
        json_object_foreach_safe (group, next_member, member, value) {
            if (json_is_null(value) && strcmp(member, "pkceCodeChallengeMethod") != 0 &&
                strcmp(member, "accessTokenHeaderName") != 0)
                json_object_del(group, member);
        }
        if (json_is_null(group))
            json_object_del(document, name);
    }
    return document;
}

static inline enum status fixture_secret(void *context, const char *file, enum secret_source source, const char *name,
                                         struct secret **ret_secret, struct error *ret_error)
{
    (void)context;
    (void)file;
    if (source != SECRET_FROM_ENVIRONMENT)
        return error_set(ret_error, ERR_IO, "no such source");
    *ret_secret = secret_from_text(name);
    return OK;
}

static const struct secret_resolver fixture_resolver = {.read = fixture_secret};
static const struct iclient_options fixture_options = {.default_redirect_uri = "http://127.0.0.1:8085/callback"};

static inline enum status fixture_read(const json_t *document, struct provider_preset *preset,
                                       struct fault_list *faults, struct iclient **ret_iclient)
{
    struct provider_preset *used =
        preset ? provider_preset_hold(preset) : provider_preset_create_empty("custom_oauth2");
    enum status status =
        iclient_from_json(document, used, "crm.json", &fixture_options, &fixture_resolver, faults, ret_iclient);
    provider_preset_destroy(used);
    return status;
}

/* Fails the test, with the faults, unless the document is taken. */
static inline struct iclient *fixture_iclient_over(const char *changes, struct provider_preset *preset)
{
    AUTO_JSON document = fixture_document(changes);
    AUTO(fault_list) faults = fault_list_create();
    struct iclient *iclient = NULL;
    enum status status = fixture_read(document, preset, faults, &iclient);
    for (size_t i = 0; status != OK && i < fault_list_count(faults); i++) {
        AUTO_TEXT text = fault_format(fault_list_at(faults, i));
        cr_log_error("%s", text);
    }
    cr_assert_eq(status, OK, "%s", changes);
    return iclient;
}

static inline struct iclient *fixture_iclient(const char *changes)
{
    return fixture_iclient_over(changes, NULL);
}

/* The first fault at pointer whose message has part in it. */
static inline const struct fault *fixture_fault(const struct fault_list *faults, const char *pointer, const char *part)
{
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        const struct fault *fault = fault_list_at(faults, i);
        if (strcmp(fault->pointer, pointer) == 0 && strstr(fault->message, part))
            return fault;
    }
    return NULL;
}

/* All faults as one text, for the message of a failed assertion. */
static inline const char *fixture_text(const struct fault_list *faults)
{
    static char text[8192];
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < fault_list_count(faults) && length < sizeof text - 600; i++) {
        AUTO_TEXT one = fault_format(fault_list_at(faults, i));
        length += (size_t)snprintf(text + length, sizeof text - length, "\n  %s", one);
    }
    return text;
}

#endif

#ifndef ICLIENTCTL_DAEMON_API_CALL_H
#define ICLIENTCTL_DAEMON_API_CALL_H

#include <jansson.h>

#include "iclientctl/daemon/api_client.h"
#include "iclientctl/arguments.h"
#include "iclientctl/exit_code.h"
#include "iclientctl/daemon/socket_path.h"

/* One request of docs/API.md, in the words of a command. */
struct api_call {
    enum api_socket socket;
    const char *method;
    const char *collection; /* "token", "connections", "iClients" or "rekey" */
    const char *name;       /* not encoded; NULL: the whole collection */
    const char *action;     /* "refresh"; NULL: none */
    const char *query;      /* encoded, without "?"; NULL: none. The tenant is added */
    const char *body;       /* JSON; NULL: none */
    long timeout_seconds;
    api_client_line *each_line; /* see struct api_request */
    api_client_goes_on *goes_on;
    void *context;
};

/* How long each kind of request may take: the daemon's own work, or an exchange with a provider as well. */
enum { API_TIMEOUT_LOCAL = 30, API_TIMEOUT_PROVIDER = 120 };

/* Why a call failed. */
struct api_failure {
    enum exit_code exit;
    char code[64];      /* the daemon's error code, "" when no error reply came */
    struct error error; /* what to tell a person; its status says why no reply came, else ERR_INVALID */
    const char *advice; /* what to do next, with NAME in it; NULL */
};

/* Sends and reads the reply as text or as JSON. EXIT_DONE for 2xx; else *ret_failure says why, and nothing is said. */
enum exit_code api_call_try(const struct arguments *arguments, const struct api_call *call, struct api_reply *reply,
                            struct api_failure *ret_failure);
enum exit_code api_call_try_json(const struct arguments *arguments, const struct api_call *call, json_t **ret_document,
                                 struct api_failure *ret_failure);
/* Says a failure and what to do about it on stderr, and returns its exit code. name may be NULL. */
enum exit_code api_failure_say(const struct arguments *arguments, const struct api_failure *failure, const char *name);
/* "run: iclientctl login NAME" with the connection's own name, and the tenant that was asked for. name may be NULL. */
void api_advice_say(const struct arguments *arguments, const char *advice, const char *name);

/* Both in one. */
enum exit_code api_call_text(const struct arguments *arguments, const struct api_call *call, struct api_reply *reply);
enum exit_code api_call_json(const struct arguments *arguments, const struct api_call *call, json_t **ret_document);

#endif

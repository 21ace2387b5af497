#ifndef SERVICE_API_STORE_WAIT_H
#define SERVICE_API_STORE_WAIT_H

#include "service/api/api_request.h"

/*
 * A call that waits for the store, which cannot be asked to forget it: it lives until the answer comes, with or without
 * its caller. Usage: create, hand store_wait_done and the wait to the store.
 */
struct store_wait;

/* call NULL: the caller is gone, and there is nobody to answer. error NULL: none. */
typedef void store_wait_reply(struct api *api, struct http_call *call, const struct error *error);

/* Answers the call and returns NULL when too many wait or there is no memory. */
struct store_wait *store_wait_create(struct api_request *request, store_wait_reply *reply);
/* A store_done. */
void store_wait_done(void *context, enum status status, const struct error *error);
/* At the end of the api, after which the store answers nobody. */
void store_wait_finish(struct api *api);

#endif

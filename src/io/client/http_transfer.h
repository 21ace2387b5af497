#ifndef IO_CLIENT_HTTP_TRANSFER_H
#define IO_CLIENT_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/http_request.h"
#include "io/client/http_client.h"

/*
 * One request on one libcurl handle: how it is set up, what comes in, how its end is told. It never touches the multi
 * handle; http_client does.
 */
struct http_transfer;

/* options: borrowed for its life. ERR_INVALID, ERR_DENIED, ERR_NO_MEMORY as http_client_send(). */
enum status http_transfer_create(const struct http_client_options *options, struct http_request *take_request,
                                 struct http_transfer **ret_transfer, struct error *ret_error);
/* Its handle must be out of the multi handle. */
void http_transfer_destroy(struct http_transfer *transfer);
AUTO_DEFINE(http_transfer);

/* "host:port" of the URL. Borrowed. */
const char *http_transfer_target(const struct http_transfer *transfer);

/* Makes the handle, ready to be added; owner is its CURLOPT_PRIVATE. False when out of memory. */
bool http_transfer_prepare(struct http_transfer *transfer, void *owner);
/* NULL before. */
CURL *http_transfer_handle(const struct http_transfer *transfer);

/* The end as libcurl told it. Borrowed from the transfer. */
void http_transfer_read_result(struct http_transfer *transfer, CURLcode code, struct http_client_result *ret_result);
/* The end because too many bytes came: a reply that is too large, if its status is known. */
void http_transfer_cut_off(struct http_transfer *transfer, struct http_client_result *ret_result);
/* The end as the client decided it; the message is put behind the target. */
void http_transfer_fail(struct http_transfer *transfer, enum status status, const char *message,
                        struct http_client_result *ret_result);

#endif

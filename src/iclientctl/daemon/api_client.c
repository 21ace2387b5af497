#include "iclientctl/daemon/api_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/wiping_memory.h"

struct transfer {
    CURL *curl;
    const struct api_request *request;
    struct api_reply *reply;
    struct text_buffer line;
    bool ended_by_reader;
};

enum status api_client_start(struct error *ret_error)
{
    /* No TLS: the socket never leaves the machine. */
    if (curl_global_init_mem(CURL_GLOBAL_NOTHING, malloc, wiping_free, wiping_realloc, strdup, calloc) != CURLE_OK)
        return error_set(ret_error, ERR_NO_MEMORY, "libcurl does not start");
    return OK;
}

void api_client_stop(void)
{
    curl_global_cleanup();
}

void api_reply_init(struct api_reply *reply)
{
    *reply = (struct api_reply){0};
    text_buffer_init(&reply->body, API_REPLY_MAX);
}

void api_reply_finish(struct api_reply *reply)
{
    text_buffer_finish(&reply->body);
}

/* Hands over each line that bytes complete; what follows the last newline waits for more. */
static bool take_lines(struct transfer *transfer, const char *bytes, size_t length)
{
    struct text_buffer *line = &transfer->line;
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t part = newline ? (size_t)(newline - bytes) : length;
        if (!text_buffer_append(line, bytes, part))
            return false;
        if (!newline)
            return true;
        if (!transfer->request->each_line(transfer->request->context, text_buffer_text(line), line->length)) {
            transfer->ended_by_reader = true;
            return false;
        }
        text_buffer_clear(line);
        bytes += part + 1;
        length -= part + 1;
    }
    return true;
}

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t length = size * count;
    long http_status = 0;
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &http_status);
    bool streamed = transfer->request->each_line && http_status == 200;
    bool taken =
        streamed ? take_lines(transfer, bytes, length) : text_buffer_append(&transfer->reply->body, bytes, length);
    return taken ? length : CURL_WRITEFUNC_ERROR;
}

static int look_around(void *context, curl_off_t download_total, curl_off_t downloaded, curl_off_t upload_total,
                       curl_off_t uploaded)
{
    (void)download_total;
    (void)downloaded;
    (void)upload_total;
    (void)uploaded;
    const struct transfer *transfer = context;
    return transfer->request->goes_on(transfer->request->context) ? 0 : 1;
}

static enum status explain_connect(struct transfer *transfer, struct error *ret_error)
{
    const char *path = transfer->request->socket_path;
    long system_error = 0;
    curl_easy_getinfo(transfer->curl, CURLINFO_OS_ERRNO, &system_error);
    if (system_error == EACCES)
        return error_set(ret_error, ERR_DENIED, "%s: you may not use this socket", path);
    return error_set(ret_error, ERR_NOT_FOUND, "%s: %s", path,
                     system_error ? strerror((int)system_error) : "cannot connect");
}

static enum status explain(struct transfer *transfer, CURLcode code, struct error *ret_error)
{
    const char *path = transfer->request->socket_path;
    switch (code) {
    case CURLE_OK:
        return OK;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST: /* a path too long for a socket */
        return explain_connect(transfer, ret_error);
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(ret_error, ERR_TIMEOUT, "%s: no answer within %ld seconds", path,
                         transfer->request->timeout_seconds);
    case CURLE_ABORTED_BY_CALLBACK:
        return error_set(ret_error, ERR_CANCELLED, "ended");
    case CURLE_OUT_OF_MEMORY:
        return error_set(ret_error, ERR_NO_MEMORY, "out of memory");
    case CURLE_WRITE_ERROR:
        if (transfer->ended_by_reader)
            return error_set(ret_error, ERR_CANCELLED, "ended");
        return error_set(ret_error, ERR_TOO_LARGE, "%s: the answer is too large", path);
    default:
        return error_set(ret_error, ERR_IO, "%s: %s", path, curl_easy_strerror(code));
    }
}

static CURLcode set_options(struct transfer *transfer, const char *url, struct curl_slist *headers)
{
    const struct api_request *request = transfer->request;
    CURL *curl = transfer->curl;
    CURLcode first = curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request->socket_path);
    CURLcode second = curl_easy_setopt(curl, CURLOPT_URL, url);
    if (first != CURLE_OK || second != CURLE_OK)
        return CURLE_OUT_OF_MEMORY;
    /* A name is sent as it was given, "..", too. */
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    /* An empty proxy keeps libcurl from reading http_proxy. */
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, request->timeout_seconds);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (request->goes_on) {
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_around);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    }
    if (strcmp(request->method, "GET") != 0)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    return curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static struct curl_slist *make_headers(void)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *more = headers ? curl_slist_append(headers, "Expect:") : NULL;
    if (!more)
        curl_slist_free_all(headers);
    return more;
}

enum status api_client_send(const struct api_request *request, struct api_reply *reply, struct error *ret_error)
{
    struct transfer transfer = {.request = request, .reply = reply};
    text_buffer_init(&transfer.line, API_LINE_MAX);
    text_buffer_clear(&reply->body);
    AUTO_FINISH(text_buffer) url;
    text_buffer_init(&url, strlen(request->target) + sizeof "http://localhost");
    text_buffer_append_format(&url, "http://localhost%s", request->target);

    struct curl_slist *headers = make_headers();
    transfer.curl = curl_easy_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (headers && transfer.curl && !url.failed)
        code = set_options(&transfer, text_buffer_text(&url), headers);
    if (code == CURLE_OK)
        code = curl_easy_perform(transfer.curl);
    enum status status = explain(&transfer, code, ret_error);
    if (status == OK)
        curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &reply->http_status);
    curl_easy_cleanup(transfer.curl);
    curl_slist_free_all(headers);
    text_buffer_finish(&transfer.line);
    return status;
}

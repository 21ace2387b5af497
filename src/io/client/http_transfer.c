#include "io/client/http_transfer.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/text/text_buffer.h"
#include "base/text/url.h"

/* A host name has at most 253 bytes; brackets and a port come to it. */
enum { TARGET_SIZE = 300, HEADER_LINE_MAX = SECRET_MAX, ADDRESS_TEXT_SIZE = 64 };

struct http_transfer {
    const struct http_client_options *options;
    struct http_request *request;
    struct text_buffer url; /* in its normal form, so that what was checked is what is sent */
    char target[TARGET_SIZE];
    bool is_plain; /* http, not https */
    CURL *easy;
    struct curl_slist *headers;
    char reason[CURL_ERROR_SIZE];
    /* What came of it. */
    struct text_buffer body;
    size_t header_bytes;
    bool headers_ended;
    bool too_large;
    bool may_have_been_sent;
    size_t addresses_tried;
    size_t addresses_refused;
    char refused_address[ADDRESS_TEXT_SIZE];
};

/* ---- set-up without libcurl ---- */

/* They would contradict what libcurl sends for the body. */
static enum status check_headers(const struct http_request *request, struct error *ret_error)
{
    static const char *const own[] = {"Content-Length", "Transfer-Encoding", "Connection", "Expect"};
    for (size_t i = 0; i < http_request_header_count(request); i++) {
        const char *name = http_request_header_name(request, i);
        for (size_t k = 0; k < sizeof own / sizeof own[0]; k++) {
            if (strcasecmp(name, own[k]) == 0)
                return error_set(ret_error, ERR_INVALID, "the header %s cannot be set", own[k]);
        }
    }
    return OK;
}

static enum status read_url(struct http_transfer *transfer, struct error *ret_error)
{
    AUTO(url) url = NULL;
    enum status status = url_parse(secret_reveal(http_request_url(transfer->request)), &url, ret_error);
    if (status != OK)
        return status;
    const char *host = url_host(url);
    snprintf(transfer->target, sizeof transfer->target, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, url_port(url));
    transfer->is_plain = strcmp(url_scheme(url), "https") != 0;
    if (transfer->is_plain && !transfer->options->allow_http)
        return error_set(ret_error, ERR_DENIED, "%s: only https is allowed", transfer->target);
    if (!url_append_whole(url, &transfer->url))
        return error_set(ret_error, ERR_NO_MEMORY, "%s: its URL", transfer->target);
    return OK;
}

enum status http_transfer_create(const struct http_client_options *options, struct http_request *take_request,
                                 struct http_transfer **ret_transfer, struct error *ret_error)
{
    AUTO(http_transfer) transfer = calloc(1, sizeof *transfer);
    if (!transfer) {
        http_request_destroy(take_request);
        return error_set(ret_error, ERR_NO_MEMORY, "HTTP request");
    }
    transfer->options = options;
    transfer->request = take_request;
    text_buffer_init(&transfer->url, 2 * URL_MAX);
    text_buffer_init(&transfer->body, options->max_reply);
    enum status status = check_headers(take_request, ret_error);
    if (status == OK)
        status = read_url(transfer, ret_error);
    if (status != OK)
        return status;
    *ret_transfer = TAKE(transfer);
    return OK;
}

const char *http_transfer_target(const struct http_transfer *transfer)
{
    return transfer->target;
}

/* Header lines may carry credentials; libcurl would leave them in freed memory. */
static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *line = headers; line; line = line->next)
        secret_wipe(line->data, strlen(line->data));
    curl_slist_free_all(headers);
}

void http_transfer_destroy(struct http_transfer *transfer)
{
    if (!transfer)
        return;
    curl_easy_cleanup(transfer->easy);
    free_headers(transfer->headers);
    http_request_destroy(transfer->request);
    text_buffer_finish(&transfer->url);
    text_buffer_finish(&transfer->body);
    free(transfer);
}

/* ---- what libcurl calls ---- */

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
    }
    return false;
}

/* A proxy is the operator's choice, and the provider's address is then seen by the proxy alone. */
static bool uses_proxy(const struct http_transfer *transfer)
{
    return transfer->options->proxy && !transfer->is_plain;
}

static bool permits(const struct http_transfer *transfer, const struct sockaddr *address)
{
    if (uses_proxy(transfer))
        return true;
    /* In clear it must not leave the host, whatever a name of loopback resolves to. */
    if (transfer->is_plain && !is_loopback(address))
        return false;
    return address_rule_permits(transfer->options->addresses, address);
}

/* After the name was resolved, so that DNS cannot change its mind behind the check. */
static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct http_transfer *transfer = context;
    if (!permits(transfer, &address->addr)) {
        transfer->addresses_refused++;
        if (getnameinfo(&address->addr, address->addrlen, transfer->refused_address, sizeof transfer->refused_address,
                        NULL, 0, NI_NUMERICHOST) != 0)
            snprintf(transfer->refused_address, sizeof transfer->refused_address, "unknown");
        return CURL_SOCKET_BAD;
    }
    transfer->addresses_tried++;
    /* libcurl asks for this afterwards, and does not look whether it got it. */
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
}

/* The connection stands and the next thing is the request: from here on nobody can say that it was not sent. */
static int on_before_request(void *context, char *remote_address, char *local_address, int remote_port, int local_port)
{
    (void)remote_address, (void)local_address, (void)remote_port, (void)local_port;
    struct http_transfer *transfer = context;
    transfer->may_have_been_sent = true;
    return CURL_PREREQFUNC_OK;
}

/* Counts interim replies and trailers too. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct http_transfer *transfer = context;
    size_t length = size * count;
    /* An interim reply's headers end, too, and then others begin. */
    if (length > 5 && memcmp(bytes, "HTTP/", 5) == 0)
        transfer->headers_ended = false;
    else if (length > 0 && (bytes[0] == '\r' || bytes[0] == '\n'))
        transfer->headers_ended = true;
    transfer->header_bytes += length;
    if (transfer->header_bytes <= HTTP_REPLY_HEADERS_MAX)
        return length;
    transfer->too_large = true;
    return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_transfer *transfer = context;
    size_t length = size * count;
    size_t room = transfer->options->max_reply - transfer->body.length;
    if (length <= room)
        return text_buffer_append(&transfer->body, bytes, length) ? length : 0;
    text_buffer_append(&transfer->body, bytes, room);
    transfer->too_large = true;
    return 0;
}

/* ---- the handle ---- */

static bool append_header(struct http_transfer *transfer, const char *line)
{
    struct curl_slist *extended = curl_slist_append(transfer->headers, line);
    if (extended)
        transfer->headers = extended;
    return extended != NULL;
}

/* "Name: value"; libcurl wants "Name;" for an empty value and takes "Name:" as: leave the header out. */
static bool append_request_header(struct http_transfer *transfer, size_t index)
{
    const char *name = http_request_header_name(transfer->request, index);
    const char *value = secret_reveal(http_request_header_value(transfer->request, index));
    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, HEADER_LINE_MAX);
    text_buffer_append_text(&line, name);
    if (value[strspn(value, " \t")] == '\0')
        text_buffer_append_text(&line, ";");
    else
        text_buffer_append_format(&line, ": %s", value);
    return !line.failed && append_header(transfer, line.data);
}

static bool set_headers(struct http_transfer *transfer)
{
    /* Some servers never answer the "100 Continue" that libcurl would wait for. */
    bool done = append_header(transfer, "Expect:");
    if (!http_request_body(transfer->request) && !http_request_find_header(transfer->request, "Content-Type"))
        done = done && append_header(transfer, "Content-Type:");
    for (size_t i = 0; done && i < http_request_header_count(transfer->request); i++)
        done = append_request_header(transfer, i);
    return done && curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

/* POSTFIELDS is not copied: the request lives as long as the handle. */
static bool set_method_and_body(struct http_transfer *transfer)
{
    const char *method = http_request_method(transfer->request);
    const struct secret *body = http_request_body(transfer->request);
    CURLcode code = CURLE_OK;
    if (body || strcmp(method, "POST") == 0) {
        code = curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
        if (code == CURLE_OK)
            code = curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)secret_length(body));
        if (code == CURLE_OK)
            code = curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, body ? secret_reveal(body) : "");
    }
    if (code == CURLE_OK && strcmp(method, body ? "POST" : "GET") != 0)
        code = curl_easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, method);
    return code == CURLE_OK;
}

/* The same for every request. */
static bool set_fixed_options(CURL *easy)
{
    static const struct {
        CURLoption option;
        long value;
    } options[] = {
        {CURLOPT_NOSIGNAL, 1},
        /* On a reused connection that dies libcurl sends a POST again: a one-time refresh token would go out twice. */
        {CURLOPT_FRESH_CONNECT, 1},
        {CURLOPT_FORBID_REUSE, 1},
        /* Else a cancelled transfer waits for its resolver thread. */
        {CURLOPT_QUICK_EXIT, 1},
        {CURLOPT_FOLLOWLOCATION, 0},
        /* url_parse() has made the path what it is; a later libcurl may know more spellings of a dot segment. */
        {CURLOPT_PATH_AS_IS, 1},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_HTTP09_ALLOWED, 0},
        {CURLOPT_HTTP_CONTENT_DECODING, 0},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (curl_easy_setopt(easy, options[i].option, options[i].value) != CURLE_OK)
            return false;
    }
    return true;
}

static bool set_texts(const struct http_transfer *transfer)
{
    const struct http_client_options *options = transfer->options;
    const struct {
        CURLoption option;
        const char *value;
    } texts[] = {
        {CURLOPT_URL, text_buffer_text(&transfer->url)},
        {CURLOPT_PROTOCOLS_STR, options->allow_http ? "http,https" : "https"},
        /* An empty text, because NULL would have the environment asked. */
        {CURLOPT_PROXY, uses_proxy(transfer) ? options->proxy : ""},
        {CURLOPT_NOPROXY, ""},
        {CURLOPT_USERAGENT, options->user_agent},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (curl_easy_setopt(transfer->easy, texts[i].option, texts[i].value) != CURLE_OK)
            return false;
    }
    return true;
}

/*
 * Certificates come from one file: a directory beside it would be trusted too, and libcurl keeps the parsed
 * certificates between connections only for a file alone (they take longer to parse than the rest of an exchange).
 */
static bool set_certificates(const struct http_transfer *transfer)
{
    const char *file = transfer->options->ca_file;
    if (!file)
        file = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (!file)
        return true;
    static const CURLoption files[] = {CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO};
    static const CURLoption directories[] = {CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (curl_easy_setopt(transfer->easy, files[i], file) != CURLE_OK ||
            curl_easy_setopt(transfer->easy, directories[i], (char *)NULL) != CURLE_OK)
            return false;
    }
    return true;
}

static bool set_callbacks(struct http_transfer *transfer, void *owner)
{
    CURL *easy = transfer->easy;
    return curl_easy_setopt(easy, CURLOPT_PRIVATE, owner) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)transfer->options->connect_timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
}

bool http_transfer_prepare(struct http_transfer *transfer, void *owner)
{
    transfer->easy = curl_easy_init();
    return transfer->easy && set_fixed_options(transfer->easy) && set_texts(transfer) && set_certificates(transfer) &&
           set_callbacks(transfer, owner) && set_method_and_body(transfer) && set_headers(transfer);
}

CURL *http_transfer_handle(const struct http_transfer *transfer)
{
    return transfer->easy;
}

/* ---- the end ---- */

static enum status status_of(CURLcode code)
{
    static const struct {
        CURLcode code;
        enum status status;
    } rows[] = {
        {CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT},
        {CURLE_OUT_OF_MEMORY, ERR_NO_MEMORY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code)
            return rows[i].status;
    }
    return ERR_IO;
}

void http_transfer_fail(struct http_transfer *transfer, enum status status, const char *message,
                        struct http_client_result *ret_result)
{
    *ret_result = (struct http_client_result){.body = "", .may_have_been_sent = transfer->may_have_been_sent};
    ret_result->status = error_set(&ret_result->error, status, "%s: %s", transfer->target, message);
}

static void explain_failure(struct http_transfer *transfer, CURLcode code, struct http_client_result *ret_result)
{
    if (transfer->addresses_refused > 0 && transfer->addresses_tried == 0) {
        char message[ADDRESS_TEXT_SIZE + 64];
        snprintf(message, sizeof message, "its address %s is not allowed", transfer->refused_address);
        http_transfer_fail(transfer, ERR_DENIED, message, ret_result);
    } else if (transfer->too_large) {
        http_transfer_fail(transfer, ERR_IO, "too many bytes and no reply among them", ret_result);
    } else if (code == CURLE_OK) {
        http_transfer_fail(transfer, ERR_IO, "the connection was closed within the headers", ret_result);
    } else if (code == CURLE_OUT_OF_MEMORY && transfer->may_have_been_sent && !transfer->headers_ended) {
        /* libcurl 7.88 has the same code for a line of more than 100 KiB. */
        http_transfer_fail(transfer, ERR_IO, "a header line without an end, or no memory for it", ret_result);
    } else if (transfer->body.failed) {
        http_transfer_fail(transfer, ERR_NO_MEMORY, "no memory for the reply", ret_result);
    } else {
        const char *reason = transfer->reason[0] != '\0' ? transfer->reason : curl_easy_strerror(code);
        http_transfer_fail(transfer, status_of(code), reason, ret_result);
    }
}

static const char *find_header(CURL *easy, const char *name)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    /* libcurl 7.88 leaves the line's end in a value of nothing but a space. */
    return header->value[0] == '\r' ? "" : header->value;
}

void http_transfer_cut_off(struct http_transfer *transfer, struct http_client_result *ret_result)
{
    transfer->too_large = true;
    http_transfer_read_result(transfer, CURLE_WRITE_ERROR, ret_result);
}

void http_transfer_read_result(struct http_transfer *transfer, CURLcode code, struct http_client_result *ret_result)
{
    long http_status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status);
    /* A reply that we cut off ourselves is a reply; an interim one is none. libcurl takes half of the headers for all
     * of them. */
    bool came_whole = code == CURLE_OK && transfer->headers_ended;
    if (http_status < 200 || (!came_whole && !transfer->too_large)) {
        explain_failure(transfer, code, ret_result);
        return;
    }
    *ret_result = (struct http_client_result){
        .status = OK,
        .may_have_been_sent = true,
        .http_status = (int)http_status,
        .content_type = find_header(transfer->easy, "Content-Type"),
        .retry_after = find_header(transfer->easy, "Retry-After"),
        .body = text_buffer_text(&transfer->body),
        .length = transfer->body.length,
        .too_large = transfer->too_large,
    };
}

#include "base/text/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 1035 §2.3.4, less the root's empty label. */
enum { HOST_MAX = 253, LABEL_MAX = 63, PORT_MAX = 65535 };

struct url {
    char *scheme;
    char *host;
    char *path;
    char *query;
    int port;
    bool host_is_address;
};

/* Paths and queries may carry secrets. */
static void wipe_and_free(char *text)
{
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
}

void url_destroy(struct url *url)
{
    if (!url)
        return;
    free(url->scheme);
    free(url->host);
    wipe_and_free(url->path);
    wipe_and_free(url->query);
    free(url);
}

static bool has_control_or_space(const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte <= 0x20 || byte == 0x7F)
            return true;
    }
    return false;
}

/* What follows the scheme; NULL unless it is http or https with exactly two slashes: curl takes one to three. */
static const char *find_authority(const char *text)
{
    static const char *const prefixes[] = {"https://", "http://"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t length = strlen(prefixes[i]);
        if (strncasecmp(text, prefixes[i], length) == 0)
            return text + length;
    }
    return NULL;
}

/* The spellings on which parsers disagree are refused before the parser sees them. */
static enum status check_spelling(const char *text, struct error *ret_error)
{
    if (strnlen(text, URL_MAX + 1) > URL_MAX)
        return error_set(ret_error, ERR_INVALID, "URL longer than %d bytes", URL_MAX);
    if (has_control_or_space(text))
        return error_set(ret_error, ERR_INVALID, "URL with a control character or a space");
    if (strchr(text, '\\'))
        return error_set(ret_error, ERR_INVALID, "URL with a backslash");
    if (strchr(text, '#'))
        return error_set(ret_error, ERR_INVALID, "URL with a fragment");
    const char *authority = find_authority(text);
    if (!authority)
        return error_set(ret_error, ERR_INVALID, "not an absolute URL with the scheme https or http");
    size_t length = strcspn(authority, "/?");
    if (length == 0)
        return error_set(ret_error, ERR_INVALID, "URL without a host");
    if (memchr(authority, '@', length))
        return error_set(ret_error, ERR_INVALID, "URL with a user name or password");
    if (memchr(authority, '%', length))
        return error_set(ret_error, ERR_INVALID, "URL with percent-encoding or a zone in its host");
    return OK;
}

/* A copy of one part in *ret_text; NULL there when the URL has no such part. */
static CURLUcode copy_part(CURLU *handle, CURLUPart part, unsigned flags, char **ret_text)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(handle, part, &text, flags);
    if (code == CURLUE_NO_QUERY)
        return CURLUE_OK;
    if (code != CURLUE_OK) {
        /* curl 7.88 leaves the unconverted host here when it cannot make an A-label of it. */
        curl_free(text);
        return code;
    }
    *ret_text = strdup(text);
    secret_wipe(text, strlen(text));
    curl_free(text);
    return *ret_text ? CURLUE_OK : CURLUE_OUT_OF_MEMORY;
}

static bool is_ascii(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text > 0x7F)
            return false;
    }
    return true;
}

/* libidn2 reads U-labels in the character set of the locale, and a daemon's is "C": lend it UTF-8 for this call. */
static CURLUcode copy_host(CURLU *handle, const char *text, char **ret_host)
{
    if (is_ascii(text))
        return copy_part(handle, CURLUPART_HOST, CURLU_PUNYCODE, ret_host);
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!utf8)
        return CURLUE_BAD_HOSTNAME;
    locale_t before = uselocale(utf8);
    CURLUcode code = copy_part(handle, CURLUPART_HOST, CURLU_PUNYCODE, ret_host);
    uselocale(before);
    freelocale(utf8);
    /* curl 7.88 says "out of memory" for every name that is no IDN. */
    return code == CURLUE_OUT_OF_MEMORY ? CURLUE_BAD_HOSTNAME : code;
}

static enum status copy_parts(struct url *url, CURLU *handle, const char *text, struct error *ret_error)
{
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, text, CURLU_DISALLOW_USER);
    if (code == CURLUE_OK)
        code = copy_part(handle, CURLUPART_SCHEME, 0, &url->scheme);
    if (code == CURLUE_OK)
        code = copy_host(handle, text, &url->host);
    if (code == CURLUE_OK)
        code = copy_part(handle, CURLUPART_PATH, 0, &url->path);
    if (code == CURLUE_OK)
        code = copy_part(handle, CURLUPART_QUERY, 0, &url->query);
    AUTO_TEXT port = NULL;
    if (code == CURLUE_OK)
        code = copy_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, &port);
    if (code == CURLUE_OUT_OF_MEMORY)
        return error_set(ret_error, ERR_NO_MEMORY, "URL");
    if (code != CURLUE_OK)
        return error_set(ret_error, ERR_INVALID, "URL: %s", curl_url_strerror(code));
    long number = port ? strtol(port, NULL, 10) : 0;
    if (number < 1 || number > PORT_MAX)
        return error_set(ret_error, ERR_INVALID, "URL with a port outside 1 to 65535");
    url->port = (int)number;
    return OK;
}

/* Rewrites [IPv6] without brackets in its shortest form (RFC 5952). */
static enum status normalise_ipv6(struct url *url, struct error *ret_error)
{
    size_t length = strlen(url->host);
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];
    url->host[length - 1] = '\0';
    if (inet_pton(AF_INET6, url->host + 1, &address) != 1 || !inet_ntop(AF_INET6, &address, text, sizeof text))
        return error_set(ret_error, ERR_INVALID, "URL with a bad IPv6 address");
    char *host = strdup(text);
    if (!host)
        return error_set(ret_error, ERR_NO_MEMORY, "URL");
    free(url->host);
    url->host = host;
    url->host_is_address = true;
    return OK;
}

static bool is_label(const char *label, size_t length)
{
    if (length == 0 || length > LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
        return false;
    /* The underscore is no host name's (RFC 952), but stands in real ones. */
    return strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") >= length;
}

static bool is_host_name(const char *host)
{
    if (strlen(host) > HOST_MAX)
        return false;
    for (;;) {
        size_t length = strcspn(host, ".");
        if (!is_label(host, length))
            return false;
        if (host[length] == '\0')
            return true;
        host += length + 1;
    }
}

/* WHATWG URL, "ends in a number": whatever a resolver may take for an IPv4 address. */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *label = dot ? dot + 1 : host;
    if (label[strspn(label, "0123456789")] == '\0')
        return true;
    return strncmp(label, "0x", 2) == 0 && label[2 + strspn(label + 2, "0123456789abcdef")] == '\0';
}

/* RFC 3986 §3.2.2 knows case-insensitive names; the form here is the one that rules are compared in. */
static enum status normalise_host(struct url *url, struct error *ret_error)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): curl gave a host, or url_parse() ended. */
    if (url->host[0] == '[')
        return normalise_ipv6(url, ret_error);
    for (char *c = url->host; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    size_t length = strlen(url->host);
    if (length > 1 && url->host[length - 1] == '.')
        url->host[length - 1] = '\0';
    if (!is_host_name(url->host))
        return error_set(ret_error, ERR_INVALID, "URL with a bad host name");
    struct in_addr address;
    url->host_is_address = inet_pton(AF_INET, url->host, &address) == 1;
    if (!url->host_is_address && ends_in_number(url->host))
        return error_set(ret_error, ERR_INVALID, "URL with a bad IPv4 address");
    return OK;
}

enum status url_parse(const char *text, struct url **ret_url, struct error *ret_error)
{
    enum status status = check_spelling(text, ret_error);
    if (status != OK)
        return status;
    AUTO(url) url = calloc(1, sizeof *url);
    CURLU *handle = curl_url();
    if (!url || !handle) {
        curl_url_cleanup(handle);
        return error_set(ret_error, ERR_NO_MEMORY, "URL");
    }
    status = copy_parts(url, handle, text, ret_error);
    curl_url_cleanup(handle);
    if (status == OK)
        status = normalise_host(url, ret_error);
    if (status == OK)
        *ret_url = TAKE(url);
    return status;
}

const char *url_scheme(const struct url *url)
{
    return url->scheme;
}

const char *url_host(const struct url *url)
{
    return url->host;
}

int url_port(const struct url *url)
{
    return url->port;
}

const char *url_path(const struct url *url)
{
    return url->path;
}

const char *url_query(const struct url *url)
{
    return url->query;
}

bool url_host_is_address(const struct url *url)
{
    return url->host_is_address;
}

bool url_host_is_loopback(const struct url *url)
{
    static const char localhost[] = "localhost";
    if (url->host_is_address)
        return strncmp(url->host, "127.", 4) == 0 || strcmp(url->host, "::1") == 0;
    size_t length = strlen(url->host);
    size_t tail = strlen(localhost);
    if (length < tail || strcmp(url->host + length - tail, localhost) != 0)
        return false;
    return length == tail || url->host[length - tail - 1] == '.';
}

bool url_append_target(const struct url *url, struct text_buffer *buffer)
{
    bool brackets = strchr(url->host, ':') != NULL;
    return text_buffer_append_format(buffer, "%s://%s%s%s:%d%s", url->scheme, brackets ? "[" : "", url->host,
                                     brackets ? "]" : "", url->port, url->path);
}

bool url_append_origin(const struct url *url, struct text_buffer *buffer)
{
    bool brackets = strchr(url->host, ':') != NULL;
    text_buffer_append_format(buffer, "%s://%s%s%s", url->scheme, brackets ? "[" : "", url->host, brackets ? "]" : "");
    if (url->port != (strcmp(url->scheme, "https") == 0 ? 443 : 80))
        text_buffer_append_format(buffer, ":%d", url->port);
    return !buffer->failed;
}

bool url_append_whole(const struct url *url, struct text_buffer *buffer)
{
    size_t start = buffer->length;
    url_append_target(url, buffer);
    if (url->query) {
        text_buffer_append_text(buffer, "?");
        text_buffer_append_text(buffer, url->query);
    }
    if (buffer->failed)
        text_buffer_truncate(buffer, start);
    return !buffer->failed;
}

enum status url_normalise_host(const char *host, char **ret_host, struct error *ret_error)
{
    /* The longest host, in brackets; U-labels may take more bytes than their A-labels. */
    enum { HOST_TEXT_MAX = 4 * HOST_MAX };
    if (strnlen(host, HOST_TEXT_MAX + 1) > HOST_TEXT_MAX || strpbrk(host, "/?#@"))
        return error_set(ret_error, ERR_INVALID, "not a host name");
    bool bare_ipv6 = strchr(host, ':') && host[0] != '[';
    if (host[0] == '[' && (strchr(host, ']') == NULL || strchr(host, ']')[1] != '\0'))
        return error_set(ret_error, ERR_INVALID, "not a host name");

    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, URL_MAX);
    text_buffer_append_format(&text, bare_ipv6 ? "https://[%s]/" : "https://%s/", host);
    if (text.failed)
        return error_set(ret_error, ERR_NO_MEMORY, "host name");
    AUTO(url) url = NULL;
    enum status status = url_parse(text.data, &url, ret_error);
    if (status == ERR_INVALID)
        return error_set(ret_error, ERR_INVALID, "not a host name");
    if (status != OK)
        return status;
    *ret_host = TAKE(url->host); /* NOLINT(clang-analyzer-core.NullDereference): set with OK */
    return OK;
}

#include "model/rule/uri_origin.h"

#include "base/text/url.h"

enum status uri_origin(const char *uri, char **ret_origin, struct error *ret_error)
{
    AUTO(url) url = NULL;
    enum status status = url_parse(uri, &url, ret_error);
    if (status != OK)
        return status;
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, URL_MAX);
    url_append_origin(url, &text);
    *ret_origin = text_buffer_take(&text);
    return *ret_origin ? OK : error_set(ret_error, ERR_NO_MEMORY, "origin of a URI");
}

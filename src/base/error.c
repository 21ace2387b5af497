#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status error_set(struct error *ret_error, enum status status, const char *format, ...)
{
    if (!ret_error)
        return status;
    va_list arguments;
    va_start(arguments, format);
    ret_error->status = status;
    if (vsnprintf(ret_error->message, sizeof ret_error->message, format, arguments) < 0)
        ret_error->message[0] = '\0';
    va_end(arguments);
    return status;
}

enum status error_prefix(struct error *error, const char *format, ...)
{
    char prefixed[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(prefixed, sizeof prefixed, format, arguments);
    va_end(arguments);
    if (written < 0 || (size_t)written >= sizeof prefixed)
        return error->status;

    size_t length = (size_t)written;
    size_t room = sizeof prefixed - length;
    const char *parts[] = {": ", error->message};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t size = strnlen(parts[i], room - 1);
        memcpy(prefixed + length, parts[i], size);
        length += size;
        room -= size;
    }
    prefixed[length] = '\0';
    memcpy(error->message, prefixed, length + 1);
    return error->status;
}

#include "model/catalog/component_reading.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json/json_read.h"

enum { POINTER_LENGTH = 512, NOTE_LENGTH = 512 };

void component_note(const struct component_reading *reading, const char *at, const char *format, ...)
{
    char pointer[POINTER_LENGTH];
    char note[NOTE_LENGTH];
    if (*at == '/')
        snprintf(pointer, sizeof pointer, "%s", at);
    else
        snprintf(pointer, sizeof pointer, "%s%s%s", reading->place, *at ? "/" : "", at);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note, sizeof note, format, arguments);
    va_end(arguments);
    fault_list_warn(reading->notes, reading->file, pointer, NULL, "%s", note);
}

const char *component_text(const struct component_reading *reading, const char *name)
{
    const char *text = json_read_string(reading->block, name);
    return text && *text ? text : NULL;
}

bool component_set(json_t *object, const char *name, json_t *take_value)
{
    return json_object_set_new(object, name, take_value) == 0;
}

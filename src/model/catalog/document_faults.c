#include "model/catalog/document_faults.h"

#include <stdarg.h>
#include <stdio.h>

void document_fault(struct document_faults *faults, const char *pointer, const char *hint, const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    faults->has_errors = true;
    fault_list_add(faults->list, faults->file, pointer, hint, "%s", message);
}

void document_warning(struct document_faults *faults, const char *pointer, const char *hint, const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fault_list_warn(faults->list, faults->file, pointer, hint, "%s", message);
}

void document_fault_nearest(struct document_faults *faults, const char *pointer, const char *nearest,
                            const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    char hint[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    faults->has_errors = true;
    fault_list_add(faults->list, faults->file, pointer, nearest ? hint : NULL, "%s", message);
}

bool document_check(struct document_faults *faults, const char *pointer, enum status status, const struct error *error)
{
    if (status == ERR_NO_MEMORY)
        faults->no_memory = true;
    else if (status != OK)
        document_fault(faults, pointer, NULL, "%s", error->message);
    return status == OK;
}

enum status document_faults_status(const struct document_faults *faults)
{
    if (faults->no_memory)
        return ERR_NO_MEMORY;
    return faults->has_errors ? ERR_INVALID : OK;
}

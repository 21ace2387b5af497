#include "base/fault_list.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"

enum { POINTER_MAX = 512, HINT_MAX = 128 };

struct fault_list {
    struct fault *faults;
    size_t count;
    size_t capacity;
    size_t left_out;
    char left_out_text[64];
    struct fault left_out_fault;
    bool has_errors;
};

struct fault_list *fault_list_create(void)
{
    return calloc(1, sizeof(struct fault_list));
}

static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void fault_finish(struct fault *fault)
{
    free_text(fault->file);
    free_text(fault->pointer);
    free_text(fault->message);
    free_text(fault->hint);
}

void fault_list_destroy(struct fault_list *faults)
{
    if (!faults)
        return;
    for (size_t i = 0; i < faults->count; i++)
        fault_finish(&faults->faults[i]);
    free(faults->faults);
    free(faults);
}

static bool make_room(struct fault_list *faults)
{
    if (faults->count < faults->capacity)
        return true;
    size_t capacity = faults->capacity ? faults->capacity * 2 : 8;
    struct fault *grown = reallocarray(faults->faults, capacity, sizeof *grown);
    if (!grown)
        return false;
    faults->faults = grown;
    faults->capacity = capacity;
    return true;
}

static void note_left_out(struct fault_list *faults, bool warning)
{
    faults->left_out++;
    snprintf(faults->left_out_text, sizeof faults->left_out_text, "%zu more faults were left out", faults->left_out);
    faults->left_out_fault = (struct fault){
        .file = "",
        .pointer = "",
        .message = faults->left_out_text,
        .warning = warning && (faults->left_out == 1 || faults->left_out_fault.warning),
    };
}

static void add_fault(struct fault_list *faults, const struct fault *fault, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static void add_fault(struct fault_list *faults, const struct fault *fault, const char *format, va_list arguments)
{
    if (!fault->warning)
        faults->has_errors = true;
    if (faults->count == FAULT_LIST_MAX) {
        note_left_out(faults, fault->warning);
        return;
    }
    char *message = NULL;
    if (vasprintf(&message, format, arguments) < 0)
        message = NULL;
    struct fault copy = {
        .file = strdup(fault->file),
        .pointer = strdup(fault->pointer),
        .message = message,
        .hint = fault->hint ? strdup(fault->hint) : NULL,
        .warning = fault->warning,
    };
    bool copied = copy.file && copy.pointer && copy.message && (copy.hint || !fault->hint);
    if (!copied || !make_room(faults)) {
        fault_finish(&copy);
        /* What cannot be told must not pass either. */
        faults->has_errors = true;
        return;
    }
    faults->faults[faults->count++] = copy;
}

void fault_list_add(struct fault_list *faults, const char *file, const char *pointer, const char *hint,
                    const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_fault(faults, &(struct fault){.file = file, .pointer = pointer, .hint = hint}, format, arguments);
    va_end(arguments);
}

void fault_list_warn(struct fault_list *faults, const char *file, const char *pointer, const char *hint,
                     const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_fault(faults, &(struct fault){.file = file, .pointer = pointer, .hint = hint, .warning = true}, format,
              arguments);
    va_end(arguments);
}

void fault_list_add_member(struct fault_list *faults, const char *file, const char *parent, const char *name,
                           const char *hint, const char *message)
{
    AUTO_FINISH(text_buffer) pointer;
    text_buffer_init(&pointer, POINTER_MAX);
    text_buffer_append_text(&pointer, parent);
    if (name)
        json_pointer_append(&pointer, name);
    fault_list_add(faults, file, text_buffer_text(&pointer), hint, "%s", message);
}

void fault_list_add_unknown(struct fault_list *faults, const char *file, const char *parent, const char *name,
                            const char *const *candidates, size_t count, const char *message)
{
    char hint[HINT_MAX];
    const char *nearest = nearest_name(name, candidates, count);
    if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    fault_list_add_member(faults, file, parent, name, nearest ? hint : NULL, message);
}

size_t fault_list_count(const struct fault_list *faults)
{
    return faults->count + (faults->left_out > 0);
}

const struct fault *fault_list_at(const struct fault_list *faults, size_t index)
{
    if (index < faults->count)
        return &faults->faults[index];
    return index == faults->count && faults->left_out > 0 ? &faults->left_out_fault : NULL;
}

bool fault_list_has_errors(const struct fault_list *faults)
{
    return faults->has_errors;
}

char *fault_format(const struct fault *fault)
{
    enum { FAULT_TEXT_MAX = 64 * 1024 };
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, FAULT_TEXT_MAX);
    if (fault->file[0] != '\0')
        text_buffer_append_format(&text, "%s: ", fault->file);
    if (fault->pointer[0] != '\0')
        text_buffer_append_format(&text, "%s: ", fault->pointer);
    text_buffer_append_text(&text, fault->message);
    if (fault->hint)
        text_buffer_append_format(&text, " (%s)", fault->hint);
    return text_buffer_take(&text);
}

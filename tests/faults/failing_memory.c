#include "failing_memory.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE_BLOCK = 64 * 1024 };

static size_t count;
static size_t fail_first; /* 0: none */
static size_t fail_end;
static bool has_failed;
static unsigned pauses;
static long live;
static size_t regained; /* bytes of large blocks that were freed while memory was short: they can be had again */

void failing_memory_arm(size_t first, size_t length)
{
    count = 0;
    has_failed = false;
    regained = 0;
    fail_first = first;
    fail_end = length < SIZE_MAX - first ? first + length : SIZE_MAX;
}

size_t failing_memory_disarm(void)
{
    fail_first = 0;
    return count;
}

bool failing_memory_has_failed(void)
{
    return has_failed;
}

void failing_memory_pause(void)
{
    pauses++;
}

void failing_memory_resume(void)
{
    pauses--;
}

long failing_memory_live(void)
{
    return live;
}

static bool is_refused(size_t size)
{
    if (pauses > 0)
        return false;
    count++;
    if (fail_first == 0 || count < fail_first || count >= fail_end)
        return false;
    if (size <= regained) {
        regained -= size;
        return false;
    }
    has_failed = true;
    errno = ENOMEM;
    return true;
}

static void *counted(void *block)
{
    live += block != NULL;
    return block;
}

/* The linker's names (ld(1), --wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t number, size_t size);
void __wrap_free(void *block);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_asprintf(char **ret_text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **ret_text, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));

void *__wrap_malloc(size_t size)
{
    return is_refused(size) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t number, size_t size)
{
    return is_refused(number * size) ? NULL : counted(__real_calloc(number, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (is_refused(size))
        return NULL;
    return block ? __real_realloc(block, size) : counted(__real_realloc(NULL, size));
}

void *__wrap_reallocarray(void *block, size_t number, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(number, size, &bytes) ? NULL : __wrap_realloc(block, bytes);
}

void __wrap_free(void *block)
{
    live -= block != NULL;
    size_t size = malloc_usable_size(block);
    if (has_failed && size >= LARGE_BLOCK)
        regained += size;
    __real_free(block);
}

char *__wrap_strndup(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    char *copy = __wrap_malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, strlen(text));
}

static int __attribute__((format(printf, 2, 0))) format_text(char **ret_text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *text = length < 0 ? NULL : __wrap_malloc((size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    *ret_text = text;
    return text ? length : -1;
}

int __wrap_asprintf(char **ret_text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = format_text(ret_text, format, arguments);
    va_end(arguments);
    return length;
}

/* What -D_FORTIFY_SOURCE makes of it. */
int __wrap___asprintf_chk(char **ret_text, int flag, const char *format, ...)
{
    (void)flag;
    va_list arguments;
    va_start(arguments, format);
    int length = format_text(ret_text, format, arguments);
    va_end(arguments);
    return length;
}

#include "walk.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log/log.h"
#include "base/random.h"

enum { NOTES_KEPT = 24, NOTE_SIZE = 160 };

static struct {
    unsigned seed;
    unsigned step;
    uint64_t random;
    char notes[NOTES_KEPT][NOTE_SIZE];
    unsigned noted;
} walk;

void walk_begin(unsigned seed)
{
    walk.seed = seed;
    walk.step = 0;
    walk.random = seed;
    walk.noted = 0;
}

void walk_next_step(void)
{
    walk.step++;
}

/* splitmix64: seeds that follow one another give walks that have nothing in common. */
static uint64_t next_random(void)
{
    walk.random += 0x9e3779b97f4a7c15U;
    uint64_t mixed = walk.random;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
}

unsigned walk_random(unsigned count)
{
    return (unsigned)((next_random() >> 32) % count);
}

static __attribute__((format(printf, 1, 0))) const char *note(const char *format, va_list arguments)
{
    char *line = walk.notes[walk.noted++ % NOTES_KEPT];
    int length = snprintf(line, NOTE_SIZE, "  step %u: ", walk.step);
    vsnprintf(line + length, NOTE_SIZE - (size_t)length, format, arguments);
    return line;
}

void walk_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    note(format, arguments);
    va_end(arguments);
}

void walk_violated(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fprintf(stderr, "violation: seed %u, step %u: ", walk.seed, walk.step);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nbefore it:\n");
    for (unsigned i = walk.noted > NOTES_KEPT ? walk.noted - NOTES_KEPT : 0; i < walk.noted; i++)
        fprintf(stderr, "%s\n", walk.notes[i % NOTES_KEPT]);
    abort();
}

unsigned walk_number_after(const char *text, const char *words)
{
    const char *found = strstr(text, words);
    return found ? (unsigned)strtoul(found + strlen(words), NULL, 10) : 0;
}

/* ---- the broker's log ---- */

static unsigned losses_told;
static unsigned unnoted_refreshes;

void log_write(enum log_level level, const char *format, ...)
{
    if (level > LOG_LEVEL_WARNING)
        return;
    va_list arguments;
    va_start(arguments, format);
    const char *line = note(format, arguments);
    losses_told += strstr(line, "rotation_ambiguous") != NULL;
    unnoted_refreshes += strstr(line, "it is refreshed although the store cannot note that") != NULL;
    va_end(arguments);
}

unsigned walk_losses_told(void)
{
    return losses_told;
}

unsigned walk_unnoted_refreshes(void)
{
    return unnoted_refreshes;
}

/* ---- the broker's random numbers ---- */

enum status random_bytes(void *ret_bytes, size_t size)
{
    unsigned char *bytes = ret_bytes;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)walk_random(256);
    return OK;
}

static void random_text(char *ret_text, size_t length, const char *letters)
{
    unsigned count = (unsigned)strlen(letters);
    for (size_t i = 0; i < length; i++)
        ret_text[i] = letters[walk_random(count)];
    ret_text[length] = '\0';
}

enum status random_token(char ret_text[RANDOM_TOKEN_SIZE])
{
    random_text(ret_text, RANDOM_TOKEN_SIZE - 1, "abcdefghijklmnopqrstuvwxyz0123456789");
    return OK;
}

enum status random_uuid(char ret_text[RANDOM_UUID_SIZE])
{
    random_text(ret_text, RANDOM_UUID_SIZE - 1, "0123456789abcdef");
    return OK;
}

double random_fraction(void)
{
    return walk_random(1000) / 1000.0;
}

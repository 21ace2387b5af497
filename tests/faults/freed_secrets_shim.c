/*
 * For LD_PRELOAD: looks into every block that is freed, whoever frees it, and writes a line to $FREED_SECRETS_FILE for
 * one that still holds a secret, with the way that led there. A secret is what begins with one of the words of
 * $FREED_SECRETS_MARKS (separated by commas), or looks like 256 random bits in base64url (and not
 * like a piece of a certificate, which has other letters, too).
 */
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libc's own, which must not be looked up: that would allocate. */
void __libc_free(void *block);
void *__libc_realloc(void *block, size_t size);

enum { MARKS_MAX = 16, RANDOM_LENGTH = 43, MARKED_LENGTH = 12, FRAMES_MAX = 24 };

static int fd = -1;
static char mark_text[256];
static const char *marks[MARKS_MAX];
static size_t mark_count;
static __thread bool is_reporting;

__attribute__((constructor)) static void begin(void)
{
    void *frame;
    backtrace(&frame, 1); /* loads what it needs before anything is watched */
    snprintf(mark_text, sizeof mark_text, "%s", getenv("FREED_SECRETS_MARKS"));
    char *rest = mark_text;
    for (char *mark; (mark = strsep(&rest, ",")) && mark_count < MARKS_MAX;)
        marks[mark_count++] = mark;
    fd = open(getenv("FREED_SECRETS_FILE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static bool is_word_byte(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           byte == '-' || byte == '_';
}

static bool is_marked(const char *word, size_t length)
{
    for (size_t i = 0; i < mark_count; i++) {
        size_t mark_length = strlen(marks[i]);
        if (length >= mark_length + MARKED_LENGTH && memmem(word, length, marks[i], mark_length))
            return true;
    }
    return false;
}

/* A fair share of each kind, which no name has. */
static bool is_random(const char *word, size_t length)
{
    size_t upper = 0, lower = 0, digits = 0;
    for (size_t i = 0; i < length; i++) {
        upper += word[i] >= 'A' && word[i] <= 'Z';
        lower += word[i] >= 'a' && word[i] <= 'z';
        digits += word[i] >= '0' && word[i] <= '9';
    }
    return length == RANDOM_LENGTH && upper >= 4 && lower >= 4 && digits >= 3;
}

static bool is_base64_only(char byte)
{
    return byte == '+' || byte == '/' || byte == '\n';
}

static const char *find_secret(const char *block, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        size_t begin = at;
        while (at < size && is_word_byte((unsigned char)block[at]))
            at++;
        bool is_cut = (begin > 0 && is_base64_only(block[begin - 1])) || (at < size && is_base64_only(block[at]));
        if (is_marked(block + begin, at - begin) || (is_random(block + begin, at - begin) && !is_cut))
            return block + begin;
    }
    return NULL;
}

static void look_into(const void *block)
{
    if (!block || fd < 0 || is_reporting)
        return;
    size_t size = malloc_usable_size((void *)(unsigned long)block);
    const char *secret = find_secret(block, size);
    if (!secret)
        return;
    is_reporting = true;
    void *frames[FRAMES_MAX];
    dprintf(fd, "a block of %zu bytes was freed with \"%.12s…\" in it by\n", size, secret);
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), fd);
    is_reporting = false;
}

void free(void *block)
{
    look_into(block);
    __libc_free(block);
}

void *realloc(void *block, size_t size)
{
    if (block && size > malloc_usable_size(block))
        look_into(block);
    return __libc_realloc(block, size);
}

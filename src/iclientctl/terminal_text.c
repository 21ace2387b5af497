#include "iclientctl/terminal_text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const tone_codes[] = {
    [TONE_PLAIN] = NULL,         [TONE_GOOD] = "\033[32m", [TONE_BAD] = "\033[31m",
    [TONE_CAUTION] = "\033[33m", [TONE_TITLE] = "\033[1m",
};

/* One UTF-8 character (RFC 3629 §4); 0 bytes when there is none. Overlong forms and surrogates are none. */
static size_t read_character(const char *text, uint32_t *ret_character)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};

    unsigned char first = (unsigned char)text[0];
    for (size_t more = 0; more < sizeof forms / sizeof forms[0]; more++) {
        if ((first & forms[more].mask) != forms[more].lead)
            continue;
        uint32_t character = first & (unsigned char)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if (((unsigned char)text[i] & 0xC0) != 0x80)
                return 0;
            character = character << 6 | ((unsigned char)text[i] & 0x3F);
        }
        bool surrogate = character >= 0xD800 && character <= 0xDFFF;
        if (character < forms[more].least || character > 0x10FFFF || surrogate)
            return 0;
        *ret_character = character;
        return more + 1;
    }
    return 0;
}

static bool is_obeyed_by_terminals(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x00, 0x1F}, {0x7F, 0x9F}, {0x2028, 0x202E}, {0x2066, 0x2069}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    }
    return false;
}

/* Length of the character at text, and whether it may be shown. */
static size_t next_character(const char *text, bool *ret_plain)
{
    uint32_t character;
    size_t length = read_character(text, &character);
    *ret_plain = length > 0 && !is_obeyed_by_terminals(character);
    return length > 0 ? length : 1;
}

bool terminal_text_append(struct text_buffer *buffer, const char *text)
{
    while (*text) {
        bool plain;
        size_t length = next_character(text, &plain);
        if (plain)
            text_buffer_append(buffer, text, length);
        for (size_t i = 0; !plain && i < length; i++)
            text_buffer_append_format(buffer, "\\x%02x", (unsigned char)text[i]);
        text += length;
    }
    return !buffer->failed;
}

bool terminal_text_is_plain(const char *text)
{
    bool plain = true;
    while (*text && plain)
        text += next_character(text, &plain);
    return plain;
}

size_t terminal_text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

bool terminal_has_colours(int descriptor)
{
    const char *refused = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return isatty(descriptor) && (!refused || !*refused) && terminal && strcmp(terminal, "dumb") != 0;
}

bool terminal_text_append_tone(struct text_buffer *buffer, const char *text, enum terminal_tone tone, bool colours)
{
    bool coloured = colours && tone_codes[tone];
    if (coloured)
        text_buffer_append_text(buffer, tone_codes[tone]);
    terminal_text_append(buffer, text);
    if (coloured)
        text_buffer_append_text(buffer, "\033[0m");
    return !buffer->failed;
}

static bool write_all(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

bool terminal_write(const char *bytes, size_t length)
{
    if (write_all(STDOUT_FILENO, bytes, length))
        return true;
    terminal_say("cannot write to the standard output: %s", strerror(errno));
    return false;
}

bool terminal_write_buffer(const struct text_buffer *buffer)
{
    if (!buffer->failed)
        return terminal_write(text_buffer_text(buffer), buffer->length);
    terminal_say("out of memory");
    return false;
}

bool terminal_is_read(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};
    if (poll(&output, 1, 0) <= 0 || !(output.revents & (POLLERR | POLLHUP)))
        return true;
    raise(SIGPIPE);
    terminal_say("cannot write to the standard output: %s", strerror(EPIPE));
    return false;
}

static int append_json_piece(const char *bytes, size_t length, void *buffer)
{
    return text_buffer_append(buffer, bytes, length) ? 0 : -1;
}

static bool append_json(struct text_buffer *buffer, const json_t *value, size_t flags)
{
    json_dump_callback(value, append_json_piece, buffer, flags | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    return text_buffer_append_text(buffer, "\n");
}

bool terminal_write_json(const json_t *value)
{
    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, TERMINAL_TEXT_MAX);
    append_json(&line, value, JSON_COMPACT);
    return terminal_write_buffer(&line);
}

bool terminal_text_append_document(struct text_buffer *buffer, const json_t *document)
{
    return append_json(buffer, document, JSON_INDENT(2));
}

bool terminal_write_document(const json_t *document)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, TERMINAL_TEXT_MAX);
    terminal_text_append_document(&text, document);
    return terminal_write_buffer(&text);
}

void terminal_say(const char *format, ...)
{
    enum { SAY_MAX = 16 * 1024 };
    char text[SAY_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;

    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, SAY_MAX * 4 + sizeof "iclientctl: \n");
    text_buffer_append_text(&line, "iclientctl: ");
    terminal_text_append(&line, text);
    text_buffer_append_text(&line, "\n");
    /* Where stderr cannot be written nobody can be told. */
    (void)write_all(STDERR_FILENO, text_buffer_text(&line), line.length);
}

#include "iclientctl/terminal/terminal_text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text/text_character.h"

static const char *const tone_codes[] = {
    [TONE_PLAIN] = NULL,         [TONE_GOOD] = "\033[32m", [TONE_BAD] = "\033[31m",
    [TONE_CAUTION] = "\033[33m", [TONE_TITLE] = "\033[1m",
};

bool terminal_text_append(struct text_buffer *buffer, const char *text)
{
    while (*text) {
        bool plain;
        size_t length = text_character_next(text, &plain);
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
        text += text_character_next(text, &plain);
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

#ifndef ICLIENTCTL_TERMINAL_TERMINAL_TEXT_H
#define ICLIENTCTL_TERMINAL_TERMINAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/text/text_buffer.h"

/*
 * What a person reads. Data goes to stdout, words to stderr. Text from the daemon, a provider or a file may hold
 * bytes that a terminal obeys: everything here writes those as \xNN, so that nobody can repaint the screen.
 */
enum { TERMINAL_TEXT_MAX = 512 * 1024 * 1024, TERMINAL_COLUMNS_MAX = 8 };

enum terminal_tone { TONE_PLAIN, TONE_GOOD, TONE_BAD, TONE_CAUTION, TONE_TITLE };

/*
 * Appends text. Bytes that are no UTF-8 and characters that base/text/text_character.h calls hidden are written as
 * \xNN, byte by byte.
 */
bool terminal_text_append(struct text_buffer *buffer, const char *text);
/* True for text that terminal_text_append() would leave as it is. */
bool terminal_text_is_plain(const char *text);
/* Characters that text takes on a line: one per code point. */
size_t terminal_text_width(const char *text);

/* Colours only on a terminal, and not under NO_COLOR (no-color.org) or TERM=dumb. */
bool terminal_has_colours(int descriptor);
/* Appends text, escaped, in its tone; tones are dropped when !colours. */
bool terminal_text_append_tone(struct text_buffer *buffer, const char *text, enum terminal_tone tone, bool colours);

/* Writes all of it as it is; false (and said on stderr) when the system refuses, as a full disk does. */
bool terminal_write(const char *bytes, size_t length);
bool terminal_write_buffer(const struct text_buffer *buffer);
/* Whether anybody could still read stdout. Else ends the program as a write would, or says so and is false. */
bool terminal_is_read(void);
/* One JSON value on one line of stdout, in ASCII. */
bool terminal_write_json(const json_t *value);
/* A document over several lines, to be kept in a file and edited. */
bool terminal_write_document(const json_t *document);
bool terminal_text_append_document(struct text_buffer *buffer, const json_t *document);

/* "iclientctl: text" on stderr, escaped, one write. */
void terminal_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Rows of cells, printed in columns as wide as their widest cell. */
struct terminal_table;
struct terminal_cell {
    const char *text; /* NULL is shown as "-" */
    enum terminal_tone tone;
};

/* titles: columns texts, or NULL for no line of titles. columns: at most TERMINAL_COLUMNS_MAX. NULL when out of memory.
 */
struct terminal_table *terminal_table_create(const char *const *titles, size_t columns);
void terminal_table_destroy(struct terminal_table *table);
AUTO_DEFINE(terminal_table);
/* Copies the cells. Out of memory is remembered and makes terminal_table_append() fail. */
void terminal_table_add(struct terminal_table *table, const struct terminal_cell *cells);
bool terminal_table_append(const struct terminal_table *table, bool colours, struct text_buffer *buffer);

#endif

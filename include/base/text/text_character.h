#ifndef BASE_TEXT_TEXT_CHARACTER_H
#define BASE_TEXT_TEXT_CHARACTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * UTF-8, one character at a time, and which characters must not reach a reader's eyes as they are: a text from a
 * provider or a file may otherwise repaint a terminal, turn the direction of writing, or look like another text.
 */

/* Bytes of the character that starts at bytes; 0 when it is none (RFC 3629 §4: no overlong form, no surrogate). */
size_t text_character_read(const char *bytes, size_t length, uint32_t *ret_character);

/*
 * Controls (C0, DEL, C1), line and paragraph separator, characters that turn the direction of writing, and characters
 * without a width of their own: soft hyphen, zero width space and joiners, fillers, tags. Line feed and tab are
 * controls too.
 */
bool text_character_is_hidden(uint32_t character);

/* Bytes of the next character of a text that has one, at least 1. ret_is_plain: it is UTF-8 and not hidden. */
size_t text_character_next(const char *text, bool *ret_is_plain);

#endif

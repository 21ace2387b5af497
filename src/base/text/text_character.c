#include "base/text/text_character.h"

#include <string.h>

enum { CHARACTER_BYTES_MAX = 4 };

size_t text_character_read(const char *bytes, size_t length, uint32_t *ret_character)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};

    for (size_t more = 0; more < sizeof forms / sizeof forms[0] && more < length; more++) {
        unsigned char first = (unsigned char)bytes[0];
        if ((first & forms[more].mask) != forms[more].lead)
            continue;
        uint32_t character = first & (unsigned char)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if (((unsigned char)bytes[i] & 0xC0) != 0x80)
                return 0;
            character = character << 6 | ((unsigned char)bytes[i] & 0x3F);
        }
        bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
        if (character < forms[more].least || character > 0x10FFFF || is_surrogate)
            return 0;
        *ret_character = character;
        return more + 1;
    }
    return 0;
}

bool text_character_is_hidden(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1F},       /* C0 */
        {0x7F, 0x9F},       /* DEL, C1 */
        {0xAD, 0xAD},       /* soft hyphen */
        {0x034F, 0x034F},   /* combining grapheme joiner */
        {0x061C, 0x061C},   /* Arabic letter mark */
        {0x115F, 0x1160},   /* Hangul fillers */
        {0x17B4, 0x17B5},   /* Khmer vowels that are not shown */
        {0x180B, 0x180F},   /* Mongolian separators */
        {0x200B, 0x200F},   /* zero width space and joiners, direction marks */
        {0x2028, 0x202E},   /* line and paragraph separator, embeddings and overrides of direction */
        {0x2060, 0x206F},   /* word joiner, invisible operators, isolates */
        {0x3164, 0x3164},   /* Hangul filler */
        {0xFEFF, 0xFEFF},   /* byte order mark */
        {0xFFA0, 0xFFA0},   /* halfwidth Hangul filler */
        {0xFFF0, 0xFFFB},   /* interlinear annotation */
        {0x1D173, 0x1D17A}, /* musical controls */
        {0xE0000, 0xE0FFF}, /* tags */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0] && character >= ranges[i].first; i++) {
        if (character <= ranges[i].last)
            return true;
    }
    return false;
}

size_t text_character_next(const char *text, bool *ret_is_plain)
{
    uint32_t character;
    size_t length = text_character_read(text, strnlen(text, CHARACTER_BYTES_MAX), &character);
    *ret_is_plain = length > 0 && !text_character_is_hidden(character);
    return length > 0 ? length : 1;
}

#include <criterion/criterion.h>
#include <string.h>

#include "base/text/text_character.h"

Test(text_character, one_character_is_read_at_a_time)
{
    static const struct {
        const char *bytes;
        size_t expected;
        uint32_t character;
    } cases[] = {
        {"a", 1, 'a'},
        {"\xC3\xA9x", 2, 0xE9},
        {"\xE2\x80\xAE", 3, 0x202E},
        {"\xF0\x9F\x98\x80", 4, 0x1F600},
        {"\x80", 0, 0},             /* a continuation */
        {"\xC3", 0, 0},             /* cut off */
        {"\xE2\x82", 0, 0},         /* cut off */
        {"\xC0\xAF", 0, 0},         /* overlong */
        {"\xED\xA0\x80", 0, 0},     /* surrogate */
        {"\xF4\x90\x80\x80", 0, 0}, /* beyond U+10FFFF */
        {"\xFF", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t character = 0;
        cr_expect_eq(text_character_read(cases[i].bytes, strlen(cases[i].bytes), &character), cases[i].expected, "%zu",
                     i);
        cr_expect_eq(character, cases[i].character, "%zu", i);
    }
    uint32_t character;
    cr_assert_eq(text_character_read("", 0, &character), 0);
}

Test(text_character, hidden_are_controls_bidi_and_zero_width)
{
    static const struct {
        uint32_t character;
        bool is_hidden;
    } cases[] = {
        {0x00, true},    {0x0A, true},    {0x1B, true},     {0x1F, true},    {0x20, false},     {0x7E, false},
        {0x7F, true},    {0x9B, true},    {0x9F, true},     {0xA0, false},   {0xAD, true},      {0xE9, false},
        {0x061C, true},  {0x180E, true},  {0x200A, false},  {0x200B, true},  {0x200D, true},    {0x200F, true},
        {0x2010, false}, {0x2027, false}, {0x2028, true},   {0x202A, true},  {0x202E, true},    {0x202F, false},
        {0x2060, true},  {0x2066, true},  {0x2069, true},   {0x206F, true},  {0x2070, false},   {0x3164, true},
        {0xFEFF, true},  {0xFFFD, false}, {0x1F600, false}, {0xE0041, true}, {0x10FFFF, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(text_character_is_hidden(cases[i].character), cases[i].is_hidden, "U+%04X", cases[i].character);
}

Test(text_character, next_goes_on_by_one_byte_where_there_is_no_character)
{
    bool is_plain;
    cr_expect_eq(text_character_next("\xC3(", &is_plain), 1);
    cr_expect_not(is_plain);
    cr_expect_eq(text_character_next("\xE2\x80\xAE", &is_plain), 3);
    cr_expect_not(is_plain);
    cr_expect_eq(text_character_next("\xE2\x82\xAC", &is_plain), 3);
    cr_expect(is_plain);
}

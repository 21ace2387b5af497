/* Apart from clock.c, so that a test can link a clock of its own and still format times. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The years 0000 to 9999, all that four digits can say. */
static const int64_t wall_min = -62167219200;
static const int64_t wall_max = 253402300799;

void clock_format(int64_t wall, char text[CLOCK_TEXT_SIZE])
{
    if (wall < wall_min)
        wall = wall_min;
    if (wall > wall_max)
        wall = wall_max;
    time_t seconds = wall;
    struct tm parts;
    gmtime_r(&seconds, &parts);
    char date[sizeof "2026-01-01T00:00:00"];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    /* %Y writes small years with less than four digits. */
    snprintf(text, CLOCK_TEXT_SIZE, "%04u%.15s.000Z", (unsigned)(parts.tm_year + 1900) % 10000, strchr(date, '-'));
}

/* Reads exactly count digits and moves *at past them. */
static bool read_digits(const char **at, int count, int *ret_number)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return false;
        number = number * 10 + (c - '0');
    }
    *at += count;
    *ret_number = number;
    return true;
}

static bool read_character(const char **at, const char *allowed)
{
    if (**at == '\0' || !strchr(allowed, **at))
        return false;
    (*at)++;
    return true;
}

static bool read_time_of_day(const char **at, struct tm *parts)
{
    return read_digits(at, 2, &parts->tm_hour) && read_character(at, ":") && read_digits(at, 2, &parts->tm_min) &&
           read_character(at, ":") && read_digits(at, 2, &parts->tm_sec);
}

/* False for a time that no calendar has, such as February 30. Second 60 is a leap second: the one after 59. */
static bool wall_from_parts(const struct tm *parts, int64_t *ret_wall)
{
    if (parts->tm_hour > 23 || parts->tm_min > 59 || parts->tm_sec > 60)
        return false;
    struct tm normal = *parts;
    time_t wall = timegm(&normal);
    struct tm day = *parts;
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    timegm(&day);
    if (day.tm_mon != parts->tm_mon)
        return false;
    *ret_wall = wall;
    return true;
}

/* "Z", "+02:00", "+0200", "+02" or nothing up to the end of the text: seconds east of UTC. */
static bool read_offset(const char *at, int *ret_seconds)
{
    int hours = 0;
    int minutes = 0;
    if (*at == 'Z' || *at == 'z' || *at == '\0') {
        *ret_seconds = 0;
        return *at == '\0' || at[1] == '\0';
    }
    int sign = *at == '-' ? -1 : 1;
    if (!read_character(&at, "+-") || !read_digits(&at, 2, &hours))
        return false;
    if (*at == ':')
        at++;
    else if (*at == '\0')
        at = "00";
    if (!read_digits(&at, 2, &minutes) || *at != '\0' || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool clock_parse(const char *text, int64_t *ret_wall)
{
    struct tm parts = {0};
    int year;
    int month;
    int offset;
    int64_t wall;
    if (!read_digits(&text, 4, &year) || !read_character(&text, "-") || !read_digits(&text, 2, &month) ||
        !read_character(&text, "-") || !read_digits(&text, 2, &parts.tm_mday) || !read_character(&text, "Tt ") ||
        !read_time_of_day(&text, &parts))
        return false;
    if (read_character(&text, ".,")) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0)
            return false;
        text += digits;
    }
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    if (month < 1 || month > 12 || !read_offset(text, &offset) || !wall_from_parts(&parts, &wall))
        return false;
    *ret_wall = wall - offset;
    return true;
}

/* The index of the name at *at in a row of three-letter names; -1 when it is none of them. */
static int read_short_name(const char **at, const char *names)
{
    for (int i = 0; names[i * 3] != '\0'; i++) {
        if (strncmp(*at, names + i * 3, 3) == 0) {
            *at += 3;
            return i;
        }
    }
    return -1;
}

static bool read_word(const char **at, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

/* By hand: strptime() follows the locale. */
bool clock_parse_http_date(const char *text, int64_t *ret_wall)
{
    struct tm parts = {0};
    int year;
    if (read_short_name(&text, "SunMonTueWedThuFriSat") < 0 || !read_word(&text, ", ") ||
        !read_digits(&text, 2, &parts.tm_mday) || !read_word(&text, " "))
        return false;
    parts.tm_mon = read_short_name(&text, "JanFebMarAprMayJunJulAugSepOctNovDec");
    if (parts.tm_mon < 0 || !read_word(&text, " ") || !read_digits(&text, 4, &year) || !read_word(&text, " ") ||
        !read_time_of_day(&text, &parts) || strcmp(text, " GMT") != 0)
        return false;
    parts.tm_year = year - 1900;
    return wall_from_parts(&parts, ret_wall);
}

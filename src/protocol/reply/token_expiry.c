#include "protocol/reply/token_expiry.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json/json_read.h"

static const int64_t lifetime_max = INT64_C(100) * 365 * 24 * 3600;
static const double point_in_time_min = 1e9; /* as a lifetime: 31 years */
static const double milliseconds_min = 1e11; /* as seconds: the year 5138 */
enum { LIFETIME_DEFAULT = 3600 };

int64_t token_expiry_clamp(int64_t now, int64_t expires_at)
{
    if (expires_at < now)
        return now;
    return expires_at - now > lifetime_max ? now + lifetime_max : expires_at;
}

int64_t token_expiry_after(int64_t now, int64_t lifetime)
{
    if (lifetime < 0)
        return now;
    return now + (lifetime > lifetime_max ? lifetime_max : lifetime);
}

int64_t token_expiry_default(const struct iclient *iclient, int64_t now)
{
    int64_t lifetime = iclient_number(iclient, ICLIENT_ACCESS_TOKEN_LIFETIME, LIFETIME_DEFAULT);
    return lifetime == 0 ? 0 : token_expiry_after(now, lifetime);
}

/* Digits, with a fraction or without: strtod() alone would take "infinity", "0x1p9" and spaces too. */
static bool read_decimal(const char *text, double *ret_number)
{
    static const char digits[] = "0123456789";
    const char *at = text + (*text == '-');
    size_t whole = strspn(at, digits);
    at += whole;
    if (*at == '.')
        at += 1 + strspn(at + 1, digits);
    if (whole == 0 || *at != '\0')
        return false;
    *ret_number = strtod(text, NULL);
    return true;
}

/* A number, whole or not, or the same in a string; one beyond all bounds may come out as infinite. */
static bool read_number(const json_t *value, double *ret_number)
{
    if (json_is_string(value))
        return read_decimal(json_string_value(value), ret_number);
    if (!json_is_number(value))
        return false;
    *ret_number = json_number_value(value);
    return true;
}

static int64_t to_seconds(double number)
{
    if (number < 0)
        return 0;
    return number > (double)lifetime_max ? lifetime_max : (int64_t)number;
}

static double unit_seconds(const struct iclient *iclient)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"milliseconds", 0.001}, {"minutes", 60}, {"hours", 3600}, {"days", 86400}};
    const char *unit = iclient_text(iclient, ICLIENT_EXPIRES_IN_UNIT);
    for (size_t i = 0; unit && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(units[i].name, unit) == 0)
            return units[i].seconds;
    }
    return 1;
}

/* Seconds since 1970, or milliseconds when it can be nothing else. */
static int64_t to_wall(double number)
{
    if (number > milliseconds_min)
        number /= 1000;
    if (number < 0)
        return 0;
    return number > milliseconds_min ? (int64_t)milliseconds_min : (int64_t)number;
}

/* As a number, or ISO 8601. */
static bool read_point_in_time(const json_t *value, int64_t now, int64_t *ret_expires_at)
{
    int64_t wall;
    double number;
    if (read_number(value, &number))
        wall = to_wall(number);
    else if (!json_is_string(value) || !clock_parse(json_string_value(value), &wall))
        return false;
    *ret_expires_at = token_expiry_clamp(now, wall);
    return true;
}

static json_t *find(const struct iclient *iclient, enum iclient_field field, const struct reply_document *body)
{
    return reply_path_find_one(iclient_reply_path(iclient, field, 0), body);
}

int64_t token_expiry_read(const struct iclient *iclient, const struct reply_document *body, int64_t now)
{
    int64_t expires_at;
    AUTO_JSON at = find(iclient, ICLIENT_EXPIRES_AT_PATH, body);
    if (read_point_in_time(at, now, &expires_at))
        return expires_at;
    double number;
    AUTO_JSON lifetime = find(iclient, ICLIENT_EXPIRES_IN_PATH, body);
    if (read_number(lifetime, &number))
        return token_expiry_after(now, to_seconds(number * unit_seconds(iclient)));
    /* A refresh reply may have RFC 6749's own name where the code reply has another (Slack). */
    AUTO_JSON usual = reply_document_member(body, "expires_in");
    if (read_number(usual, &number))
        return token_expiry_after(now, to_seconds(number));
    return token_expiry_default(iclient, now);
}

bool token_expiry_read_refresh(const struct iclient *iclient, const struct reply_document *body, int64_t now,
                               int64_t *ret_expires_at)
{
    AUTO_JSON value = find(iclient, ICLIENT_REFRESH_EXPIRES_IN_PATH, body);
    double number;
    if (!read_number(value, &number) || number >= point_in_time_min)
        return read_point_in_time(value, now, ret_expires_at); /* Clover, Square */
    *ret_expires_at = token_expiry_after(now, to_seconds(number * unit_seconds(iclient)));
    return true;
}

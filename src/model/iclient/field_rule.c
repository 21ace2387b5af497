#include "model/iclient/field_rule.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "model/rule/name_rule.h"
#include "model/template/template.h"
#include "model/template/wire_text.h"

enum { VERSION_MAX = 64 };

static const char *check_name(const char *text)
{
    return name_is_valid(text) ? NULL : NAME_RULE_TEXT;
}

static const char *check_version(const char *text)
{
    for (const char *at = text; *at; at++)
        if (!isgraph((unsigned char)*at))
            return "must be printable ASCII without spaces";
    return strlen(text) <= VERSION_MAX ? NULL : "is longer than 64 characters";
}

static const char *check_header_name(const char *text)
{
    return header_name_is_token(text) ? NULL : "is no header name (RFC 9110 §5.6.2)";
}

static const char *check_scheme(const char *text)
{
    return *text == '\0' || header_name_is_token(text) ? NULL : "is no authentication scheme (RFC 9110 §11.1)";
}

/* RFC 6749 §3.1.2: absolute, without a fragment. eBay's RuName has a field of its own. */
static const char *check_redirect_uri(const char *text)
{
    if (template_is_in(text))
        return "must be written out: no templates in a redirect URI";
    const char *at = text;
    while (isalnum((unsigned char)*at) || (*at && strchr("+-.", *at)))
        at++;
    if (at == text || *at != ':')
        return "must be an absolute URI (RFC 6749 §3.1.2)";
    if (strchr(text, '#'))
        return "must not have a fragment (RFC 6749 §3.1.2)";
    return strchr(text, ' ') ? "has a space in it" : NULL;
}

static const char *check_uri(const char *text)
{
    if (strncasecmp(text, "https://", 8) == 0 || strncasecmp(text, "http://", 7) == 0)
        return NULL;
    return "must start with \"https://\"";
}

/* RFC 8414 §2, RFC 9207 §2: without query and fragment. It is compared, and never asked. */
static const char *check_issuer(const char *text)
{
    return strpbrk(text, "?#") ? "must have no query and no fragment (RFC 8414 §2)" : check_uri(text);
}

static const struct {
    enum iclient_field field;
    const char *(*check)(const char *text);
} rules[] = {
    {ICLIENT_NAME, check_name},
    {ICLIENT_PROVIDER, check_name},
    {ICLIENT_TENANT, check_name},
    {ICLIENT_COMPONENT, check_name},
    {ICLIENT_VERSION, check_version},
    {ICLIENT_REDIRECT_URI, check_redirect_uri},
    {ICLIENT_REDIRECT_URIS, check_redirect_uri},
    {ICLIENT_ISSUER, check_issuer},
    {ICLIENT_AUTH_URI, check_uri},
    {ICLIENT_TOKEN_URI, check_uri},
    {ICLIENT_REFRESH_URI, check_uri},
    {ICLIENT_REVOKE_URI, check_uri},
    {ICLIENT_ACCESS_TOKEN_HEADER_NAME, check_header_name},
    {ICLIENT_SCHEME, check_scheme},
};

static bool may_be_empty(enum iclient_field field)
{
    return field == ICLIENT_SCHEME || field == ICLIENT_SCOPE_DELIMITER || field == ICLIENT_DESCRIPTION ||
           field == ICLIENT_FAIL_VALUES;
}

static bool may_have_controls(enum iclient_field field)
{
    return field == ICLIENT_SCOPE_DELIMITER || field == ICLIENT_DESCRIPTION || field == ICLIENT_SALESFORCE_PUBLIC_KEY;
}

static bool has_controls(const char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return true;
    return false;
}

const char *field_rule_broken(enum iclient_field field, const char *text)
{
    if (*text == '\0' && !may_be_empty(field))
        return "is empty: leave it out when there is none";
    if (strlen(text) > FIELD_TEXT_MAX)
        return "is longer than 8192 bytes";
    if (!may_have_controls(field) && has_controls(text))
        return "has a control character in it";
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].field == field)
            return rules[i].check(text);
    return NULL;
}

const char *field_choice(const struct iclient_field_row *row, const char *text)
{
    for (const char *const *choice = row->choices; *choice; choice++)
        if (strcasecmp(*choice, text) == 0)
            return *choice;
    for (const struct iclient_field_word *other = row->other_words; other && other->word; other++)
        if (strcasecmp(other->word, text) == 0)
            return other->choice;
    return NULL;
}

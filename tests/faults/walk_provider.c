#include "walk_provider.h"

#include <stdio.h>
#include <string.h>

#include "walk.h"

enum { HOST_SIZE = 64, CLIENT_SIZE = 32 };

/* A login begins a family; of its refresh tokens only the newest is valid. */
struct family {
    unsigned newest;
    bool is_revoked;
};
struct issued_token {
    unsigned family;
    char host[HOST_SIZE];
    char client[CLIENT_SIZE];
};
/* Where a request came to, and from whom. */
struct party {
    char host[HOST_SIZE];
    char client[CLIENT_SIZE];
};

static struct {
    struct family families[WALK_TOKENS_MAX];
    struct issued_token tokens[WALK_TOKENS_MAX];
    unsigned family_count;
    unsigned token_count; /* number 0 is none */
} provider;

static struct {
    unsigned requests;
    unsigned grants;
} seen;

enum mood { MOOD_UNREACHED, MOOD_UNAVAILABLE, MOOD_LOST, MOOD_REFUSING, MOOD_CLIENT_UNKNOWN, MOOD_WILLING };

/* As often as it stands here. */
static const enum mood moods[] = {MOOD_UNREACHED,      MOOD_UNREACHED, MOOD_UNAVAILABLE, MOOD_LOST,    MOOD_REFUSING,
                                  MOOD_CLIENT_UNKNOWN, MOOD_WILLING,   MOOD_WILLING,     MOOD_WILLING, MOOD_WILLING};
static const unsigned lifetimes[] = {3600, 3600, 60, 5, 0};

enum { MOODS = sizeof moods / sizeof *moods, LIFETIMES = sizeof lifetimes / sizeof *lifetimes };

void walk_provider_reset(void)
{
    memset(&provider, 0, sizeof provider);
}

static void answer(struct walk_answer *ret_answer, int status, const char *body)
{
    ret_answer->kind = WALK_ANSWERED;
    ret_answer->status = status;
    snprintf(ret_answer->body, sizeof ret_answer->body, "%s", body);
    walk_note("provider: %d %s", status, ret_answer->body);
}

/* "https://as.example.com/token": what stands before the path; "client_id=…" in the body. */
static struct party party_of(const char *url, const char *body)
{
    struct party party = {0};
    const char *host = url + strlen("https://");
    const char *client = strstr(body, "client_id=");
    snprintf(party.host, HOST_SIZE, "%.*s", (int)strcspn(host, "/"), host);
    if (client)
        client += strlen("client_id=");
    if (client)
        snprintf(party.client, CLIENT_SIZE, "%.*s", (int)strcspn(client, "&"), client);
    return party;
}

static struct family *family_of(unsigned token, const struct party *party)
{
    if (token == 0 || token > provider.token_count)
        walk_violated("rt-%u was never issued", token);
    const struct issued_token *issued = &provider.tokens[token];
    if (strcmp(issued->host, party->host) != 0)
        walk_violated("token %u of %s came to %s", token, issued->host, party->host);
    if (strcmp(issued->client, party->client) != 0)
        walk_violated("token %u of client %s came from %s", token, issued->client, party->client);
    return &provider.families[issued->family];
}

static unsigned issue(struct family *family, const struct party *party)
{
    if (provider.token_count + 1 >= WALK_TOKENS_MAX)
        walk_violated("the provider has no room for another token");
    struct issued_token *issued = &provider.tokens[++provider.token_count];
    issued->family = (unsigned)(family - provider.families);
    memcpy(issued->host, party->host, HOST_SIZE);
    memcpy(issued->client, party->client, CLIENT_SIZE);
    family->newest = provider.token_count;
    return provider.token_count;
}

/* RFC 7009 §2.1: with the refresh token goes what was granted with it. An access token alone ends nothing here. */
static void answer_revoke(const struct party *party, const char *body, enum mood mood, struct walk_answer *ret_answer)
{
    unsigned token = walk_number_after(body, "token=rt-");
    unsigned access_token = walk_number_after(body, "token=at-");
    if (token)
        family_of(token, party)->is_revoked = true;
    if (access_token)
        family_of(access_token, party);
    if (mood != MOOD_LOST) {
        answer(ret_answer, 200, "");
        return;
    }
    ret_answer->kind = WALK_LOST;
    walk_note("provider: revoked rt-%u, answer lost", token);
}

/* A silent answer keeps the old refresh token (RFC 6749 §6). */
static void answer_grant(struct family *family, const struct party *party, enum mood mood,
                         struct walk_answer *ret_answer)
{
    bool rotates = ret_answer->sent == 0 || walk_random(4) > 0;
    unsigned lifetime = lifetimes[walk_random(LIFETIMES)];
    unsigned token = rotates ? issue(family, party) : ret_answer->sent;
    char body[sizeof ret_answer->body];
    int length = snprintf(body, sizeof body, "{\"access_token\":\"at-%u\",\"expires_in\":%u", token, lifetime);
    if (rotates)
        length += snprintf(body + length, sizeof body - (size_t)length, ",\"refresh_token\":\"rt-%u\"", token);
    snprintf(body + length, sizeof body - (size_t)length, "}");
    ret_answer->granted = token;
    seen.grants++;
    if (mood != MOOD_LOST) {
        answer(ret_answer, 200, body);
        return;
    }
    ret_answer->kind = WALK_LOST;
    walk_note("provider: granted rt-%u after rt-%u, answer lost", token, ret_answer->sent);
}

static void answer_token_request(const struct party *party, const char *body, enum mood mood,
                                 struct walk_answer *ret_answer)
{
    struct family *family = NULL;
    if (strstr(body, "grant_type=refresh_token")) {
        family = family_of(ret_answer->sent, party);
        if (family->is_revoked || family->newest != ret_answer->sent) {
            ret_answer->is_spent = !family->is_revoked;
            answer(ret_answer, 400, "{\"error\":\"invalid_grant\"}");
            return;
        }
    } else if (!strstr(body, "grant_type=authorization_code")) {
        walk_violated("a request of no grant");
    }
    if (mood == MOOD_CLIENT_UNKNOWN) {
        answer(ret_answer, 401, "{\"error\":\"invalid_client\"}");
        return;
    }
    if (mood == MOOD_REFUSING) {
        answer(ret_answer, 400, "{\"error\":\"invalid_request\"}");
        return;
    }
    answer_grant(family ? family : &provider.families[provider.family_count++], party, mood, ret_answer);
}

void walk_provider_answer(const char *url, const char *body, struct walk_answer *ret_answer)
{
    enum mood mood = moods[walk_random(MOODS)];
    struct party party = party_of(url, body);
    *ret_answer = (struct walk_answer){.sent = walk_number_after(body, "refresh_token=rt-")};
    seen.requests++;
    if (mood == MOOD_UNREACHED) {
        walk_note("provider: not reached");
        ret_answer->kind = WALK_UNSENT;
    } else if (mood == MOOD_UNAVAILABLE) {
        answer(ret_answer, 503, "{}");
    } else if (strstr(url, "/revoke")) {
        answer_revoke(&party, body, mood, ret_answer);
    } else {
        answer_token_request(&party, body, mood, ret_answer);
    }
}

bool walk_provider_has_revoked(unsigned token)
{
    return provider.families[provider.tokens[token].family].is_revoked;
}

unsigned walk_provider_requests(void)
{
    return seen.requests;
}

unsigned walk_provider_grants(void)
{
    return seen.grants;
}

/*
 * What the walk expects of the broker, and the rules that hold after each step. On the broker's fixture, and like that
 * included once.
 */
#ifndef TEST_FAULTS_WALK_RULES_H
#define TEST_FAULTS_WALK_RULES_H

#include "broker/broker_fixture.h"

#include "broker/coordinator.h"
#include "broker/exchange/revocation.h"
#include "broker/entry/token_reports.h"
#include "broker/exchange/token_fetch_state.h"
#include "walk.h"
#include "walk_provider.h"

enum { CALLERS = 64, TIMERS_IN_A_ROW_MAX = 500, USERS = 2, FIRST_UID = 1000 };

/* The hosts come out of a template; client id and secret stand in the body, where the provider looks at the former. */
#define WALK_ICLIENT(client, secret, active, host, scope)                                                              \
    "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"active\":" active ",\"settings\":{\"host\":\"" host "\"},"    \
    "\"oauth2\":{\"grantType\":\"authorizecode\",\"clientCredentialsLocation\":\"body\",\"clientId\":\"" client        \
    "\",\"clientSecret\":\"" secret "\",\"scope\":[" scope "],\"validDomainNames\":[\"example.com\"],"                 \
    "\"auth\":{\"uri\":\"https://{{{iClient.settings.host}}}/a\"},"                                                    \
    "\"token\":{\"uri\":\"https://{{{iClient.settings.host}}}/token\"},"                                               \
    "\"revoke\":{\"uri\":\"https://{{{iClient.settings.host}}}/revoke\"}}}"
#define HOME_HOST "as.example.com"

enum configuration {
    AT_HOME,
    OTHER_SECRET,
    LESS_SCOPE,
    OTHER_SCOPE,
    OTHER_HOST,
    OTHER_CLIENT,
    INACTIVE,
    ABSENT,
    CONFIGURATIONS
};
static const char *const configurations[CONFIGURATIONS] = {
    [AT_HOME] = WALK_ICLIENT("id", "s", "true", HOME_HOST, "\"a\",\"b\""),
    [OTHER_SECRET] = WALK_ICLIENT("id", "other", "true", HOME_HOST, "\"a\",\"b\""),
    [LESS_SCOPE] = WALK_ICLIENT("id", "s", "true", HOME_HOST, "\"a\""),
    [OTHER_SCOPE] = WALK_ICLIENT("id", "s", "true", HOME_HOST, "\"a\",\"c\""),
    [OTHER_HOST] = WALK_ICLIENT("id", "s", "true", "elsewhere.example.com", "\"a\",\"b\""),
    [OTHER_CLIENT] = WALK_ICLIENT("stranger", "s", "true", HOME_HOST, "\"a\",\"b\""),
    [INACTIVE] = WALK_ICLIENT("id", "s", "false", HOME_HOST, "\"a\",\"b\""),
    [ABSENT] = CLIENT_CREDENTIALS_ICLIENT("another"),
};

static struct {
    enum configuration configuration;
    /* The refresh token that the broker has to have, 0: none; certain unless an answer on it went astray. */
    unsigned held;
    bool is_certain;
    bool told[WALK_TOKENS_MAX]; /* of each refresh token: the log said that it may get lost; once is enough */
    uint64_t refused[USERS];    /* the generation that each user reported last */
    unsigned reports[USERS];    /* of each user, since the process began */
    unsigned unnoted;           /* refreshes that went out so */
    bool operator_revokes;      /* a revocation runs that an operator asked for, not an edit */
    struct fixture_caller callers[CALLERS];
    bool waits[CALLERS];
} now;

/* Also of a connection that is not configured, whose tokens are kept. */
static struct token_entry *mail(void)
{
    static const char key[] = "default/mail";
    return token_cache_find(&fixture_broker->cache, key, strlen(key));
}

static struct token_entry *configured_mail(void)
{
    struct token_entry *entry = mail();
    return entry && entry->connection ? entry : NULL;
}

/* The refresh token that the broker would send; it differs from the one it has to have while that is not certain. */
static unsigned token_in_use(void)
{
    const struct token_entry *entry = mail();
    bool has_one = entry && entry->tokens && entry->tokens->refresh_token;
    return has_one ? walk_number_after(secret_reveal(entry->tokens->refresh_token), "rt-") : 0;
}

static unsigned stored_token(void)
{
    struct fixture_row *row = fixture_row(STORE_TOKENS, "default/mail");
    return row ? walk_number_after(secret_reveal(row->value), "\"refresh_token\":\"rt-") : 0;
}

/*
 * A refresh that the store has no note of is the last resort. The connection's grant needs a person, so there is no
 * other exchange to take its place.
 */
static void require_noted(struct http_exchange *exchange)
{
    const struct token_entry *entry = mail();
    bool is_refresh = strstr(secret_reveal(http_request_body(exchange->request)), "grant_type=refresh_token");
    if (!is_refresh || fixture_row(STORE_JOURNAL, "default/mail"))
        return;
    const struct token_fetch *fetch = entry->fetch;
    bool is_wanted = !fetch->background || entry->waiters;
    now.unnoted++;
    if (token_entry_is_usable(entry, fixture_now))
        walk_violated("rt-%u is sent unnoted beside a valid token", token_in_use());
    if (!is_wanted && fetch->tokens->rotation != TOKEN_ROTATION_KEPT)
        walk_violated("rt-%u is sent unnoted for nobody", token_in_use());
    if (!entry->is_unsaved)
        walk_violated("rt-%u is sent unnoted, and the state does not say so", token_in_use());
}

/* Nothing is on its way to the store, and nothing is promised for later. */
static bool is_settled(void)
{
    const struct token_entry *entry = mail();
    return now.is_certain && entry && !entry->is_unsaved && !(entry->fetch && entry->fetch->granted) &&
           !entry->revocation && !fixture_held;
}

/*
 * In the place of coordinator_on_event(): an event begins only what its row of the table says, and nothing beside what
 * is running. events counts those that came within another.
 */
static void on_event(struct token_entry *entry, enum entry_event event)
{
    static unsigned events;
    unsigned before = ++events;
    enum entry_running running = entry->running;
    const struct token_fetch *fetch = entry->fetch;
    coordinator_on_event(entry, event);
    if (events != before)
        return;
    if (running != RUNNING_NOTHING && (entry->running != running || entry->fetch != fetch))
        walk_violated("%s: began something beside what was running", coordinator_event_words(event));
    bool is_new = running == RUNNING_NOTHING && entry->running != RUNNING_NOTHING;
    if (is_new && !(coordinator_may_begin(event) & 1U << entry->running))
        walk_violated("%s: began what its row does not say", coordinator_event_words(event));
}

static void require_stored(unsigned token, const char *when)
{
    if (stored_token() != token)
        walk_violated("%s: the store has rt-%u instead of rt-%u", when, stored_token(), token);
}

static void run_timers(void)
{
    for (unsigned i = 0; i < TIMERS_IN_A_ROW_MAX; i++)
        if (!fixture_run_due_timer())
            return;
    walk_violated("timers without end");
}

static void pass(int64_t seconds)
{
    fixture_now += seconds;
    run_timers();
}

static bool is_at_rest(void)
{
    const struct token_entry *entry = mail();
    return !fixture_held && !fixture_requests && !(entry && entry->is_unsaved);
}

static void require_rest(void)
{
    const struct token_entry *entry = mail();
    if (entry && (entry->is_unsaved || entry->fetch || entry->revocation))
        walk_violated("it does not come to rest: unsaved %d, fetch %d, revocation %d", entry->is_unsaved,
                      entry->fetch != NULL, entry->revocation != NULL);
    if (now.configuration == INACTIVE) {
        if (entry && entry->tokens)
            walk_violated("inactive, and has tokens");
        now.held = 0;
        now.is_certain = true;
    }
    if (is_settled())
        require_stored(now.held, "at rest");
}

#endif

/*
 * The broker on a random walk: callers, logins, revokes, edits of the configuration, a store that is slow, busy or
 * failing, a provider that is strict, clocks that are set and processes that are killed, in any order. After each step
 * the rules hold that no order may break: what was promised durable is, and no refresh token is lost without a word,
 * sent once it was used, or shown to a host that did not give it out or from a client that did not get it.
 *   fault_broker_walk [COUNT [FIRST_SEED]]
 */
#include "broker/broker_fixture.h"

#include <stdio.h>

#include "broker/login/authorization_session_state.h"
#include "walk.h"
#include "walk_provider.h"
#include "walk_rules.h"

enum { STEPS = 400, ROUNDS_TO_REST_MAX = 400, LONGEST_WAIT_SECONDS = 31 };

static struct {
    unsigned steps;
    unsigned kills;
    unsigned stops;
    unsigned reports;
    unsigned pauses; /* gets that were refused in one */
    unsigned unnoted;
    unsigned kept_back;
} figures;

/* ---- who is called back ---- */

static void on_answer(void *context, enum token_answer answer)
{
    (void)answer;
    now.waits[(struct fixture_caller *)context - now.callers] = false;
}

static void on_login_end(void *context, const struct authorization_session *session)
{
    (void)context;
    walk_note("login ended: %s", session->message);
}

static void on_revoked(void *context, enum revoke_result result, const char *message)
{
    (void)context;
    walk_note("revoke ended, %d: %s", (int)result, message);
    now.operator_revokes = false;
    if (result == REVOKE_UNREACHED)
        return;
    if (result == REVOKE_CONFIRMED && now.is_certain && now.held && !walk_provider_has_revoked(now.held))
        walk_violated("rt-%u is forgotten and was not revoked", now.held);
    now.held = 0;
    now.is_certain = true;
}

/* ---- the provider ---- */

static void expect_after(const struct walk_answer *answer)
{
    if (!answer->granted)
        return;
    const struct token_entry *entry = mail();
    if (answer->kind == WALK_ANSWERED) {
        now.held = answer->granted;
        /* What comes while an edit revokes is revoked as well, sooner or later. */
        now.is_certain = now.configuration != INACTIVE && !(entry && entry->revocation && !now.operator_revokes);
    } else if (answer->sent == now.held && answer->granted != answer->sent) {
        now.is_certain = false;
    }
}

/* An answer to a request of an earlier configuration says nothing yet: an edit back takes up the same refresh token. */
static bool is_given_up(void)
{
    const struct token_entry *entry = mail();
    return entry && entry->connection && entry->fits && now.configuration != INACTIVE &&
           entry->state == ENTRY_AUTHORIZATION_REQUIRED;
}

static void let_provider_answer(void)
{
    if (!fixture_requests)
        return;
    struct walk_answer answer;
    walk_provider_answer(secret_reveal(http_request_url(fixture_requests->request)), fixture_request_body(), &answer);
    unsigned losses_told = walk_losses_told();
    bool was_tried = answer.kind != WALK_UNSENT && answer.status != 503;
    if (was_tried && answer.sent && now.is_certain && now.held && answer.sent != now.held)
        walk_violated("rt-%u is sent, the newest is rt-%u", answer.sent, now.held);
    expect_after(&answer);
    if (answer.kind == WALK_ANSWERED)
        fixture_reply(answer.status, answer.body);
    else
        fixture_no_reply(answer.kind == WALK_LOST);
    if (walk_losses_told() > losses_told)
        now.told[answer.sent] = true;
    if (answer.is_spent && !now.told[answer.sent] && is_given_up())
        walk_violated("rt-%u was spent and its successor never arrived: nobody is told", answer.sent);
}

/* ---- the store ---- */

static void let_store_answer(void)
{
    for (unsigned left = 1 + walk_random(3); fixture_held && left > 0; left--) {
        struct fixture_write *write = fixture_held;
        DL_DELETE(fixture_held, write);
        fixture_answer_write(write);
    }
}

/* The newest write is refused at once, as by a full queue, while older ones wait. */
static void let_store_be_busy(void)
{
    if (!fixture_held || fixture_held->prev == fixture_held)
        return;
    struct fixture_write *newest = fixture_held->prev;
    bool fails = fixture_store_fails;
    walk_note("the store is busy");
    DL_DELETE(fixture_held, newest);
    fixture_store_fails = true;
    fixture_answer_write(newest);
    fixture_store_fails = fails;
}

static void let_store_fail_or_not(void)
{
    fixture_store_fails = walk_random(2);
    walk_note("the store %s", fixture_store_fails ? "fails" : "works");
}

/* ---- time ---- */

static void let_time_pass(void)
{
    static const int64_t spans[] = {1, 5, LONGEST_WAIT_SECONDS, 61, 400, 3700};
    int64_t seconds = spans[walk_random(sizeof spans / sizeof *spans)];
    walk_note("%d s pass", (int)seconds);
    pass(seconds);
}

static void set_clock_back(void)
{
    if (walk_random(6) > 0)
        return;
    walk_note("the clock is set back");
    fixture_set_clock_back(4000);
    run_timers();
}

/* ---- callers and operators ---- */

static unsigned choose_user(void)
{
    unsigned user = walk_random(USERS);
    fixture_uid = FIRST_UID + user;
    return user;
}

static void get(void)
{
    struct token_entry *entry = configured_mail();
    if (!entry)
        return;
    unsigned user = choose_user();
    int64_t min_ttl = walk_random(2) ? 30 : 0;
    uint64_t generation = entry->span.generation;
    bool is_valid = token_entry_is_usable(entry, fixture_now);
    bool is_refused = is_valid && now.refused[user] == generation;
    walk_note("get of user %u", user);
    enum token_answer answer = broker_get(entry, fixture_uid, min_ttl, fixture_now);
    bool is_served = answer == TOKEN_SERVED || answer == TOKEN_SERVED_SHORT;
    if (is_served && is_refused && entry->span.generation == generation)
        walk_violated("user %u is served generation %u, which the user reported", user, (unsigned)generation);
    if (!is_served && is_valid && !is_refused && min_ttl == 0)
        walk_violated("user %u, who reported nothing, is not served a valid token: %d", user, (int)answer);
    figures.pauses += answer == TOKEN_REJECTED;
    if (answer == TOKEN_REJECTED && now.reports[user] <= REPORTS_AT_ONCE)
        walk_violated("user %u is paused after %u reports", user, now.reports[user]);
}

static void refresh(void)
{
    struct token_entry *entry = configured_mail();
    for (unsigned i = 0; entry && i < CALLERS; i++) {
        if (now.waits[i])
            continue;
        choose_user();
        walk_note("refresh");
        now.waits[i] = true;
        struct fixture_caller *caller = &now.callers[i];
        int64_t wait_ms = 1000 + walk_random(30000);
        if (broker_refresh(entry, fixture_uid, wait_ms, on_answer, caller, &caller->waiter) != TOKEN_PENDING)
            now.waits[i] = false;
        return;
    }
}

static void hang_up(void)
{
    for (unsigned i = 0; i < CALLERS; i++) {
        if (!now.waits[i] || walk_random(2))
            continue;
        token_waiter_cancel(now.callers[i].waiter);
        now.waits[i] = false;
    }
}

static void report_rejected(void)
{
    struct token_entry *entry = configured_mail();
    if (!entry || !entry->fits || !entry->tokens)
        return;
    unsigned user = choose_user();
    uint64_t generation = entry->tokens->generation;
    walk_note("user %u reports generation %u", user, (unsigned)generation);
    fixture_report("mail", generation, 401);
    /* A connection that is switched off takes no reports. */
    if (entry->state == ENTRY_INACTIVE || now.refused[user] == generation)
        return;
    now.refused[user] = generation;
    now.reports[user]++;
    figures.reports++;
}

/* An API that refuses every new token, as long as a budget of reports lasts and longer. */
static void refuse_new_tokens(void)
{
    if (walk_random(8) > 0)
        return;
    walk_note("an API refuses every token");
    for (unsigned i = 0; i < USERS * (REPORTS_AT_ONCE + 2); i++) {
        report_rejected();
        get();
        let_store_answer();
        let_provider_answer();
        let_store_answer();
    }
}

static void revoke(void)
{
    struct token_entry *entry = configured_mail();
    if (!entry)
        return;
    struct error error = {0};
    bool ran_before = now.operator_revokes;
    walk_note("revoke");
    now.operator_revokes = true; /* before the call, inside which it may end */
    if (broker_revoke(entry, on_revoked, NULL, &error) != OK)
        now.operator_revokes = ran_before;
}

static void begin_login(void)
{
    const struct authorization_session *session;
    struct token_entry *entry = configured_mail();
    struct error error = {0};
    if (entry && authorization_session_begin(fixture_broker, entry, NULL, &session, &error) == OK)
        walk_note("login begun");
}

static void answer_login(void)
{
    struct token_entry *entry = configured_mail();
    if (!entry || !entry->login || entry->login->state != SESSION_PENDING)
        return;
    char query[128];
    snprintf(query, sizeof query, "code=c&state=%s", entry->login->state_text);
    struct authorization_answer answer = {.path = "/callback/mail", .query = query, .paste_entry = entry};
    const struct authorization_session *session;
    struct error error = {0};
    walk_note("login answered");
    authorization_session_answer(fixture_broker, &answer, on_login_end, NULL, &session, &error);
}

static void configure(enum configuration to)
{
    walk_note("configuration %d", (int)to);
    now.configuration = to;
    fixture_configure_one(configurations[to]);
    if (to == INACTIVE)
        now.is_certain = false; /* it is revoked, and forgotten before that */
}

/* Mostly back to where the tokens are from. */
static void edit_configuration(void)
{
    if (walk_random(3) == 0)
        configure(walk_random(CONFIGURATIONS));
    else if (now.configuration != AT_HOME)
        configure(AT_HOME);
}

/* ---- lives of the process ---- */

static void start(enum configuration with)
{
    fixture_start();
    fixture_broker->on_event = on_event;
    configure(with);
    fixture_load();
}

/* Reports are in memory alone. */
static void forget_reports(void)
{
    memset(now.refused, 0, sizeof now.refused);
    memset(now.reports, 0, sizeof now.reports);
}

static void forget_who_waits(void)
{
    memset(now.waits, 0, sizeof now.waits);
    now.operator_revokes = false;
}

static void drop_requests(void)
{
    while (fixture_requests)
        http_exchange_cancel(fixture_requests);
}

/* A clean stop writes what it still has, where the store works. */
static void restart(void)
{
    if (walk_random(4) > 0)
        return;
    const struct token_entry *entry = mail();
    bool was_settled = is_settled();
    bool could_save = now.is_certain && entry && !entry->revocation && !fixture_store_fails;
    bool is_clean = walk_random(2);
    walk_note("%s", is_clean ? "stop" : "kill");
    forget_who_waits();
    if (is_clean)
        fixture_stop();
    else
        fixture_kill();
    drop_requests();
    forget_reports();
    figures.stops += is_clean;
    figures.kills += !is_clean;
    if (was_settled || (is_clean && could_save))
        require_stored(now.held, is_clean ? "after a stop" : "after a kill");
    if (stored_token() != now.held)
        now.is_certain = false;
    start(walk_random(4) ? now.configuration : AT_HOME);
}

/* ---- the walk ---- */

/* Nothing happens any more, and the store works. */
static void come_to_rest(void)
{
    walk_note("rest");
    fixture_store_fails = false;
    for (unsigned i = 0; i < ROUNDS_TO_REST_MAX; i++) {
        while (fixture_held)
            let_store_answer();
        run_timers();
        if (is_at_rest())
            break;
        if (fixture_requests)
            let_provider_answer();
        else if (!fixture_held)
            pass(LONGEST_WAIT_SECONDS);
    }
    require_rest();
    pass(LONGEST_WAIT_SECONDS);
    for (unsigned i = 0; i < CALLERS; i++)
        if (now.waits[i] && !fixture_held && !fixture_requests)
            walk_violated("caller %u is not answered", i);
}

static const struct {
    unsigned weight;
    void (*take)(void);
} steps[] = {
    {4, let_provider_answer},
    {5, let_store_answer},
    {1, let_store_fail_or_not},
    {1, let_store_be_busy},
    {2, let_time_pass},
    {1, set_clock_back},
    {2, run_timers},
    {2, get},
    {1, refresh},
    {1, hang_up},
    {1, report_rejected},
    {1, revoke},
    {1, refuse_new_tokens},
    {2, begin_login},
    {2, answer_login},
    {1, edit_configuration},
    {1, restart},
};
enum { STEP_KINDS = sizeof steps / sizeof *steps };

static bool is_kept_back(void)
{
    const struct token_entry *entry = mail();
    return entry && entry->state == ENTRY_STORE_UNAVAILABLE;
}

static void take_step(void)
{
    unsigned weights = 0;
    for (unsigned i = 0; i < STEP_KINDS; i++)
        weights += steps[i].weight;
    unsigned chosen = walk_random(weights);
    unsigned i = 0;
    while (chosen >= steps[i].weight)
        chosen -= steps[i++].weight;
    walk_next_step();
    figures.steps++;
    unsigned unnoted = walk_unnoted_refreshes();
    unsigned token = token_in_use();
    bool was_kept_back = is_kept_back();
    steps[i].take();
    figures.kept_back += is_kept_back() && !was_kept_back;
    if (walk_unnoted_refreshes() > unnoted)
        now.told[token] = now.told[token_in_use()] = true; /* nothing in the store could tell after a kill */
    if (is_settled())
        require_stored(now.held, "after a step");
}

static void walk_once(unsigned seed)
{
    walk_begin(seed);
    walk_provider_reset();
    memset(&now, 0, sizeof now);
    now.is_certain = true;
    fixture_store_fails = false;
    fixture_now = 1800000000;
    fixture_set_back = 0;
    fixture_on_send = require_noted;
    start(AT_HOME);
    for (unsigned i = 0; i < STEPS; i++) {
        take_step();
        if (walk_random(60) == 0)
            come_to_rest();
    }
    come_to_rest();
    figures.unnoted += now.unnoted;
    forget_who_waits();
    fixture_finish();
    drop_requests();
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000;
    unsigned first_seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
    for (unsigned i = 0; i < count; i++)
        walk_once(first_seed + i);
    printf("%u walks, %u steps: %u requests, %u grants, %u kills, %u stops, %u reports, %u refused in a pause, "
           "%u losses reported, %u refreshes kept back from a failing store, %u sent unnoted; "
           "0 refresh tokens lost without a word\n",
           count, figures.steps, walk_provider_requests(), walk_provider_grants(), figures.kills, figures.stops,
           figures.reports, figures.pauses, walk_losses_told(), figures.kept_back, figures.unnoted);
    /* A walk that never gets a token shows nothing. */
    return walk_provider_grants() > count ? 0 : 1;
}

#include "iclientd/config/unknown_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/log/log.h"
#include "io/host/identity_lookup.h"

enum {
    FIRST_DELAY_MS = 2 * 1000,
    LAST_DELAY_MS = 5 * 60 * 1000,
    ANSWER_POLL_MS = 200,
    LOOKED_UP_MAX = 1024, /* at a time */
    LOGGED_MAX = 10,
};

struct unknown_names {
    unknown_names_rules *rules;
    void *context;
    struct loop_timer *timer;
    struct identity_lookup *lookup; /* NULL: none is in flight */
    size_t lookup_count;
    int64_t delay_ms;
};

/* Each name once, borrowed from the rules. */
struct name_list {
    size_t count;
    struct identity_name names[LOOKED_UP_MAX];
};

static void collect(void *context, struct access_rule *rule)
{
    struct name_list *list = context;
    for (size_t i = 0; i < access_rule_unknown_count(rule); i++) {
        struct identity_name name = access_rule_unknown_at(rule, i);
        size_t at = 0;
        while (at < list->count &&
               (list->names[at].is_group != name.is_group || strcmp(list->names[at].name, name.name) != 0))
            at++;
        if (at == list->count && at < LOOKED_UP_MAX)
            list->names[list->count++] = name;
    }
}

/* NULL: no memory. */
static struct name_list *collect_all(const struct unknown_names *names)
{
    struct name_list *list = malloc(sizeof *list);
    if (!list)
        return NULL;
    list->count = 0;
    names->rules(names->context, collect, list);
    return list;
}

static const char *kind_of(const struct identity_name *name)
{
    return name->is_group ? "group" : "user";
}

struct learned {
    struct identity_name name;
    unsigned id;
};

static void learn(void *context, struct access_rule *rule)
{
    const struct learned *learned = context;
    access_rule_learn(rule, &learned->name, learned->id);
}

/* How many of them are known now. */
static size_t take_answers(struct unknown_names *names)
{
    size_t known_count = 0;
    for (size_t i = 0; i < names->lookup_count; i++) {
        struct learned learned = {.name = identity_lookup_name(names->lookup, i)};
        if (identity_lookup_result(names->lookup, i, &learned.id) != OK)
            continue;
        names->rules(names->context, learn, &learned);
        log_notice("%s \"%s\" is known now: id %u", kind_of(&learned.name), learned.name.name, learned.id);
        known_count++;
    }
    return known_count;
}

static void start_lookup(struct unknown_names *names)
{
    struct name_list *list = collect_all(names);
    if (list && list->count > 0)
        names->lookup = identity_lookup_start(list->names, list->count);
    names->lookup_count = list ? list->count : 0;
    bool is_over = list && list->count == 0;
    free(list);
    if (!is_over)
        loop_timer_start(names->timer, names->lookup ? ANSWER_POLL_MS : names->delay_ms);
}

static void on_timer(void *context)
{
    struct unknown_names *names = context;
    if (!names->lookup) {
        start_lookup(names);
        return;
    }
    if (!identity_lookup_wait(names->lookup, 0)) {
        loop_timer_start(names->timer, ANSWER_POLL_MS);
        return;
    }
    bool is_over = take_answers(names) == names->lookup_count && names->lookup_count < LOOKED_UP_MAX;
    identity_lookup_destroy(TAKE(names->lookup));
    names->delay_ms = names->delay_ms * 2 < LAST_DELAY_MS ? names->delay_ms * 2 : LAST_DELAY_MS;
    if (!is_over)
        loop_timer_start(names->timer, names->delay_ms);
}

void unknown_names_start(struct unknown_names *names)
{
    struct name_list *list = collect_all(names);
    size_t count = list ? list->count : 0;
    for (size_t i = 0; i < count && i < LOGGED_MAX; i++)
        log_warning(
            "%s \"%s\" in an access rule is not known to this host; until it is, the rule allows nobody by that "
            "name. It is looked up again",
            kind_of(&list->names[i]), list->names[i].name);
    if (count > LOGGED_MAX)
        log_warning("%zu more users and groups in access rules are not known to this host", count - LOGGED_MAX);
    bool is_needed = !list || count > 0;
    free(list);
    names->delay_ms = FIRST_DELAY_MS;
    if (is_needed)
        loop_timer_start(names->timer, names->delay_ms);
}

void unknown_names_stop(struct unknown_names *names)
{
    loop_timer_stop(names->timer);
    identity_lookup_destroy(TAKE(names->lookup));
}

enum status unknown_names_create(struct event_loop *loop, unknown_names_rules *rules, void *context,
                                 struct unknown_names **ret_names, struct error *ret_error)
{
    AUTO(unknown_names) names = calloc(1, sizeof *names);
    if (!names || !(names->timer = loop_timer_create(loop, on_timer, names)))
        return error_set(ret_error, ERR_NO_MEMORY, "no memory to look up users");
    names->rules = rules;
    names->context = context;
    *ret_names = TAKE(names);
    return OK;
}

void unknown_names_destroy(struct unknown_names *names)
{
    if (!names)
        return;
    identity_lookup_destroy(names->lookup);
    loop_timer_destroy(names->timer);
    free(names);
}

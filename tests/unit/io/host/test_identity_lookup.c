#include "io/host/identity_lookup.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

/*
 * In the place of the C library's: users and groups of a directory whose service is slow, broken, or has entries of any
 * size. Names that are not here do not exist.
 */
static const struct entry {
    const char *name;
    int code; /* what the C library says when it finds nothing */
    unsigned id;
    size_t size;
    bool is_group;
    bool is_held;
} entries[] = {
    {"root", 0, 0, 1, false, false},
    {"root", 0, 7, 1, true, false},
    {"alice", 0, 71001, 1000, false, false},
    {"large", 0, 71002, 100 * 1000, true, false},
    {"endless", 0, 71003, 100 * 1000 * 1000, true, false},
    {"slow", 0, 71004, 1, false, true},
    {"gone", ENOENT, 0, 0, false, false},
    {"none", ESRCH, 0, 0, true, false},
    {"refused", ECONNREFUSED, 0, 0, false, false},
    {"poor", ENOMEM, 0, 0, false, false},
};

static sem_t release; /* for entries that are held */

static const struct entry *find_entry(const char *name, bool is_group, size_t size, int *ret_code)
{
    *ret_code = 0;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (entries[i].is_group != is_group || strcmp(entries[i].name, name) != 0)
            continue;
        if (entries[i].is_held)
            sem_wait(&release);
        *ret_code = entries[i].size > size ? ERANGE : entries[i].code;
        return *ret_code == 0 ? &entries[i] : NULL;
    }
    return NULL;
}

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size, struct passwd **ret_entry)
{
    (void)buffer;
    int code;
    const struct entry *found = find_entry(name, false, size, &code);
    *entry = (struct passwd){.pw_uid = found ? found->id : 0};
    *ret_entry = found ? entry : NULL;
    return code;
}

int getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size, struct group **ret_entry)
{
    (void)buffer;
    int code;
    const struct entry *found = find_entry(name, true, size, &code);
    *entry = (struct group){.gr_gid = found ? found->id : 0};
    *ret_entry = found ? entry : NULL;
    return code;
}

Test(identity_lookup, says_what_the_database_says)
{
    static const struct {
        struct identity_name name;
        enum status status;
        unsigned id;
    } rows[] = {
        {{"root", false}, OK, 0},
        {{"root", true}, OK, 7},
        {{"alice", false}, OK, 71001},
        {{"alice", true}, ERR_NOT_FOUND, 1},
        {{"large", true}, OK, 71002},
        {{"endless", true}, ERR_NO_MEMORY, 1},
        {{"nosuch", false}, ERR_NOT_FOUND, 1},
        {{"gone", false}, ERR_NOT_FOUND, 1},
        {{"none", true}, ERR_NOT_FOUND, 1},
        {{"refused", false}, ERR_IO, 1},
        {{"poor", false}, ERR_NO_MEMORY, 1},
    };
    enum { COUNT = sizeof rows / sizeof *rows };
    struct identity_name names[COUNT];
    struct identity_resolver resolver = identity_lookup_resolver();
    cr_assert_eq(resolver.own_uid, geteuid());
    for (size_t i = 0; i < COUNT; i++)
        names[i] = rows[i].name;
    AUTO(identity_lookup) lookup = identity_lookup_start(names, COUNT);
    cr_assert(identity_lookup_wait(lookup, 60 * 1000));
    for (size_t i = 0; i < COUNT; i++) {
        unsigned id = 1;
        unsigned resolved = 1;
        cr_expect_eq(identity_lookup_result(lookup, i, &id), rows[i].status, "%s", rows[i].name.name);
        cr_expect_eq(id, rows[i].id, "%s: %u", rows[i].name.name, id);
        cr_expect_str_eq(identity_lookup_name(lookup, i).name, rows[i].name.name);
        cr_expect_eq(identity_lookup_name(lookup, i).is_group, rows[i].name.is_group);
        cr_expect_eq(resolver.find(resolver.context, &names[i], &resolved), rows[i].status);
        cr_expect_eq(resolved, rows[i].id);
    }
}

Test(identity_lookup, caller_does_not_wait_for_a_database_that_does_not_answer)
{
    const struct identity_name slow = {"slow", false};
    sem_init(&release, 0, 0);
    AUTO(identity_lookup) lookup = identity_lookup_start(&slow, 1);
    cr_assert_not(identity_lookup_wait(lookup, 0));
    cr_assert_not(identity_lookup_wait(lookup, 10));
    sem_post(&release);
    unsigned id = 0;
    cr_assert(identity_lookup_wait(lookup, 60 * 1000));
    cr_assert_eq(identity_lookup_result(lookup, 0, &id), OK);
    cr_assert_eq(id, 71004);
}

Test(identity_lookup, resolver_gives_up_and_the_answer_may_come_later)
{
    const struct identity_name slow = {"slow", false};
    unsigned id = 1;
    struct identity_resolver resolver = identity_lookup_resolver();
    sem_init(&release, 0, 0);
    cr_assert_eq(resolver.find(resolver.context, &slow, &id), ERR_TIMEOUT);
    cr_assert_eq(id, 1);
    sem_post(&release); /* what the thread left behind is freed by itself */
}

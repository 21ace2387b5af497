#include <criterion/criterion.h>
#include <sys/stat.h>

#include "io/host/peer_cgroup.h"
#include "io/temporary_folder.h"

/* A hierarchy as systemd makes it. */
static void make_cgroup(const struct temporary_folder *root, const char *path, const char *processes)
{
    char file[128];
    cr_assert_eq(mkdir(folder_path(root, path), 0755), 0);
    snprintf(file, sizeof file, "%s/cgroup.procs", path);
    folder_write(root, file, 0644, processes);
}

static void make_hierarchy(const struct temporary_folder *root)
{
    folder_write(root, "cgroup.procs", 0644, "1\n2\n");
    make_cgroup(root, "system.slice", "");
    make_cgroup(root, "system.slice/backup.service", "700\n41\n7\n");
    make_cgroup(root, "system.slice/mail.service", "");
    make_cgroup(root, "system.slice/mail.service/worker", "4100\n");
    folder_write(root, "system.slice/memory.max", 0644, "41\n");
}

Test(peer_cgroup, finds_the_cgroup_that_lists_the_process)
{
    static const struct {
        pid_t pid;
        const char *expected;
    } rows[] = {
        {41, "0::/system.slice/backup.service\n"},
        {7, "0::/system.slice/backup.service\n"},
        {4100, "0::/system.slice/mail.service/worker\n"},
        {2, "0::/\n"},
    };
    TEMPORARY_FOLDER(root);
    make_hierarchy(&root);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[PEER_CGROUP_TEXT_MAX];
        cr_expect(peer_cgroup_find(root.path, rows[i].pid, text), "%d", (int)rows[i].pid);
        cr_expect_str_eq(text, rows[i].expected);
    }
}

Test(peer_cgroup, tells_whether_the_process_is_still_there)
{
    static const struct {
        const char *text;
        pid_t pid;
        bool expected;
    } rows[] = {
        {"0::/system.slice/backup.service\n", 41, true},
        {"0::/system.slice/backup.service\n", 4100, false},
        {"0::/system.slice/mail.service\n", 4100, false},
        {"0::/system.slice/mail.service/worker\n", 4100, true},
        {"0::/system.slice/ended.service\n", 41, false},
        {"0::/\n", 2, true},
        {"0::/\n", 41, false},
    };
    TEMPORARY_FOLDER(root);
    make_hierarchy(&root);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(peer_cgroup_has(root.path, rows[i].text, rows[i].pid), rows[i].expected, "%s%d", rows[i].text,
                     (int)rows[i].pid);
}

Test(peer_cgroup, does_not_take_a_part_of_a_number_for_it)
{
    TEMPORARY_FOLDER(root);
    make_hierarchy(&root);
    char text[PEER_CGROUP_TEXT_MAX];
    const pid_t absent[] = {4, 70, 410, 100};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        cr_expect_not(peer_cgroup_find(root.path, absent[i], text), "%d", (int)absent[i]);
}

Test(peer_cgroup, finds_nothing_where_no_hierarchy_is)
{
    char text[PEER_CGROUP_TEXT_MAX];
    cr_expect_not(peer_cgroup_find("/nowhere/at/all", 1, text));
}

Test(peer_cgroup, follows_no_link_out_of_the_hierarchy)
{
    TEMPORARY_FOLDER(root);
    make_hierarchy(&root);
    char text[PEER_CGROUP_TEXT_MAX];
    cr_assert_eq(symlink(".", folder_path(&root, "loop")), 0);
    cr_expect_not(peer_cgroup_find(root.path, 99, text));
}

Test(peer_cgroup, gives_up_in_a_hierarchy_too_deep)
{
    TEMPORARY_FOLDER(root);
    char path[128] = "a";
    for (unsigned level = 0; level < 14; level++) {
        make_cgroup(&root, path, level == 13 ? "5\n" : "");
        strcat(path, "/a");
    }
    char text[PEER_CGROUP_TEXT_MAX];
    cr_expect_not(peer_cgroup_find(root.path, 5, text));
}

Test(peer_cgroup, finds_a_unit_of_the_system_beside_any_number_of_users_cgroups)
{
    TEMPORARY_FOLDER(root);
    make_cgroup(&root, "a.slice", "");
    for (unsigned i = 0; i < 1100; i++) {
        char path[64];
        snprintf(path, sizeof path, "a.slice/%u", i);
        make_cgroup(&root, path, "");
    }
    make_cgroup(&root, "system.slice", "");
    make_cgroup(&root, "system.slice/web.service", "41\n");
    char text[PEER_CGROUP_TEXT_MAX];
    cr_expect(peer_cgroup_find(root.path, 41, text));
    cr_expect_not(peer_cgroup_find(root.path, 42, text));
}

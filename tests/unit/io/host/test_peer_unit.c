#include <criterion/criterion.h>
#include <stdlib.h>

#include "io/host/peer_unit.h"

Test(peer_unit, first_part_that_is_no_slice_is_the_unit)
{
    static const struct {
        const char *cgroup;
        const char *unit;
    } rows[] = {
        {"0::/system.slice/web.service\n", "web.service"},
        {"0::/system.slice/web.service", "web.service"},
        {"0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service"},
        {"0::/system.slice/web.service/worker\n", "web.service"},
        {"0::/init.scope\n", "init.scope"},
        {"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"},
        /* What a user names in the part that was delegated to him is not the system's unit. */
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n", "user@1000.service"},
        {"0::/system.slice/_cgroup.service\n", "cgroup.service"},
        {"9:name=systemd:/system.slice/old.service\n8:pids:/system.slice/x.service\n0::/other.scope\n", "old.service"},
        {"9:name=systemd:/\n8:pids:/\n0::/system.slice/web.service\n", "web.service"},
        {"8:pids:/system.slice/web.service\n", NULL},
        {"0::/system.slice/web.service (deleted)\n", NULL},
        {"0::/../../system.slice/web.service\n", NULL},
        {"0::/docker/web.service\n", NULL},
        {"0::/system.slice/.service\n", NULL},
        {"0::/.slice/web.service\n", NULL},
        {"0::/system.slice\n", NULL},
        {"0::/system.slice/\n", NULL},
        {"0::/_\n", NULL},
        {"0::/\n", NULL},
        {"0::\n", NULL},
        {"0:", NULL},
        {"\n\n", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *unit = peer_unit_from_cgroup(rows[i].cgroup);
        if (rows[i].unit)
            cr_assert_str_eq(unit, rows[i].unit, "%s", rows[i].cgroup);
        else
            cr_assert_null(unit, "%s", rows[i].cgroup);
        free(unit);
    }
}

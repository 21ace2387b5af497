#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/host/service_notify.h"

/* The service manager's end. */
static int open_manager(const char *name)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, strlen(name));
    setenv("NOTIFY_SOCKET", name, 1);
    socklen_t size = sizeof address;
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
        size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    } else {
        unlink(name);
    }
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    return fd;
}

static const char *receive(int fd)
{
    static char text[256];
    ssize_t length = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    text[length < 0 ? 0 : length] = '\0';
    return text;
}

Test(service_notify, tells_the_manager_each_state)
{
    char names[2][64];
    snprintf(names[0], sizeof names[0], "/tmp/test-notify-%d", (int)getpid());
    snprintf(names[1], sizeof names[1], "@test-notify-%d", (int)getpid());
    for (size_t i = 0; i < 2; i++) {
        int manager = open_manager(names[i]);
        service_notify_ready();
        cr_assert_str_eq(receive(manager), "READY=1");
        service_notify_reloading();
        long long usec;
        cr_assert_eq(sscanf(receive(manager), "RELOADING=1\nMONOTONIC_USEC=%lld", &usec), 1);
        cr_assert_gt(usec, 0);
        service_notify_stopping();
        cr_assert_str_eq(receive(manager), "STOPPING=1");
        service_notify_send("STATUS=well");
        cr_assert_str_eq(receive(manager), "STATUS=well");
        close(manager);
    }
    unlink(names[0]);
}

Test(service_notify, without_a_manager_nothing_happens)
{
    unsetenv("NOTIFY_SOCKET");
    service_notify_ready();
    static const char *const wrong[] = {"", "/", "relative", "/no/such/socket"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        setenv("NOTIFY_SOCKET", wrong[i], 1);
        service_notify_ready();
    }
}

Test(service_notify, watchdog_interval_is_half_of_what_this_process_was_given)
{
    char own[16];
    char other[16];
    snprintf(own, sizeof own, "%d", (int)getpid());
    snprintf(other, sizeof other, "%d", (int)getpid() + 1);
    const struct {
        const char *usec;
        const char *pid;
        int64_t interval;
    } rows[] = {
        {"30000000", own, 15000},
        {"30000000", NULL, 15000},
        {"1", NULL, 1},
        {"30000000", other, 0},
        {NULL, own, 0},
        {"0", own, 0},
        {"-5", own, 0},
        {"12s", NULL, 0},
        {"", NULL, 0},
        {"99999999999999999999", NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (rows[i].usec)
            setenv("WATCHDOG_USEC", rows[i].usec, 1);
        if (rows[i].pid)
            setenv("WATCHDOG_PID", rows[i].pid, 1);
        cr_assert_eq(service_notify_watchdog_interval_ms(), rows[i].interval, "row %zu", i);
    }
}

/* Puts a descriptor at the place where systemd passes it. */
static void pass(int fd, int place)
{
    cr_assert_eq(dup2(fd, place), place);
}

static void announce(const char *pid, const char *count, const char *names)
{
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", count, 1);
    if (names)
        setenv("LISTEN_FDNAMES", names, 1);
    else
        unsetenv("LISTEN_FDNAMES");
}

static int take(const char *name)
{
    int fd = -2;
    cr_assert_eq(service_notify_take_socket(name, &fd, NULL), OK);
    return fd;
}

/* In a child: the test runner itself uses descriptors 3 and above. */
Test(service_notify, passed_sockets_are_found_by_name)
{
    pid_t child = fork();
    if (child == 0) {
        char own[16];
        snprintf(own, sizeof own, "%d", (int)getpid());
        int listening = socket(AF_UNIX, SOCK_STREAM, 0);
        bool good = bind(listening, &(struct sockaddr){.sa_family = AF_UNIX}, sizeof(sa_family_t)) == 0 &&
                    listen(listening, 1) == 0;
        int quiet = socket(AF_UNIX, SOCK_STREAM, 0);
        int datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
        int high[3] = {fcntl(listening, F_DUPFD, 100), fcntl(quiet, F_DUPFD, 100), fcntl(datagram, F_DUPFD, 100)};
        for (int i = 0; i < 3; i++)
            pass(high[i], 3 + i);
        announce(own, "3", "token:quiet:datagram:absent");
        int fd = -2;
        good = good && service_notify_take_socket("token", &fd, NULL) == OK && fd == 3;
        good = good && (fcntl(3, F_GETFD) & FD_CLOEXEC) && (fcntl(3, F_GETFL) & O_NONBLOCK);
        good = good && service_notify_take_socket("quiet", &fd, NULL) == ERR_INVALID;
        good = good && service_notify_take_socket("datagram", &fd, NULL) == ERR_INVALID;
        good = good && service_notify_take_socket("absent", &fd, NULL) == OK && fd == -1;
        _exit(good ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

Test(service_notify, socket_that_nobody_will_take_is_an_error)
{
    static const char *const names[] = {"token", "admin"};
    char own[16];
    char other[16];
    snprintf(own, sizeof own, "%d", (int)getpid());
    snprintf(other, sizeof other, "%d", (int)getpid() + 1);
    const struct {
        const char *pid, *count, *names;
        enum status status;
    } rows[] = {
        {own, "2", "admin:token", OK},
        {own, "1", "token", OK},
        {own, "0", "", OK},
        {other, "1", "foreign", OK},
        {own, "1", "iclientd-token.socket", ERR_INVALID},
        {own, "1", "toke", ERR_INVALID},
        {own, "1", "", ERR_INVALID},
        {own, "1", NULL, ERR_INVALID},
        {own, "2", "token", ERR_INVALID},
        {own, "2", "token:token", ERR_INVALID},
        {own, "2", "token:foreign", ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        announce(rows[i].pid, rows[i].count, rows[i].names);
        struct error error;
        cr_assert_eq(service_notify_check_sockets(names, 2, &error), rows[i].status, "row %zu", i);
    }
}

Test(service_notify, without_sockets_for_this_process_there_is_none)
{
    char own[16];
    char other[16];
    snprintf(own, sizeof own, "%d", (int)getpid());
    snprintf(other, sizeof other, "%d", (int)getpid() + 1);
    const struct {
        const char *pid, *count, *names;
    } rows[] = {
        {other, "1", "token"}, {own, "0", "token"}, {own, "1", "admin"},   {own, "1", ""},       {own, "1", NULL},
        {own, "x", "token"},   {"", "1", "token"},  {own, "1", "a:token"}, {own, "1", "tokens"}, {own, "9", ":tok:"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        announce(rows[i].pid, rows[i].count, rows[i].names);
        cr_assert_eq(take("token"), -1, "row %zu", i);
    }
    unsetenv("LISTEN_PID");
    cr_assert_eq(take("token"), -1);
}

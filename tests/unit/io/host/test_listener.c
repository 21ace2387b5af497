#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "io/host/listener.h"

static struct event_loop *loop;
static char folder[] = "/tmp/test-listener-XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static const char *path = address.sun_path;

static void open_all(void)
{
    cr_assert(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
    cr_assert_eq(event_loop_create(&loop, NULL), OK);
}

static void close_all(void)
{
    event_loop_destroy(loop);
    unlink(path);
    rmdir(folder);
}

TestSuite(listener, .init = open_all, .fini = close_all, .timeout = 300);

static int bind_here(void)
{
    int fd = -1;
    struct error error = {0};
    cr_assert_eq(listener_bind_unix(path, 0600, NULL, &fd, &error), OK, "%s", error.message);
    return fd;
}

static int connect_here(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

Test(listener, unix_socket_has_its_mode_whatever_the_umask)
{
    static const mode_t masks[] = {0, 022, 0777};
    static const unsigned modes[] = {0666, 0660, 0600};
    for (size_t i = 0; i < 9; i++) {
        umask(masks[i / 3]);
        int fd = -1;
        cr_assert_eq(listener_bind_unix(path, modes[i % 3], NULL, &fd, NULL), OK);
        struct stat found;
        cr_assert_eq(stat(path, &found), 0);
        cr_assert_eq(found.st_mode & 07777, modes[i % 3]);
        cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
        cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
    }
}

Test(listener, unix_socket_gets_its_group_and_an_unknown_one_is_refused)
{
    int fd = -1;
    struct error error;
    cr_assert_eq(listener_bind_unix(path, 0660, "no-such-group-here", &fd, &error), ERR_NOT_FOUND);
    cr_assert(access(path, F_OK) != 0);
    if (geteuid() != 0)
        return;
    cr_assert_eq(listener_bind_unix(path, 0660, "daemon", &fd, &error), OK, "%s", error.message);
    struct stat found;
    cr_assert_eq(stat(path, &found), 0);
    cr_assert_neq(found.st_gid, getegid());
    close(fd);
}

Test(listener, stale_socket_is_replaced_and_a_live_one_is_a_conflict)
{
    int first = bind_here();
    int second = -1;
    struct error error;
    cr_assert_eq(listener_bind_unix(path, 0600, NULL, &second, &error), ERR_CONFLICT);
    close(first);
    cr_assert_eq(access(path, F_OK), 0);
    cr_assert_eq(listener_bind_unix(path, 0600, NULL, &second, &error), OK, "%s", error.message);
    close(connect_here());
    close(second);
}

Test(listener, file_in_the_way_is_a_conflict_and_stays)
{
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    close(file);
    int fd = -1;
    struct error error;
    cr_assert_eq(listener_bind_unix(path, 0600, NULL, &fd, &error), ERR_CONFLICT);
    cr_assert_eq(access(path, F_OK), 0);
}

Test(listener, link_to_a_socket_is_a_conflict)
{
    char target[64];
    snprintf(target, sizeof target, "%s/t", folder);
    cr_assert_eq(symlink(target, path), 0);
    int fd = -1;
    cr_assert_eq(listener_bind_unix(path, 0600, NULL, &fd, NULL), ERR_CONFLICT);
}

Test(listener, paths_that_do_not_fit_or_do_not_exist_are_errors)
{
    int fd = -1;
    char long_path[200];
    memset(long_path, 'a', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    cr_assert_eq(listener_bind_unix(long_path, 0600, NULL, &fd, NULL), ERR_INVALID);
    cr_assert_eq(listener_bind_unix("", 0600, NULL, &fd, NULL), ERR_INVALID);
    cr_assert_eq(listener_bind_unix("/no/such/folder/s", 0600, NULL, &fd, NULL), ERR_IO);
    cr_assert_eq(fd, -1);
}

Test(listener, tcp_takes_loopback_alone)
{
    static const struct {
        const char *text;
        enum status status;
    } rows[] = {
        {"127.0.0.1:0", OK},
        {"127.8.9.10:0", OK},
        {"localhost:0", OK},
        {"LOCALHOST:0", OK},
        {"0.0.0.0:0", ERR_DENIED},
        {"192.168.1.1:80", ERR_DENIED},
        {"[::]:0", ERR_DENIED},
        {"[::ffff:127.0.0.1]:0", ERR_DENIED},
        {"[2001:db8::1]:80", ERR_DENIED},
        {"example.com:80", ERR_INVALID},
        {"127.0.0.1", ERR_INVALID},
        {"127.0.0.1:", ERR_INVALID},
        {"127.0.0.1:65536", ERR_INVALID},
        {"127.0.0.1:-1", ERR_INVALID},
        {"127.0.0.1: 80", ERR_INVALID},
        {"127.0.0.1:80x", ERR_INVALID},
        {"127.1:80", ERR_INVALID},
        {"::1:80", ERR_INVALID},
        {"[::1]", ERR_INVALID},
        {"[::1]80", ERR_INVALID},
        {"[127.0.0.1]:80", ERR_INVALID},
        {"[::1:80", ERR_INVALID},
        {":80", ERR_INVALID},
        {"", ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = -1;
        struct error error = {0};
        enum status status = listener_bind_tcp(rows[i].text, &fd, &error);
        cr_assert_eq(status, rows[i].status, "%s: %s", rows[i].text, error.message);
        cr_assert_eq(fd >= 0, status == OK);
        if (fd >= 0)
            close(fd);
    }
}

Test(listener, tcp_port_in_use_is_a_conflict)
{
    int first = -1;
    cr_assert_eq(listener_bind_tcp("127.0.0.1:0", &first, NULL), OK);
    struct sockaddr_in bound;
    socklen_t size = sizeof bound;
    cr_assert_eq(getsockname(first, (struct sockaddr *)&bound, &size), 0);
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%u", ntohs(bound.sin_port));
    int second = -1;
    cr_assert_eq(listener_bind_tcp(text, &second, NULL), ERR_CONFLICT);
    close(first);
}

/* Accepts until it has seen `wanted` connections. */
struct acceptor {
    struct listener *listener;
    int count;
    int wanted;
    int fds[64];
};

static void on_accepted(int take_fd, void *context)
{
    struct acceptor *acceptor = context;
    acceptor->fds[acceptor->count++] = take_fd;
    if (acceptor->count == acceptor->wanted)
        event_loop_stop(loop);
}

static void close_fds(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

static void on_deadline(void *context)
{
    (void)context;
    event_loop_stop(loop);
}

static void run_for(int64_t ms)
{
    struct loop_timer *timer = loop_timer_create(loop, on_deadline, NULL);
    loop_timer_start(timer, ms);
    cr_assert_eq(event_loop_run(loop, NULL), OK);
    loop_timer_destroy(timer);
}

Test(listener, accepts_everybody_in_the_backlog_non_blocking)
{
    struct acceptor acceptor = {.wanted = 40};
    cr_assert_eq(listener_create(loop, bind_here(), on_accepted, &acceptor, &acceptor.listener, NULL), OK);
    int clients[40];
    for (int i = 0; i < 40; i++)
        clients[i] = connect_here();
    cr_assert_eq(event_loop_run(loop, NULL), OK);
    cr_assert(fcntl(acceptor.fds[0], F_GETFL) & O_NONBLOCK);
    cr_assert(fcntl(acceptor.fds[0], F_GETFD) & FD_CLOEXEC);
    close_fds(acceptor.fds, acceptor.count);
    close_fds(clients, 40);
    listener_destroy(acceptor.listener);
}

Test(listener, paused_listener_leaves_callers_in_the_backlog)
{
    struct acceptor acceptor = {.wanted = 1};
    cr_assert_eq(listener_create(loop, bind_here(), on_accepted, &acceptor, &acceptor.listener, NULL), OK);
    listener_pause(acceptor.listener);
    listener_pause(acceptor.listener);
    int client = connect_here();
    run_for(20);
    cr_assert_eq(acceptor.count, 0);
    listener_resume(acceptor.listener);
    listener_resume(acceptor.listener);
    cr_assert_eq(event_loop_run(loop, NULL), OK);
    cr_assert_eq(acceptor.count, 1);
    close_fds(acceptor.fds, 1);
    close(client);
    listener_destroy(acceptor.listener);
}

static void on_accepted_destroy(int take_fd, void *context)
{
    struct acceptor *acceptor = context;
    close(take_fd);
    listener_destroy(acceptor->listener);
    event_loop_stop(loop);
}

Test(listener, may_be_destroyed_by_its_own_callback)
{
    struct acceptor acceptor = {0};
    cr_assert_eq(listener_create(loop, bind_here(), on_accepted_destroy, &acceptor, &acceptor.listener, NULL), OK);
    int clients[] = {connect_here(), connect_here()};
    cr_assert_eq(event_loop_run(loop, NULL), OK);
    close_fds(clients, 2);
}

static int64_t cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

Test(listener, without_descriptors_it_waits_idle_and_goes_on_when_there_are_some)
{
    struct acceptor acceptor = {.wanted = 1};
    cr_assert_eq(listener_create(loop, bind_here(), on_accepted, &acceptor, &acceptor.listener, NULL), OK);
    int client = connect_here();
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit none = {.rlim_cur = 3, .rlim_max = limit.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);

    int64_t before = cpu_ms();
    run_for(250);
    cr_assert_eq(acceptor.count, 0);
    cr_assert_lt(cpu_ms() - before, 60);

    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_assert_eq(event_loop_run(loop, NULL), OK);
    cr_assert_eq(acceptor.count, 1);
    close_fds(acceptor.fds, 1);
    close(client);
    listener_destroy(acceptor.listener);
}

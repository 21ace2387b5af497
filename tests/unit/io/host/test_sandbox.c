#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/host/sandbox.h"
#include "io/temporary_folder.h"

/* What a child says of its attempt: 0, or the errno. A sandbox is for life, so each attempt has its own process. */
typedef int attempt(const struct temporary_folder *folder);

enum { NO_SANDBOX = 253 };

static int errno_of(long result)
{
    return result < 0 ? errno : 0;
}

static enum status enter_files(const struct temporary_folder *folder)
{
    char socket_path[256];
    snprintf(socket_path, sizeof socket_path, "%s/sockets/token.sock", folder->path);
    char state[256];
    snprintf(state, sizeof state, "%s/state", folder->path);
    char key[256];
    snprintf(key, sizeof key, "%s/key", folder->path);
    const struct sandbox_files files = {
        .state_dir = state, .key_dir = key, .socket_paths = {socket_path, NULL}, .tcp_port = 47117};
    const char *gap;
    return sandbox_limit_files(&files, &gap, NULL);
}

static enum status enter_calls(const struct temporary_folder *folder)
{
    (void)folder;
    return sandbox_limit_calls(NULL);
}

/* The exit code, or minus the signal that ended it. */
static int run(enum status (*enter)(const struct temporary_folder *), attempt *try,
               const struct temporary_folder *folder)
{
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        /* One that is killed is meant to be: without a core and a sanitizer's report. */
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        enum status status = enter(folder);
        _exit(status == OK ? try(folder) : NO_SANDBOX);
    }
    int ended;
    cr_assert_eq(waitpid(child, &ended, 0), child);
    return WIFSIGNALED(ended) ? -WTERMSIG(ended) : WEXITSTATUS(ended);
}

static struct temporary_folder make_folder(void)
{
    struct temporary_folder folder = temporary_folder_make();
    cr_assert_eq(mkdir(folder_path(&folder, "state"), 0700), 0);
    cr_assert_eq(mkdir(folder_path(&folder, "sockets"), 0755), 0);
    cr_assert_eq(mkdir(folder_path(&folder, "conf"), 0755), 0);
    cr_assert_eq(mkdir(folder_path(&folder, "key"), 0700), 0);
    folder_write(&folder, "key/key", 0600, "old");
    folder_write(&folder, "state/old", 0600, "old");
    folder_write(&folder, "conf/secret", 0600, "shh");
    folder_write(&folder, "conf/other.sock", 0600, "");
    return folder;
}

struct row {
    const char *what;
    attempt *try;
    int expected;
};

static void check(enum status (*enter)(const struct temporary_folder *), const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        __attribute__((cleanup(temporary_folder_finish))) struct temporary_folder folder = make_folder();
        int result = run(enter, rows[i].try, &folder);
        cr_expect_eq(result, rows[i].expected, "%s: %d, not %d", rows[i].what, result, rows[i].expected);
    }
}

#define CHECK(enter, rows) check(enter, rows, sizeof rows / sizeof *rows)

static bool has_landlock(int abi)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= abi;
}

/* ---- files ---- */

static int open_at(const struct temporary_folder *folder, const char *name, int flags)
{
    return errno_of(open(folder_path(folder, name), flags | O_CLOEXEC, 0600));
}

static int make_in_state(const struct temporary_folder *folder)
{
    return open_at(folder, "state/new", O_RDWR | O_CREAT | O_EXCL);
}

static int empty_in_state(const struct temporary_folder *folder)
{
    return open_at(folder, "state/old", O_WRONLY | O_TRUNC);
}

static int publish_in_state(const struct temporary_folder *folder)
{
    return errno_of(renameat2(AT_FDCWD, folder_path(folder, "state/old"), AT_FDCWD,
                              folder_path(folder, "state/published"), RENAME_NOREPLACE));
}

static int remove_in_state(const struct temporary_folder *folder)
{
    return errno_of(unlink(folder_path(folder, "state/old")));
}

static int read_configuration(const struct temporary_folder *folder)
{
    return open_at(folder, "conf/secret", O_RDONLY);
}

static int list_configuration(const struct temporary_folder *folder)
{
    return open_at(folder, "conf", O_RDONLY | O_DIRECTORY);
}

static int read_users(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int read_own_cgroup(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC));
}

static int read_urandom(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(open("/dev/urandom", O_RDONLY | O_CLOEXEC));
}

static int bind_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return errno_of(bind(fd, (const struct sockaddr *)&address, sizeof address));
}

static int make_and_remove_socket(const struct temporary_folder *folder)
{
    const char *path = folder_path(folder, "sockets/token.sock");
    int made = bind_socket(path);
    return made != 0 ? made : errno_of(unlink(path));
}

static int bind_port(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return errno_of(bind(fd, (const struct sockaddr *)&address, sizeof address));
}

static int bind_redirect_port(const struct temporary_folder *folder)
{
    (void)folder;
    int result = bind_port(47117);
    return result == EADDRINUSE ? 0 : result;
}

static int replace_key(const struct temporary_folder *folder)
{
    int made = open_at(folder, "key/key.new", O_WRONLY | O_CREAT);
    return made != 0 ? made : errno_of(rename(folder_path(folder, "key/key.new"), folder_path(folder, "key/key")));
}

Test(sandbox_files, leaves_what_the_daemon_does)
{
    static const struct row rows[] = {
        {"make a file in the state directory", make_in_state, 0},
        {"empty a file in the state directory", empty_in_state, 0},
        {"publish a file in the state directory", publish_in_state, 0},
        {"remove a file in the state directory", remove_in_state, 0},
        {"put a key in the old one's place", replace_key, 0},
        {"read a secret's file", read_configuration, 0},
        {"list a directory of documents", list_configuration, 0},
        {"read /etc/passwd", read_users, 0},
        {"read /proc/PID/cgroup", read_own_cgroup, 0},
        {"read /dev/urandom", read_urandom, 0},
        {"make and remove the token socket", make_and_remove_socket, 0},
        {"bind the redirect port", bind_redirect_port, 0},
    };
    if (!has_landlock(1))
        cr_skip("no Landlock here");
    CHECK(enter_files, rows);
}

static int write_configuration(const struct temporary_folder *folder)
{
    return open_at(folder, "conf/secret", O_WRONLY);
}

static int make_in_configuration(const struct temporary_folder *folder)
{
    return open_at(folder, "conf/new.json", O_WRONLY | O_CREAT);
}

static int remove_configuration(const struct temporary_folder *folder)
{
    return errno_of(unlink(folder_path(folder, "conf/secret")));
}

static int move_configuration_to_state(const struct temporary_folder *folder)
{
    return errno_of(rename(folder_path(folder, "conf/secret"), folder_path(folder, "state/secret")));
}

static int make_directory_in_state(const struct temporary_folder *folder)
{
    return errno_of(mkdir(folder_path(folder, "state/directory"), 0700));
}

static int make_link_in_state(const struct temporary_folder *folder)
{
    return errno_of(symlink("/etc/shadow", folder_path(folder, "state/link")));
}

static int make_file_beside_socket(const struct temporary_folder *folder)
{
    return open_at(folder, "sockets/file", O_WRONLY | O_CREAT);
}

static int make_socket_elsewhere(const struct temporary_folder *folder)
{
    return bind_socket(folder_path(folder, "conf/new.sock"));
}

static int run_program(const struct temporary_folder *folder)
{
    (void)folder;
    char *const arguments[] = {(char[]){"true"}, NULL};
    return errno_of(execv("/bin/true", arguments));
}

static int list_devices(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int read_kernel_tree(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(open("/sys/kernel", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Test(sandbox_files, refuses_the_rest)
{
    static const struct row rows[] = {
        {"write a configuration file", write_configuration, EACCES},
        {"make a configuration file", make_in_configuration, EACCES},
        {"remove a configuration file", remove_configuration, EACCES},
        {"move a file across directories", move_configuration_to_state, EACCES},
        {"make a directory", make_directory_in_state, EACCES},
        {"make a link", make_link_in_state, EACCES},
        {"make a file beside a socket", make_file_beside_socket, EACCES},
        {"make a socket elsewhere", make_socket_elsewhere, EACCES},
        {"run a program", run_program, EACCES},
        {"list the devices", list_devices, EACCES},
        {"look into /sys", read_kernel_tree, EACCES},
    };
    if (!has_landlock(2))
        cr_skip("this kernel's Landlock is older than ABI 2, or there is none");
    CHECK(enter_files, rows);
}

static int truncate_configuration(const struct temporary_folder *folder)
{
    return errno_of(truncate(folder_path(folder, "conf/secret"), 0));
}

static int bind_other_port(const struct temporary_folder *folder)
{
    (void)folder;
    return bind_port(47118);
}

static int signal_parent(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(kill(getppid(), 0));
}

Test(sandbox_files, refuses_what_newer_kernels_know)
{
    static const struct row rows[] = {
        {"truncate by path", truncate_configuration, EACCES},
        {"bind another TCP port", bind_other_port, EACCES},
        {"signal another process", signal_parent, EPERM},
    };
    if (!has_landlock(6))
        cr_skip("this kernel's Landlock is older than ABI 6, or there is none");
    CHECK(enter_files, rows);
}

Test(sandbox_files, names_the_directory_that_is_missing)
{
    const struct sandbox_files files = {.state_dir = "/nowhere/at/all", .tcp_port = 1};
    struct error error;
    const char *gap;
    if (!has_landlock(1))
        cr_skip("no Landlock here");
    cr_assert_eq(sandbox_limit_files(&files, &gap, &error), ERR_IO);
    cr_expect_str_eq(error.message, "/nowhere/at/all: No such file or directory");
}

static int signal_itself(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(kill(getpid(), 0));
}

static int gain_no_privilege(const struct temporary_folder *folder)
{
    (void)folder;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1;
}

Test(sandbox_files, gives_up_new_privileges)
{
    static const struct row rows[] = {
        {"no_new_privs", gain_no_privilege, 0},
        {"signal itself", signal_itself, 0},
    };
    if (!has_landlock(1))
        cr_skip("no Landlock here");
    CHECK(enter_files, rows);
}

/* ---- system calls ---- */

static void *answer(void *context)
{
    return context;
}

static int make_thread(const struct temporary_folder *folder)
{
    (void)folder;
    pthread_t thread;
    int mark;
    void *result = NULL;
    if (pthread_create(&thread, NULL, answer, &mark) != 0 || pthread_join(thread, &result) != 0)
        return 1;
    return result == &mark ? 0 : 1;
}

static int look_up_name(const struct temporary_folder *folder)
{
    (void)folder;
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM};
    int result = getaddrinfo("localhost", "80", &hints, &found);
    if (result == 0)
        freeaddrinfo(found);
    return result == 0 ? 0 : 1;
}

static int open_socket(int family, int kind, int protocol)
{
    return errno_of(socket(family, kind, protocol));
}

static int open_tcp(const struct temporary_folder *folder)
{
    (void)folder;
    return open_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
}

static int open_unix(const struct temporary_folder *folder)
{
    (void)folder;
    return open_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int load_module(const struct temporary_folder *folder)
{
    (void)folder;
    return dlopen("libresolv.so.2", RTLD_NOW) ? 0 : 1;
}

static int wait_for_events(const struct temporary_folder *folder)
{
    (void)folder;
    struct epoll_event event;
    return errno_of(epoll_wait(epoll_create1(EPOLL_CLOEXEC), &event, 1, 0));
}

static int abort_itself(const struct temporary_folder *folder)
{
    (void)folder;
    signal(SIGABRT, SIG_DFL);
    abort();
}

Test(sandbox_calls, leaves_what_the_daemon_does)
{
    static const struct row rows[] = {
        {"make a thread", make_thread, 0},  {"look up a name", look_up_name, 0},
        {"open a TCP socket", open_tcp, 0}, {"open a Unix socket", open_unix, 0},
        {"load a module", load_module, 0},  {"wait for events", wait_for_events, 0},
        {"make a file", make_in_state, 0},  {"publish a file", publish_in_state, 0},
        {"abort", abort_itself, -SIGABRT},
    };
    CHECK(enter_calls, rows);
}

static int trace_parent(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int read_parents_memory(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}

static int run_by_descriptor(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(syscall(SYS_execveat, -1, "", NULL, NULL, 0));
}

static int mount_something(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(syscall(SYS_mount, NULL, NULL, NULL, 0, NULL));
}

static int leave_namespace(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(syscall(SYS_unshare, 0));
}

static int load_kernel_program(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(syscall(SYS_bpf, 0, NULL, 0));
}

static int become_root(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(syscall(SYS_setuid, 0));
}

Test(sandbox_calls, ends_a_process_that_was_taken_over)
{
    static const struct row rows[] = {
        {"execve", run_program, -SIGSYS},      {"execveat", run_by_descriptor, -SIGSYS},
        {"ptrace", trace_parent, -SIGSYS},     {"process_vm_readv", read_parents_memory, -SIGSYS},
        {"mount", mount_something, -SIGSYS},   {"unshare", leave_namespace, -SIGSYS},
        {"bpf", load_kernel_program, -SIGSYS}, {"setuid", become_root, -SIGSYS},
    };
    CHECK(enter_calls, rows);
}

static int fork_itself(const struct temporary_folder *folder)
{
    (void)folder;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return errno_of(child);
}

static int spawn_program(const struct temporary_folder *folder)
{
    (void)folder;
    char *const arguments[] = {(char[]){"true"}, NULL};
    pid_t child;
    return posix_spawn(&child, "/bin/true", NULL, NULL, arguments, arguments + 1);
}

static int open_raw(const struct temporary_folder *folder)
{
    (void)folder;
    return open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int open_packet(const struct temporary_folder *folder)
{
    (void)folder;
    return open_socket(AF_PACKET, SOCK_DGRAM, 0);
}

static int open_audit(const struct temporary_folder *folder)
{
    (void)folder;
    return open_socket(AF_NETLINK, SOCK_DGRAM, 9 /* NETLINK_AUDIT */);
}

static int listen_anew(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(listen(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 1));
}

static int write_code(const struct temporary_folder *folder)
{
    (void)folder;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : 0;
}

static int turn_data_into_code(const struct temporary_folder *folder)
{
    (void)folder;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return errno_of(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int type_into_terminal(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(ioctl(0, TIOCSTI, "x"));
}

static int be_traceable(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int raise_limit(const struct temporary_folder *folder)
{
    (void)folder;
    const struct rlimit limit = {0, 0};
    return errno_of(setrlimit(RLIMIT_CORE, &limit));
}

static int make_memory_file(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(syscall(SYS_memfd_create, "x", 0));
}

static int start_ring(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(syscall(SYS_io_uring_setup, 1, NULL));
}

static int call_the_future(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(syscall(9999));
}

static int call_clone3(const struct temporary_folder *folder)
{
    (void)folder;
    return errno_of(syscall(SYS_clone3, NULL, 0));
}

Test(sandbox_calls, refuses_the_rest_and_goes_on)
{
    static const struct row rows[] = {
        {"fork", fork_itself, EPERM},
        {"posix_spawn", spawn_program, EPERM},
        {"a raw socket", open_raw, EPERM},
        {"a packet socket", open_packet, EPERM},
        {"another netlink protocol", open_audit, EPERM},
        {"listen", listen_anew, EPERM},
        {"memory to write and run", write_code, EPERM},
        {"written memory to run", turn_data_into_code, EPERM},
        {"TIOCSTI", type_into_terminal, EPERM},
        {"PR_SET_DUMPABLE", be_traceable, EPERM},
        {"setrlimit", raise_limit, EPERM},
        {"kill", signal_parent, EPERM},
        {"memfd_create", make_memory_file, EPERM},
        {"io_uring_setup", start_ring, EPERM},
        {"a call from the future", call_the_future, EPERM},
        /* Anything else than ENOSYS makes the C library give up on threads. */
        {"clone3", call_clone3, ENOSYS},
    };
    CHECK(enter_calls, rows);
}

struct other_thread {
    pthread_barrier_t before;
    pthread_barrier_t after;
    int result;
};

static void *try_later(void *context)
{
    struct other_thread *other = context;
    pthread_barrier_wait(&other->before);
    pthread_barrier_wait(&other->after);
    other->result = listen_anew(NULL);
    return NULL;
}

static enum status enter_nothing(const struct temporary_folder *folder)
{
    (void)folder;
    return OK;
}

/* As the store's writer is when the sockets listen. */
static int try_in_earlier_thread(const struct temporary_folder *folder)
{
    (void)folder;
    struct other_thread other = {.result = -1};
    pthread_t thread;
    pthread_barrier_init(&other.before, NULL, 2);
    pthread_barrier_init(&other.after, NULL, 2);
    if (pthread_create(&thread, NULL, try_later, &other) != 0)
        return 1;
    pthread_barrier_wait(&other.before);
    if (sandbox_limit_calls(NULL) != OK)
        return NO_SANDBOX;
    pthread_barrier_wait(&other.after);
    pthread_join(thread, NULL);
    return other.result;
}

Test(sandbox_calls, limits_the_threads_that_were_there)
{
    static const struct row rows[] = {{"listen in an earlier thread", try_in_earlier_thread, EPERM}};
    CHECK(enter_nothing, rows);
}

#include "io/client/http_client.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "io/scripted_server.h"
#include "io/temporary_folder.h"

enum { PATIENCE_MS = 30000 };

/* ---- a TLS server: openssl(1) ---- */

struct tls_server {
    pid_t process;
    int output;
    int port;
};

/* A self-signed certificate for an address. */
static void make_certificate(const struct temporary_folder *folder, const char *name)
{
    char command[1024];
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test "
             "-addext subjectAltName=%s -keyout %s/key.pem -out %s/certificate.pem 2>/dev/null",
             name, folder->path, folder->path);
    cr_assert_eq(system(command), 0, "openssl(1) is needed");
}

static void tls_server_start(struct tls_server *server, const struct temporary_folder *folder, const char *version)
{
    char key[128];
    char certificate[128];
    snprintf(key, sizeof key, "%s/key.pem", folder->path);
    snprintf(certificate, sizeof certificate, "%s/certificate.pem", folder->path);
    char *arguments[] = {(char[]){"openssl"},
                         (char[]){"s_server"},
                         (char[]){"-accept"},
                         (char[]){"127.0.0.1:0"},
                         (char[]){"-key"},
                         key,
                         (char[]){"-cert"},
                         certificate,
                         (char[]){"-www"},
                         (char[]){"-cipher"},
                         (char[]){"DEFAULT:@SECLEVEL=0"},
                         version ? strdup(version) : NULL,
                         NULL};
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    cr_assert_eq(posix_spawnp(&server->process, "openssl", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    free(arguments[11]);
    close(ends[1]);
    server->output = ends[0];
    /* It says "ACCEPT 127.0.0.1:PORT" once it listens. */
    char text[1024] = "";
    size_t length = 0;
    const char *said = NULL;
    while (!said || !strchr(said, '\n')) {
        ssize_t got = read(server->output, text + length, sizeof text - 1 - length);
        cr_assert(got > 0, "openssl s_server does not start");
        length += (size_t)got;
        text[length] = '\0';
        said = strstr(text, "ACCEPT ");
    }
    cr_assert_eq(sscanf(said, "ACCEPT 127.0.0.1:%d", &server->port), 1, "%s", said);
}

static void tls_server_finish(struct tls_server *server)
{
    kill(server->process, SIGKILL);
    waitpid(server->process, NULL, 0);
    close(server->output);
}

#define TLS_SERVER(name, folder, version)                                                                              \
    __attribute__((cleanup(tls_server_finish))) struct tls_server name = {0};                                          \
    tls_server_start(&name, folder, version)

/* ---- one request ---- */

struct answer {
    struct event_loop *loop;
    bool done;
    enum status status;
    struct error error;
    int http_status;
    bool may_have_been_sent;
};

static void on_done(void *context, const struct http_client_result *result)
{
    struct answer *answer = context;
    answer->done = true;
    answer->status = result->status;
    answer->error = result->error;
    answer->http_status = result->http_status;
    answer->may_have_been_sent = result->may_have_been_sent;
    event_loop_stop(answer->loop);
}

static void give_up(void *context)
{
    (void)context;
    cr_assert_fail("no answer");
}

static struct answer get(const char *host, int port, const char *ca_file)
{
    AUTO(event_loop) loop = NULL;
    AUTO(http_client) client = NULL;
    AUTO(address_rule) addresses = address_rule_create();
    cr_assert_eq(address_rule_allow_loopback(addresses), OK);
    cr_assert_eq(event_loop_create(&loop, NULL), OK);
    struct http_client_options options = {
        .ca_file = ca_file,
        .timeout_ms = PATIENCE_MS,
        .connect_timeout_ms = PATIENCE_MS,
        .max_concurrent = 1,
        .max_reply = 64 * 1024,
        .addresses = addresses,
    };
    cr_assert_eq(http_client_create(loop, &options, &client, NULL), OK);
    char url[128];
    snprintf(url, sizeof url, "https://%s:%d/", host, port);
    struct answer answer = {.loop = loop};
    struct http_exchange *exchange;
    AUTO(loop_timer) timer = loop_timer_create(loop, give_up, NULL);
    loop_timer_start(timer, PATIENCE_MS);
    cr_assert_eq(http_client_send(client, http_request_create("GET", secret_from_text(url)), false, 0, on_done, &answer,
                                  &exchange, NULL),
                 OK);
    while (!answer.done)
        cr_assert_eq(event_loop_run(loop, NULL), OK);
    http_client_destroy(TAKE(client));
    return answer;
}

static void assert_not_sent(const struct answer *answer)
{
    cr_assert_eq(answer->status, ERR_IO, "%d %s", answer->status, answer->error.message);
    cr_assert_not(answer->may_have_been_sent, "%s", answer->error.message);
}

Test(http_client_tls, certificate_of_the_ca_file_is_accepted)
{
    TEMPORARY_FOLDER(folder);
    make_certificate(&folder, "IP:127.0.0.1");
    TLS_SERVER(server, &folder, NULL);
    struct answer answer = get("127.0.0.1", server.port, folder_path(&folder, "certificate.pem"));
    cr_assert_eq(answer.status, OK, "%s", answer.error.message);
    cr_assert_eq(answer.http_status, 200);
}

Test(http_client_tls, unknown_certificate_is_refused_before_anything_is_sent)
{
    TEMPORARY_FOLDER(folder);
    make_certificate(&folder, "IP:127.0.0.1");
    TLS_SERVER(server, &folder, NULL);
    struct answer answer = get("127.0.0.1", server.port, NULL);
    assert_not_sent(&answer);
    cr_assert_not_null(strstr(answer.error.message, "certificate"), "%s", answer.error.message);
}

Test(http_client_tls, certificate_of_another_name_is_refused)
{
    TEMPORARY_FOLDER(folder);
    make_certificate(&folder, "DNS:example.com,IP:127.0.0.2");
    TLS_SERVER(server, &folder, NULL);
    struct answer answer = get("127.0.0.1", server.port, folder_path(&folder, "certificate.pem"));
    assert_not_sent(&answer);
}

Test(http_client_tls, version_before_1_2_is_refused)
{
    static const struct {
        const char *version;
        bool accepted;
    } rows[] = {{"-tls1_1", false}, {"-tls1_2", true}, {"-tls1_3", true}};
    TEMPORARY_FOLDER(folder);
    make_certificate(&folder, "IP:127.0.0.1");
    for (size_t i = 0; i < 3; i++) {
        TLS_SERVER(server, &folder, rows[i].version);
        struct answer answer = get("127.0.0.1", server.port, folder_path(&folder, "certificate.pem"));
        cr_assert_eq(answer.status, rows[i].accepted ? OK : ERR_IO, "%s %s", rows[i].version, answer.error.message);
    }
}

static void answer_in_clear(struct scripted_server *server, int fd)
{
    (void)server;
    server_send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    server_wait_for_close(fd);
}

Test(http_client_tls, server_without_tls_is_an_error)
{
    SCRIPTED_SERVER(server, answer_in_clear);
    struct answer answer = get("127.0.0.1", server.port, NULL);
    assert_not_sent(&answer);
}

Test(http_client_tls, ca_file_without_certificates_is_refused_at_once)
{
    TEMPORARY_FOLDER(folder);
    AUTO(event_loop) loop = NULL;
    cr_assert_eq(event_loop_create(&loop, NULL), OK);
    AUTO(address_rule) addresses = address_rule_create();
    const char *paths[] = {folder_path(&folder, "missing"), folder_write(&folder, "text", 0600, "no certificate")};
    for (size_t i = 0; i < 2; i++) {
        struct http_client_options options = {
            .ca_file = paths[i], .timeout_ms = 1, .max_concurrent = 1, .addresses = addresses};
        struct http_client *client = NULL;
        struct error error;
        cr_assert_eq(http_client_create(loop, &options, &client, &error), ERR_INVALID);
        cr_assert_null(client);
        cr_assert_not_null(strstr(error.message, paths[i]));
    }
}

#ifndef IO_HOST_LISTENER_H
#define IO_HOST_LISTENER_H

#include "base/cleanup.h"
#include "base/error.h"
#include "io/loop/event_loop.h"

/*
 * A listening socket and the accepting of it. On EMFILE, ENFILE, ENOBUFS, ENOMEM accepting pauses and goes on by
 * itself; it never spins and never ends the process.
 */
struct listener;

/*
 * Makes and binds a Unix stream socket. The parent directory must exist. A stale socket (nobody answers) is replaced;
 * one that answers is ERR_CONFLICT ("another iclientd answers at …"); anything that is no socket is ERR_CONFLICT too.
 * mode: permission bits, set before the first accept; group: name or NULL. ret_fd: non-blocking, close-on-exec.
 */
enum status listener_bind_unix(const char *path, unsigned mode, const char *group, int *ret_fd,
                               struct error *ret_error);
/*
 * "127.0.0.1:8085", "[::1]:8085", "localhost:0". ERR_DENIED for addresses that are not loopback: the redirect endpoint
 * is only for this host's browser.
 */
enum status listener_bind_tcp(const char *address, int *ret_fd, struct error *ret_error);

/* take_fd: a listening socket of ours or of systemd's. accepted(): takes the new non-blocking descriptor. */
typedef void listener_accepted(int take_fd, void *context);
enum status listener_create(struct event_loop *loop, int take_fd, listener_accepted *accepted, void *context,
                            struct listener **ret_listener, struct error *ret_error);
void listener_destroy(struct listener *listener);
AUTO_DEFINE(listener);
/* Stops and goes on accepting, as when the server's connection cap is reached. Both idempotent. */
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);

#endif

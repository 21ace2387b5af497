#ifndef IO_HOST_SERVICE_NOTIFY_H
#define IO_HOST_SERVICE_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* systemd's side of a daemon, by its documented protocols (sd_notify(3), sd_listen_fds(3)), without libsystemd. */

/* Sends state ("READY=1", "RELOADING=1\nMONOTONIC_USEC=…", "STATUS=…") to $NOTIFY_SOCKET; no-op without one. */
void service_notify_send(const char *state);
void service_notify_ready(void);
void service_notify_reloading(void); /* with MONOTONIC_USEC */
void service_notify_stopping(void);
/* Half of WATCHDOG_USEC in ms when a watchdog waits for this process, else 0. */
int64_t service_notify_watchdog_interval_ms(void);

/*
 * Whether each socket that systemd passed has one of these names, and no two the same: one that is never taken would
 * let its clients wait for ever. ERR_INVALID names it.
 */
enum status service_notify_check_sockets(const char *const *names, size_t count, struct error *ret_error);
/*
 * The listening socket that systemd passed under a name (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES), close-on-exec and
 * non-blocking;
 * -1 when there is none. Call before threads are made; a descriptor that is no listening stream socket is ERR_INVALID.
 */
enum status service_notify_take_socket(const char *name, int *ret_fd, struct error *ret_error);

#endif

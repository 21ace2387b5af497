#ifndef ICLIENTD_FACES_H
#define ICLIENTD_FACES_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/metrics.h"
#include "broker/broker.h"
#include "iclientd/config/config.h"
#include "io/loop/event_loop.h"

/* The three listening sockets with the servers behind them: tokens, admin, redirect endpoint. */
struct faces;

/* Takes systemd's socket of each name (token, admin, redirect) where it passed one, else binds the configured one. */
enum status faces_open(struct event_loop *loop, struct broker *broker, struct metrics *metrics,
                       const struct config *config, struct faces **ret_faces, struct error *ret_error);
/* Who may use tenants' OAuth clients, of a configuration that was loaded again; held. */
void faces_set_tenants(struct faces *faces, struct tenant_access *tenants);
/* Accepts nothing new; what is being answered is finished. */
void faces_drain(struct faces *faces);
/* Before the broker. Removes the sockets that it bound. */
void faces_destroy(struct faces *faces);
AUTO_DEFINE(faces);

#endif

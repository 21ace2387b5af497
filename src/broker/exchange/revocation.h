#ifndef BROKER_EXCHANGE_REVOCATION_H
#define BROKER_EXCHANGE_REVOCATION_H

#include <stdbool.h>

#include "broker/broker.h"

/*
 * RFC 7009: the refresh token, then the access token, at the provider; then both are forgotten here. Waits for an
 * exchange in flight, whose answer may bring the tokens that are to be revoked.
 */
struct token_entry;
struct revocation;

/*
 * As broker_revoke(), for tokens that nobody may be served any more: they are forgotten at once, and stay so when the
 * provider is not reached.
 */
enum status revocation_begin_final(struct token_entry *entry, revoke_done *done, void *context,
                                   struct error *ret_error);
/* Begins the revocation that waits, if there is one and nothing is running. */
void revocation_start_pending(struct token_entry *entry);
/* Without calling back. Takes NULL. */
void revocation_destroy(struct revocation *revocation);

#endif

#ifndef PROTOCOL_REQUEST_CLIENT_AUTHENTICATION_H
#define PROTOCOL_REQUEST_CLIENT_AUTHENTICATION_H

#include "base/error.h"
#include "protocol/request/request_builder.h"

/*
 * Puts the client's identity into exactly one place (RFC 6749 §2.3: never more than one method):
 *   basic           the Authorization header; one of the iClient's own headers replaces it
 *   body, none      client_id (and client_secret) among the default parameters, so not where the iClient has a body
 *   *_jwt           client_assertion (RFC 7523 §2.2) with client_id
 * and nowhere when the iClient's own body has client_secret or client_assertion in it.
 * optional: the request is proof enough without it (RFC 7523 §2.1), so that an iClient without id or secret passes.
 * ERR_INVALID when the client id is missing; errors of jwt_assertion_create_client().
 */
enum status client_authentication_add(struct request_builder *builder, bool optional, struct error *ret_error);

#endif

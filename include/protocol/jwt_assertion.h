#ifndef PROTOCOL_JWT_ASSERTION_H
#define PROTOCOL_JWT_ASSERTION_H

#include "base/error.h"
#include "base/secret.h"
#include "protocol/grant_context.h"

/*
 * The JWT that an iClient's "jwt" block describes, templates of header and payload rendered. Defaults where the
 * payload is silent (RFC 7523 §3): iss and sub client id, aud token URI, iat now, exp now + jwt.lifetime, jti random; a
 * null in the payload removes a default. Claims iat, exp and nbf whose rendered value is a whole number become JSON
 * numbers. Errors of template_render() and jwt_sign().
 */
enum status jwt_assertion_create(const struct grant_context *context, struct secret **ret_token,
                                 struct error *ret_error);
/*
 * For jwt.use accessToken: the signed JWT with its own lifetime, as a token set (generation 0).
 */
enum status jwt_assertion_create_token(const struct grant_context *context, struct token_set **ret_tokens,
                                       struct error *ret_error);
/*
 * client_assertion for client_secret_jwt and private_key_jwt (RFC 7523 §2.2, OpenID Connect Core §9): iss and sub client
 * id, aud token URI, fresh jti, exp now + jwt.lifetime. client_secret_jwt signs HS256 (or the HS method given)
 * with the client secret.
 */
enum status jwt_assertion_create_client(const struct grant_context *context, struct secret **ret_token,
                                        struct error *ret_error);

#endif

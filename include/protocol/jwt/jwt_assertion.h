#ifndef PROTOCOL_JWT_JWT_ASSERTION_H
#define PROTOCOL_JWT_JWT_ASSERTION_H

#include "base/error.h"
#include "base/secret.h"
#include "protocol/request/grant_context.h"

/*
 * The JWT that an iClient's "jwt" block describes, templates of header and payload rendered; jwt.token where there is
 * one, as it is. Without a payload the claims are those of RFC 7523 §3: iss and sub client id, aud token URI, iat now,
 * exp now + jwt.lifetime, jti random. A payload is all that is signed, but for iat and exp where it is silent; a null
 * in it keeps one of these two away. Claims iat, exp and nbf whose rendered value is a whole number become JSON
 * numbers. Errors of template_render() and jwt_sign().
 */
enum status jwt_assertion_create(const struct grant_context *context, struct secret **ret_token,
                                 struct error *ret_error);
/*
 * For jwt.use accessToken: the signed JWT, or jwt.token, with its own lifetime as a token set (generation 0).
 * ERR_INVALID: jwt.token has expired.
 */
enum status jwt_assertion_create_token(const struct grant_context *context, struct token_set **ret_tokens,
                                       struct error *ret_error);
/*
 * client_assertion for client_secret_jwt and private_key_jwt (RFC 7523 §2.2, OpenID Connect Core §9): iss and sub
 * client id, aud token URI, fresh jti, exp now + jwt.lifetime. client_secret_jwt signs HS256 (or the HS method given)
 * with the client secret.
 */
enum status jwt_assertion_create_client(const struct grant_context *context, struct secret **ret_token,
                                        struct error *ret_error);

#endif

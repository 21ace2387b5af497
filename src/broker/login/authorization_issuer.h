#ifndef BROKER_LOGIN_AUTHORIZATION_ISSUER_H
#define BROKER_LOGIN_AUTHORIZATION_ISSUER_H

#include <stdbool.h>

#include "base/error.h"
#include "broker/login/authorization_session.h"

/*
 * Whether an answer comes from the authorization server that the login began at (RFC 9207, RFC 9700 §4.4): a hostile
 * one may send the browser on to an honest one, whose answer then arrives for the hostile one's login.
 */

/*
 * Whether an answer may arrive at path for this login: at that of its redirect URI alone. A provider's own name for the
 * redirect URI (eBay's RuName) has no path: any will do that no other authorization server has.
 */
bool authorization_issuer_path_fits(const struct authorization_session *session, const char *path);

/*
 * issuer: the answer's iss; NULL: it has none. ERR_DENIED with what is wrong:
 *   - oauth2.issuer is set, and iss is not exactly that, or is missing where path is shared with another server
 *   - it is not set, and iss has another origin than the authorization URI, or is another server's issuer,
 *     or is missing where path is shared with another server
 * ERR_NO_MEMORY.
 */
enum status authorization_issuer_check(const struct authorization_session *session, const char *path,
                                       const char *issuer, struct error *ret_error);

#endif

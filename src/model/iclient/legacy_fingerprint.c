#include "model/iclient/legacy_fingerprint.h"

#include <string.h>

#include "model/connection/connection_record.h"
#include "model/secret/digest.h"
#include "model/iclient/iclient_record.h"

/* The first half tells of the endpoints alone. */
enum { ENDPOINTS_LENGTH = 32 };

static bool fingerprint_of_iclient(const struct iclient *iclient, char ret_fingerprint[LEGACY_FINGERPRINT_SIZE])
{
    const struct digest_part endpoints[] = {
        digest_text(iclient_text(iclient, ICLIENT_TOKEN_URI)),
        digest_text(iclient_text(iclient, ICLIENT_REFRESH_URI)),
        digest_text(iclient_text(iclient, ICLIENT_AUTH_URI)),
        digest_text(iclient_tenant(iclient)),
    };
    char digest[DIGEST_HEX_SIZE];
    if (!digest_parts(endpoints, sizeof endpoints / sizeof endpoints[0], digest))
        return false;
    const struct secret *secret = iclient_client_secret(iclient);
    const char *grant = grant_type_name(iclient_grant(iclient));
    const struct digest_part parts[] = {
        digest_text(digest),
        digest_text(iclient_client_id(iclient)),
        {.bytes = secret_reveal(secret), .length = secret_length(secret)},
        digest_text(grant ? grant : "none"),
    };
    if (!digest_parts(parts, sizeof parts / sizeof parts[0], ret_fingerprint))
        return false;
    memcpy(ret_fingerprint, digest, ENDPOINTS_LENGTH);
    return true;
}

bool legacy_fingerprint(const struct connection *connection, char ret_fingerprint[LEGACY_FINGERPRINT_SIZE])
{
    char of_iclient[LEGACY_FINGERPRINT_SIZE];
    if (!fingerprint_of_iclient(connection->iclient, of_iclient))
        return false;
    const char *username = connection_username(connection);
    const struct secret *password = connection_password(connection);
    const char *scope = connection->content ? connection->content->scope : NULL;
    const char *audience = connection_audience(connection);
    memcpy(ret_fingerprint, of_iclient, sizeof of_iclient);
    if (!username && !password && !scope && !audience)
        return true;
    const struct digest_part parts[] = {
        digest_text(of_iclient),
        digest_text(username),
        {.bytes = secret_reveal(password), .length = secret_length(password)},
        digest_text(scope),
        digest_text(audience),
    };
    if (!digest_parts(parts, sizeof parts / sizeof parts[0], ret_fingerprint))
        return false;
    memcpy(ret_fingerprint, of_iclient, ENDPOINTS_LENGTH);
    return true;
}

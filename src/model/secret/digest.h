#ifndef MODEL_SECRET_DIGEST_H
#define MODEL_SECRET_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

struct digest_part {
    const char *bytes; /* NULL: absent, which differs from empty */
    size_t length;
};
enum { DIGEST_HEX_SIZE = 65 };

/* Lower-case hex SHA-256 over the parts with their lengths, so that no two lists of parts run into one another. */
bool digest_parts(const struct digest_part *parts, size_t count, char ret_hex[DIGEST_HEX_SIZE]);
struct digest_part digest_text(const char *text);

#endif

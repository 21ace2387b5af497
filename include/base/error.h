#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>

/* How a call ended. Lower layers return it and never log; broker and service log, once. */
enum status {
    OK = 0,
    ERR_NO_MEMORY,
    ERR_INVALID,     /* the input breaks a rule; the message says which */
    ERR_NOT_FOUND,   /* what was named does not exist */
    ERR_CONFLICT,    /* it exists already, or is in use */
    ERR_DENIED,      /* a policy forbids it (URL policy, access rule) */
    ERR_TOO_LARGE,   /* a named maximum was reached */
    ERR_UNSUPPORTED, /* understood, but not offered here */
    ERR_IO,          /* the operating system refused; the message carries strerror */
    ERR_NO_SPACE,    /* likewise, because a disk or a quota is full */
    ERR_CRYPTO,      /* OpenSSL or libjwt refused: wrong key, broken ciphertext */
    ERR_CORRUPT,     /* stored data is not what was written */
    ERR_TIMEOUT,
    ERR_CANCELLED,
    ERR_BUSY, /* a count limit was reached; try again later */
};

enum { ERROR_MESSAGE_MAX = 512 };

/*
 * What a failed call has to say to a person. Filled on failure alone. Never holds a secret: whoever formats
 * a message names the thing (a field, a file, a host), not its value.
 */
struct error {
    enum status status;
    char message[ERROR_MESSAGE_MAX];
};

/* Fills *ret_error (which may be NULL) and returns status, so that "return error_set(...)" is one line. */
enum status error_set(struct error *ret_error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "text: " before the message that is already there and returns its status: the context a caller adds. */
enum status error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <jansson.h>

#include "base/wiping_memory.h"

/*
 * Automatic cleanup, explicit hand-over.
 *
 *     AUTO(token_set) tokens = token_set_create();   destroyed at the end of the scope, NULL or not
 *     *ret_tokens = TAKE(tokens);                    unless handed over
 *
 * A type joins by writing AUTO_DEFINE(type) once in its header, after the declaration of type_destroy().
 */
#define AUTO(type) __attribute__((cleanup(type##_destroy_at))) struct type *
#define AUTO_DEFINE(type)                                                                                              \
    static inline void type##_destroy_at(struct type **at)                                                             \
    {                                                                                                                  \
        type##_destroy(*at);                                                                                           \
    }                                                                                                                  \
    struct type

/* For structs in the caller's memory, which have init and finish instead of create and destroy. */
#define AUTO_FINISH(type) __attribute__((cleanup(type##_finish))) struct type

#define AUTO_TEXT __attribute__((cleanup(cleanup_text_at))) char *
#define AUTO_JSON __attribute__((cleanup(cleanup_json_at))) json_t *

#define TAKE(pointer)                                                                                                  \
    ({                                                                                                                 \
        __typeof__(pointer) take_value_ = (pointer);                                                                   \
        (pointer) = NULL;                                                                                              \
        take_value_;                                                                                                   \
    })

/* Wiped, because many of them are read from what a secret stands in. */
static inline void cleanup_text_at(char **at)
{
    wiping_free(*at);
}

static inline void cleanup_json_at(json_t **at)
{
    json_decref(*at);
}

#endif

#ifndef SERVICE_API_API_LISTING_H
#define SERVICE_API_API_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text/text_buffer.h"
#include "io/http/http_server.h"

/*
 * A JSON text with very many elements, sent as its reader takes it: what it costs in memory is a pointer for each
 * element and the text of a few. The elements are held from the beginning, so that the text is of one moment whatever
 * changes meanwhile.
 */
struct api_listing;

struct api_listing_kind {
    const char *before; /* "[" */
    const char *after;  /* "]" */
    bool (*append)(const void *element, struct text_buffer *buffer);
    void (*release)(void *element);
};

/* kind: borrowed. NULL when out of memory. */
struct api_listing *api_listing_create(const struct api_listing_kind *kind);
void api_listing_destroy(struct api_listing *listing);
AUTO_DEFINE(api_listing);
/* element: held for the listing, or NULL when that failed. False: out of memory. */
bool api_listing_add(struct api_listing *listing, void *take_element);
/* Answers 200. */
void api_listing_reply(struct api_listing *take_listing, struct http_call *call);

#endif

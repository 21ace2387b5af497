#include "service/api/api_listing.h"

#include <stdlib.h>
#include <string.h>

#include "service/api/api_error.h"

enum { PART_SIZE = 32 * 1024, PART_MAX = 4 * 1024 * 1024 };

struct api_listing {
    const struct api_listing_kind *kind;
    struct http_call *call;
    void **elements;
    size_t count, capacity, next;
    struct text_buffer part;
};

struct api_listing *api_listing_create(const struct api_listing_kind *kind)
{
    struct api_listing *listing = calloc(1, sizeof *listing);
    if (!listing)
        return NULL;
    listing->kind = kind;
    text_buffer_init(&listing->part, PART_MAX);
    return listing;
}

void api_listing_destroy(struct api_listing *listing)
{
    if (!listing)
        return;
    for (size_t i = listing->next; i < listing->count; i++)
        listing->kind->release(listing->elements[i]);
    free(listing->elements);
    text_buffer_finish(&listing->part);
    free(listing);
}

bool api_listing_add(struct api_listing *listing, void *take_element)
{
    if (take_element && listing->count == listing->capacity) {
        size_t capacity = listing->capacity ? 2 * listing->capacity : 64;
        void **grown = reallocarray(listing->elements, capacity, sizeof *grown);
        if (!grown) {
            listing->kind->release(take_element);
            return false;
        }
        listing->elements = grown;
        listing->capacity = capacity;
    }
    if (take_element)
        listing->elements[listing->count++] = take_element;
    return take_element != NULL;
}

static void reader_gone(void *context)
{
    api_listing_destroy(context);
}

/* False: an element found no memory, and the reader has to see that the text is not whole. */
static bool append_elements(struct api_listing *listing)
{
    while (listing->next < listing->count && listing->part.length < PART_SIZE) {
        void *element = listing->elements[listing->next];
        if (listing->next > 0)
            text_buffer_append_text(&listing->part, ",");
        bool done = listing->kind->append(element, &listing->part);
        listing->kind->release(element);
        listing->next++;
        if (!done)
            return false;
    }
    return true;
}

static void write_part(void *context)
{
    struct api_listing *listing = context;
    struct http_call *call = listing->call;
    bool is_whole = append_elements(listing);
    bool is_last = !is_whole || listing->next == listing->count;
    if (is_last && is_whole)
        text_buffer_append_text(&listing->part, listing->kind->after);
    http_call_stream_write(call, text_buffer_text(&listing->part), listing->part.length);
    text_buffer_clear(&listing->part);
    if (!is_last)
        return;
    api_listing_destroy(listing);
    http_call_stream_end(call);
}

void api_listing_reply(struct api_listing *take_listing, struct http_call *call)
{
    struct api_listing *listing = take_listing;
    listing->call = call;
    text_buffer_append_text(&listing->part, listing->kind->before);
    http_call_on_gone(call, reader_gone, listing);
    http_call_stream_begin(call, api_error_content_type(call));
    http_call_stream_pull(call, write_part, listing);
}

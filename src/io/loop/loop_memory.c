#include "io/loop/loop_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/secret.h"

enum { SMALL_MAX = 32, PIECES_PER_BLOCK = 128 };

/* Stands before all memory that is given out. */
struct memory_header {
    _Alignas(16) size_t size;
    struct memory_block *block; /* that it is a piece of; NULL: it was allocated by itself */
};

struct memory_piece {
    struct memory_header header;
    union {
        struct memory_piece *next_free;
        char bytes[SMALL_MAX];
    };
};

struct memory_block {
    LIST_ENTRY(memory_block) link; /* only while a piece is free */
    size_t used;
    struct memory_piece *free; /* pieces that were used before */
    size_t fresh;              /* the first piece that never was; from there on all are free */
    struct memory_piece pieces[PIECES_PER_BLOCK];
};
LIST_HEAD(memory_block_list, memory_block);

static struct memory_block_list blocks_with_room = LIST_HEAD_INITIALIZER(blocks_with_room);

static struct memory_block *find_room(void)
{
    struct memory_block *block = LIST_FIRST(&blocks_with_room);
    if (block)
        return block;
    block = malloc(sizeof *block);
    if (!block)
        return NULL;
    block->used = block->fresh = 0;
    block->free = NULL;
    LIST_INSERT_HEAD(&blocks_with_room, block, link);
    return block;
}

static struct memory_header *take_piece(void)
{
    struct memory_block *block = find_room();
    if (!block)
        return NULL;
    struct memory_piece *piece = block->free;
    if (piece)
        block->free = piece->next_free;
    else
        piece = &block->pieces[block->fresh++];
    if (++block->used == PIECES_PER_BLOCK)
        LIST_REMOVE(block, link);
    piece->header.block = block;
    return &piece->header;
}

static void give_back_piece(struct memory_block *block, struct memory_piece *piece)
{
    piece->next_free = block->free;
    block->free = piece;
    if (block->used-- == PIECES_PER_BLOCK)
        LIST_INSERT_HEAD(&blocks_with_room, block, link);
    if (block->used > 0)
        return;
    LIST_REMOVE(block, link);
    free(block);
}

static struct memory_header *header_of(void *memory)
{
    return (struct memory_header *)memory - 1;
}

void *loop_memory_allocate(size_t size)
{
    struct memory_header *header = NULL;
    if (size <= SMALL_MAX)
        header = take_piece();
    else if (size <= SIZE_MAX - sizeof *header && (header = malloc(sizeof *header + size)))
        header->block = NULL;
    if (!header)
        return NULL;
    header->size = size;
    return header + 1;
}

void loop_memory_free(void *memory)
{
    if (!memory)
        return;
    struct memory_header *header = header_of(memory);
    secret_wipe(memory, header->size);
    if (header->block)
        give_back_piece(header->block, (struct memory_piece *)header);
    else
        free(header);
}

void *loop_memory_reallocate(void *memory, size_t size)
{
    void *moved = loop_memory_allocate(size);
    if (!memory || !moved)
        return moved;
    size_t old_size = header_of(memory)->size;
    memcpy(moved, memory, old_size < size ? old_size : size);
    loop_memory_free(memory);
    return moved;
}

#include "iclientctl/terminal/terminal_text.h"

#include <stdlib.h>
#include <string.h>

struct stored_cell {
    char *text; /* escaped */
    enum terminal_tone tone;
};

struct terminal_table {
    size_t columns;
    size_t widths[TERMINAL_COLUMNS_MAX];
    struct stored_cell *cells; /* row after row */
    size_t count;
    size_t capacity;
    bool failed;
};

static bool make_room(struct terminal_table *table)
{
    if (table->count + table->columns <= table->capacity)
        return true;
    size_t capacity = table->capacity ? table->capacity * 2 : 16 * table->columns;
    struct stored_cell *grown = reallocarray(table->cells, capacity, sizeof *grown);
    if (!grown)
        return false;
    table->cells = grown;
    table->capacity = capacity;
    return true;
}

struct terminal_table *terminal_table_create(const char *const *titles, size_t columns)
{
    struct terminal_table *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->columns = columns;
    if (!titles)
        return table;
    struct terminal_cell cells[TERMINAL_COLUMNS_MAX];
    for (size_t i = 0; i < columns; i++)
        cells[i] = (struct terminal_cell){titles[i], TONE_TITLE};
    terminal_table_add(table, cells);
    return table;
}

void terminal_table_destroy(struct terminal_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    free(table);
}

static char *escape(const char *text)
{
    AUTO_FINISH(text_buffer) escaped;
    text_buffer_init(&escaped, TERMINAL_TEXT_MAX);
    terminal_text_append(&escaped, text);
    return text_buffer_take(&escaped);
}

void terminal_table_add(struct terminal_table *table, const struct terminal_cell *cells)
{
    if (table->failed || !make_room(table)) {
        table->failed = true;
        return;
    }
    for (size_t i = 0; i < table->columns; i++) {
        const char *shown = cells[i].text && *cells[i].text ? cells[i].text : "-";
        char *text = escape(shown);
        table->cells[table->count++] = (struct stored_cell){text, cells[i].tone};
        if (!text) {
            table->failed = true;
            return;
        }
        size_t width = terminal_text_width(text);
        if (width > table->widths[i])
            table->widths[i] = width;
    }
}

static void append_cell(const struct terminal_table *table, size_t index, bool colours, struct text_buffer *buffer)
{
    const struct stored_cell *cell = &table->cells[index];
    size_t column = index % table->columns;
    terminal_text_append_tone(buffer, cell->text, cell->tone, colours);
    if (column + 1 == table->columns) {
        text_buffer_append_text(buffer, "\n");
        return;
    }
    size_t padding = table->widths[column] - terminal_text_width(cell->text) + 2;
    text_buffer_append_format(buffer, "%*s", (int)padding, "");
}

bool terminal_table_append(const struct terminal_table *table, bool colours, struct text_buffer *buffer)
{
    if (table->failed)
        return false;
    for (size_t i = 0; i < table->count; i++)
        append_cell(table, i, colours, buffer);
    return !buffer->failed;
}

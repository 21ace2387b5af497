#include "base/json/json_path.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"

enum { INDEX_DIGITS_MAX = 9 };

enum step_kind {
    STEP_PLAIN,  /* a member, or an index where the value is an array */
    STEP_MEMBER, /* quoted: a member alone */
    STEP_EACH,   /* "*" */
};

/* Names are pieces of the path's own text. */
struct step {
    enum step_kind kind;
    bool is_dotted; /* the text from here to the end may be a member's name as well */
    size_t start;
    size_t length;
    size_t index; /* SIZE_MAX: its text is none */
};

struct json_path {
    char *text;
    size_t count;
    struct step steps[];
};

/* ---- reading the text ---- */

struct parsing {
    struct json_path *path;
    size_t at;
    struct error *ret_error;
};

static enum status refuse(const struct parsing *parsing, const char *what)
{
    return error_set(parsing->ret_error, ERR_INVALID,
                     "%s at character %zu; a JSON path is a.b.0.c, $.a.b[0].c or "
                     "$['a']['b'], with * for every element of an array",
                     what, parsing->at + 1);
}

/* RFC 6901 §4: digits without leading zeros. */
static size_t read_index(const char *text, size_t length)
{
    if (length == 0 || length > INDEX_DIGITS_MAX || (length > 1 && text[0] == '0'))
        return SIZE_MAX;
    size_t index = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return SIZE_MAX;
        index = index * 10 + (size_t)(text[i] - '0');
    }
    return index;
}

static enum status add_step(struct parsing *parsing, enum step_kind kind, bool is_dotted, size_t start, size_t length)
{
    struct json_path *path = parsing->path;
    if (path->count == JSON_PATH_STEPS_MAX)
        return error_set(parsing->ret_error, ERR_INVALID, "more than %d steps", JSON_PATH_STEPS_MAX);
    path->steps[path->count++] = (struct step){
        .kind = kind,
        .is_dotted = is_dotted,
        .start = start,
        .length = length,
        .index = kind == STEP_PLAIN ? read_index(path->text + start, length) : SIZE_MAX,
    };
    return OK;
}

/* What means something in other notations has to be quoted in this one. */
static enum status read_name(struct parsing *parsing)
{
    static const char ends[] = ".[", others[] = "]'\"*()?|,/{}";
    const char *text = parsing->path->text + parsing->at;
    size_t length = strcspn(text, ends);
    if (length == 0)
        return refuse(parsing, "a name is missing");
    if (length == 1 && *text == '*') {
        parsing->at += 1;
        return add_step(parsing, STEP_EACH, false, 0, 0);
    }
    size_t start = parsing->at;
    size_t plain = strcspn(text, others);
    if (plain < length) {
        parsing->at += plain;
        return refuse(parsing, "an unexpected character");
    }
    parsing->at += length;
    return add_step(parsing, STEP_PLAIN, true, start, length);
}

static enum status read_quoted(struct parsing *parsing)
{
    const char *text = parsing->path->text + parsing->at;
    const char *end = strchr(text + 1, *text);
    if (!end)
        return refuse(parsing, "a quotation mark without its second one");
    if (memchr(text, '\\', (size_t)(end - text)))
        return refuse(parsing, "a backslash in the quoted name");
    if (end[1] != ']') {
        parsing->at += (size_t)(end + 1 - text);
        return refuse(parsing, "a ] is missing");
    }
    size_t start = parsing->at + 1;
    parsing->at += (size_t)(end + 2 - text);
    return add_step(parsing, STEP_MEMBER, false, start, (size_t)(end - text) - 1);
}

static enum status read_bracket(struct parsing *parsing)
{
    parsing->at++;
    const char *text = parsing->path->text + parsing->at;
    if (*text == '\'' || *text == '"')
        return read_quoted(parsing);
    size_t length = strcspn(text, "]");
    bool is_each = length == 1 && *text == '*';
    if (text[length] == '\0' || (!is_each && read_index(text, length) == SIZE_MAX))
        return refuse(parsing, "neither an index, nor *, nor a quoted name in brackets");
    size_t start = parsing->at;
    parsing->at += length + 1;
    return add_step(parsing, is_each ? STEP_EACH : STEP_PLAIN, false, start, length);
}

static enum status read_steps(struct parsing *parsing)
{
    const char *text = parsing->path->text;
    bool is_rooted = text[0] == '$' && (text[1] == '\0' || text[1] == '.' || text[1] == '[');
    parsing->at = is_rooted;
    enum status status = OK;
    if (!is_rooted && *text != '[')
        status = read_name(parsing);
    while (status == OK && text[parsing->at] != '\0') {
        if (text[parsing->at] == '[') {
            status = read_bracket(parsing);
        } else if (text[parsing->at] == '.') {
            parsing->at++;
            status = read_name(parsing);
        } else {
            status = refuse(parsing, "neither . nor [");
        }
    }
    return status == OK && parsing->path->count == 0 ? refuse(parsing, "a name is missing") : status;
}

enum status json_path_compile(const char *text, struct json_path **ret_path, struct error *ret_error)
{
    AUTO(json_path) path = calloc(1, sizeof *path + JSON_PATH_STEPS_MAX * sizeof path->steps[0]);
    if (!path || !(path->text = strdup(text)))
        return error_set(ret_error, ERR_NO_MEMORY, "path");
    struct parsing parsing = {.path = path, .ret_error = ret_error};
    enum status status = read_steps(&parsing);
    if (status != OK)
        return status;
    /* Most paths are one step: give back the room of the others. */
    struct json_path *fitted = realloc(path, sizeof *path + path->count * sizeof path->steps[0]);
    path = fitted ? fitted : path;
    *ret_path = TAKE(path);
    return OK;
}

void json_path_destroy(struct json_path *path)
{
    if (!path)
        return;
    free(path->text);
    free(path);
}

bool json_path_is_many(const struct json_path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        if (path->steps[i].kind == STEP_EACH)
            return true;
    }
    return false;
}

const char *json_path_single_name(const struct json_path *path)
{
    const struct step *step = &path->steps[0];
    bool is_single = path->count == 1 && step->kind == STEP_PLAIN && step->is_dotted && step->start == 0;
    return is_single ? path->text : NULL;
}

/* ---- following it ---- */

struct walk {
    const struct json_path *path;
    json_path_visit *visit;
    void *context;
    bool is_found;
};

static bool follow(struct walk *walk, size_t position, json_t *value);

static bool follow_each(struct walk *walk, size_t position, const json_t *array)
{
    size_t index;
    json_t *element;
    json_array_foreach (array, index, element) {
        if (follow(walk, position + 1, element))
            return true;
    }
    return false;
}

static json_t *take_step(const struct json_path *path, const struct step *step, const json_t *value)
{
    if (json_is_object(value))
        return json_object_getn(value, path->text + step->start, step->length);
    return step->index == SIZE_MAX ? NULL : json_array_get(value, step->index);
}

/* The recursion is as deep as the path has steps. True when a visit ended the search. */
static bool follow(struct walk *walk, size_t position, json_t *value)
{
    if (position == walk->path->count) {
        walk->is_found = true;
        return walk->visit(walk->context, value);
    }
    const struct step *step = &walk->path->steps[position];
    if (step->kind == STEP_EACH)
        return follow_each(walk, position, value);
    bool was_found = walk->is_found;
    walk->is_found = false;
    json_t *next = take_step(walk->path, step, value);
    bool is_ended = next && follow(walk, position + 1, next);
    if (!walk->is_found && step->is_dotted && position + 1 < walk->path->count) {
        next = json_object_get(value, walk->path->text + step->start);
        is_ended = next && follow(walk, walk->path->count, next);
    }
    walk->is_found |= was_found;
    return is_ended;
}

bool json_path_each(const struct json_path *path, const json_t *value, json_path_visit *visit, void *context)
{
    struct walk walk = {.path = path, .visit = visit, .context = context};
    /* Borrowed as json_object_get() gives its results: mutable, whatever the parameter says. */
    return value && follow(&walk, 0, (json_t *)(uintptr_t)value);
}

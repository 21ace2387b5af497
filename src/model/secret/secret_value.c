#include "model/secret/secret_value.h"

#include <string.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"

struct secret_leaf {
    char *path;
    struct secret *secret; /* NULL: left unread */
};

struct secret_object {
    unsigned holds;
    size_t count;
    struct secret_leaf leaves[];
};

enum { POINTER_MAX = 64 * 1024 };

static bool out_of_memory(const struct secret_reader *reader)
{
    reader->faults->no_memory = true;
    return false;
}

static bool read_reference(const struct secret_reader *reader, const json_t *value, const char *pointer,
                           struct secret **ret_secret)
{
    enum secret_source source;
    const char *name;
    struct error error = {0};
    enum status status = secret_reference_parse(value, &source, &name, &error);
    if (status == OK && reader->resolve)
        status =
            reader->resolve->read(reader->resolve->context, reader->faults->file, source, name, ret_secret, &error);
    return document_check(reader->faults, pointer, status, &error);
}

static bool read_literal(const struct secret_reader *reader, const json_t *value, const char *pointer,
                         struct secret **ret_secret)
{
    if (strcmp(json_string_value(value), SECRET_MASK) == 0) {
        document_fault(reader->faults, pointer, "write the secret itself, or a reference to it",
                       "is the mask that stands for a secret, not a secret");
        return false;
    }
    *ret_secret = secret_create(json_string_value(value), json_string_length(value));
    return *ret_secret || out_of_memory(reader);
}

/* A PEM that went through a form or an environment variable has lost its line breaks to "\n", two characters each. */
static bool repair_pem(const struct secret_reader *reader, const char *pointer, struct secret **secret)
{
    const char *text = secret_reveal(*secret);
    if (!text || !strstr(text, "\\n"))
        return true;
    AUTO_FINISH(text_buffer) repaired;
    text_buffer_init(&repaired, SECRET_MAX);
    for (const char *at = text; *at;) {
        if (strncmp(at, "\\r\\n", 4) == 0 || strncmp(at, "\\n", 2) == 0) {
            text_buffer_append_text(&repaired, "\n");
            at += at[1] == 'r' ? 4 : 2;
            /* Written before a real line break it is that one, and no empty line, which no PEM may have. */
            at += *at == '\r';
            at += *at == '\n';
            continue;
        }
        text_buffer_append(&repaired, at++, 1);
    }
    struct secret *mended = text_buffer_take_secret(&repaired);
    if (!mended)
        return out_of_memory(reader);
    secret_destroy(*secret);
    *secret = mended;
    document_warning(reader->faults, pointer, "write real line breaks", "literal \"\\n\" in the PEM was repaired");
    return true;
}

bool secret_value_read(const struct secret_reader *reader, const json_t *value, const char *pointer, bool pem,
                       struct secret **ret_secret)
{
    AUTO(secret) secret = NULL;
    bool read = false;
    if (json_is_string(value))
        read = read_literal(reader, value, pointer, &secret);
    else
        read = read_reference(reader, value, pointer, &secret);
    if (!read)
        return false;
    if (secret && secret_length(secret) == 0) {
        document_fault(reader->faults, pointer, "leave it out when there is none", "is empty");
        return false;
    }
    if (pem && !repair_pem(reader, pointer, &secret))
        return false;
    *ret_secret = TAKE(secret);
    return true;
}

/* ---- objects of secrets ---- */

struct object_walk {
    const struct secret_reader *reader;
    struct secret_object *secrets; /* room for SECRET_OBJECT_MAX while reading */
    struct text_buffer path;
    struct text_buffer pointer;
    unsigned depth;
};

static bool walk_value(struct object_walk *walk, const json_t *value, json_t **ret_masked);

static bool add_leaf(struct object_walk *walk, struct secret *take_secret)
{
    AUTO(secret) secret = take_secret;
    if (walk->secrets->count == SECRET_OBJECT_MAX) {
        document_fault(walk->reader->faults, text_buffer_text(&walk->pointer), NULL, "more than %d secrets",
                       SECRET_OBJECT_MAX);
        return false;
    }
    char *path = strdup(text_buffer_text(&walk->path));
    if (!path)
        return out_of_memory(walk->reader);
    walk->secrets->leaves[walk->secrets->count++] = (struct secret_leaf){.path = path, .secret = TAKE(secret)};
    return true;
}

static bool walk_member(struct object_walk *walk, const char *name, const json_t *value, json_t **ret_masked)
{
    size_t path_length = walk->path.length;
    size_t pointer_length = walk->pointer.length;
    if (path_length > 0)
        text_buffer_append_text(&walk->path, ".");
    text_buffer_append_text(&walk->path, name);
    json_pointer_append(&walk->pointer, name);
    bool done = false;
    if (walk->path.failed || walk->pointer.failed) {
        out_of_memory(walk->reader);
    } else if (walk->depth == SECRET_OBJECT_DEPTH_MAX) {
        document_fault(walk->reader->faults, text_buffer_text(&walk->pointer), NULL, "is nested too deeply");
    } else {
        walk->depth++;
        done = walk_value(walk, value, ret_masked);
        walk->depth--;
    }
    text_buffer_truncate(&walk->path, path_length);
    text_buffer_truncate(&walk->pointer, pointer_length);
    return done;
}

/* Every member is walked, whatever became of the one before: a document's faults are told at once. */
static bool walk_object(struct object_walk *walk, const json_t *object, json_t **ret_masked)
{
    AUTO_JSON masked = json_object();
    bool done = masked != NULL;
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)object, name, value) {
        json_t *member = NULL;
        if (!walk_member(walk, name, value, &member))
            done = false;
        else if (json_object_set_new(masked, name, member) < 0)
            done = out_of_memory(walk->reader);
    }
    walk->reader->faults->no_memory |= !masked;
    *ret_masked = done ? TAKE(masked) : NULL;
    return done;
}

static bool walk_array(struct object_walk *walk, const json_t *array, json_t **ret_masked)
{
    AUTO_JSON masked = json_array();
    bool done = masked != NULL;
    for (size_t i = 0; i < json_array_size(array); i++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", i);
        json_t *member = NULL;
        if (!walk_member(walk, name, json_array_get(array, i), &member))
            done = false;
        else if (json_array_append_new(masked, member) < 0)
            done = out_of_memory(walk->reader);
    }
    walk->reader->faults->no_memory |= !masked;
    *ret_masked = done ? TAKE(masked) : NULL;
    return done;
}

static bool walk_leaf(struct object_walk *walk, const json_t *value, json_t **ret_masked)
{
    struct secret *secret = NULL;
    if (json_is_number(value) || json_is_boolean(value)) {
        AUTO_FINISH(text_buffer) text;
        text_buffer_init(&text, SECRET_MAX);
        json_read_as_text(value, &text);
        secret = text_buffer_take_secret(&text);
        if (!secret)
            return out_of_memory(walk->reader);
    } else if (!secret_value_read(walk->reader, value, text_buffer_text(&walk->pointer), false, &secret)) {
        return false;
    }
    if (!add_leaf(walk, secret))
        return false;
    *ret_masked = json_string(SECRET_MASK);
    return *ret_masked || out_of_memory(walk->reader);
}

static bool walk_value(struct object_walk *walk, const json_t *value, json_t **ret_masked)
{
    if (json_is_object(value) && !secret_reference_is(value))
        return walk_object(walk, value, ret_masked);
    if (json_is_array(value))
        return walk_array(walk, value, ret_masked);
    if (json_is_null(value)) {
        *ret_masked = json_null();
        return true;
    }
    return walk_leaf(walk, value, ret_masked);
}

bool secret_object_read(const struct secret_reader *reader, const json_t *object, const char *pointer,
                        json_t **ret_masked, struct secret_object **ret_secrets)
{
    AUTO(secret_object) secrets = calloc(1, sizeof *secrets + SECRET_OBJECT_MAX * sizeof(struct secret_leaf));
    if (!secrets)
        return out_of_memory(reader);
    secrets->holds = 1;
    struct object_walk walk = {.reader = reader, .secrets = secrets};
    text_buffer_init(&walk.path, POINTER_MAX);
    text_buffer_init(&walk.pointer, POINTER_MAX);
    text_buffer_append_text(&walk.pointer, pointer);
    bool done = walk_object(&walk, object, ret_masked);
    text_buffer_finish(&walk.path);
    text_buffer_finish(&walk.pointer);
    if (!done)
        return false;
    struct secret_object *fitted = realloc(secrets, sizeof *secrets + secrets->count * sizeof(struct secret_leaf));
    *ret_secrets = fitted ? fitted : secrets;
    secrets = NULL;
    return true;
}

struct secret_object *secret_object_hold(struct secret_object *secrets)
{
    if (secrets)
        secrets->holds++;
    return secrets;
}

void secret_object_destroy(struct secret_object *secrets)
{
    if (!secrets || --secrets->holds > 0)
        return;
    for (size_t i = 0; i < secrets->count; i++) {
        free(secrets->leaves[i].path);
        secret_destroy(secrets->leaves[i].secret);
    }
    free(secrets);
}

bool secret_object_find(const struct secret_object *secrets, const char *path, const struct secret **ret_secret)
{
    for (size_t i = 0; secrets && i < secrets->count; i++) {
        if (strcmp(secrets->leaves[i].path, path) != 0)
            continue;
        *ret_secret = secrets->leaves[i].secret;
        return true;
    }
    return false;
}

size_t secret_object_count(const struct secret_object *secrets)
{
    return secrets ? secrets->count : 0;
}

const struct secret *secret_object_at(const struct secret_object *secrets, size_t index)
{
    return secrets->leaves[index].secret;
}

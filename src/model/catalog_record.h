#ifndef MODEL_CATALOG_RECORD_H
#define MODEL_CATALOG_RECORD_H

/*
 * Compiled with HASH_NONFATAL_OOM: an element that found no memory has hh.tbl NULL and is not in the table, which
 * every add checks; so there is nothing for the hook to do.
 */
#ifndef HASH_NONFATAL_OOM
#error "compile with HASH_NONFATAL_OOM=1: running out of memory must not end the process"
#endif
#define uthash_nonfatal_oom(element) ((void)(element))
#include <uthash.h>

#include "model/catalog.h"
#include "model/connection_record.h"
#include "model/iclient_record.h"

enum { NAME_SIZE = 65 };

struct preset_entry {
    struct provider_preset *preset;
    UT_hash_handle hh;
};

struct iclient_entry {
    struct iclient *iclient;
    struct iclient_entry *lower_version; /* of the same name */
    bool named;                          /* a connection refers to it */
    UT_hash_handle hh;                   /* by id */
};

/* All versions of one name, the one that the name alone means first. */
struct iclient_name {
    char lower_name[NAME_SIZE];
    struct iclient_entry *versions; /* NULL: only documents with faults so far */
    bool has_faults;
    bool faults_told; /* one fault for all the connections of an iClient that was left out */
    UT_hash_handle hh;
};

struct connection_entry {
    struct connection *connection;
    UT_hash_handle hh;
};

struct component_entry {
    const struct iclient *iclient;
    UT_hash_handle hh;
};

struct tenant {
    char *name;
    struct iclient_name *iclients;
    struct connection_entry *connections;
    struct component_entry *components;
    UT_hash_handle hh;
};

struct catalog {
    struct catalog_options options;
    struct preset_entry *presets;
    struct tenant *tenants;
    struct iclient_entry *ids;
    struct shared_access *default_access;
    struct iclient_entry **iclients;
    size_t iclient_count, iclient_capacity;
    struct connection **connections;
    size_t connection_count, connection_capacity;
    size_t hint_candidates;
};

/* Each is made when it is not there; NULL when out of memory. */
struct tenant *catalog_make_tenant(struct catalog *catalog, const char *name);
struct iclient_name *catalog_make_iclient_name(struct tenant *tenant, const char *name);

/* NULL when there is none; tenant may be NULL. */
struct tenant *catalog_tenant(const struct catalog *catalog, const char *name);
struct iclient_name *catalog_iclient_name(const struct tenant *tenant, const char *name);
struct iclient_entry *catalog_iclient_entry(const struct catalog *catalog, const char *id);
struct preset_entry *catalog_preset_entry(const struct catalog *catalog, const char *name);
struct connection_entry *catalog_connection_entry(const struct tenant *tenant, const char *name);

#endif

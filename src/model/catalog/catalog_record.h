#ifndef MODEL_CATALOG_CATALOG_RECORD_H
#define MODEL_CATALOG_CATALOG_RECORD_H

#include "base/hash_table.h"
#include "model/catalog/catalog.h"
#include "model/connection/connection_record.h"
#include "model/iclient/iclient_record.h"

enum { NAME_SIZE = 65 };

struct preset_entry {
    struct provider_preset *preset;
    UT_hash_handle hh;
};

struct iclient_entry {
    struct iclient *iclient;              /* NULL: the place of one that an edit is about to add */
    struct iclient_entry *lower_version;  /* of the same name */
    struct connection_entry *connections; /* those that refer to it; its implicit one is not among them */
    size_t index;                         /* in catalog->iclients */
    bool named;                           /* while loading: a connection refers to it, be it one with faults */
    UT_hash_handle hh;                    /* by id */
};

/* All versions of one name, the one that the name alone means first. */
struct iclient_name {
    char lower_name[NAME_SIZE];
    struct iclient_entry *versions;    /* NULL: only documents with faults so far */
    struct connection_entry *implicit; /* the connection of the first version's own; NULL */
    bool has_faults;
    bool faults_told; /* one fault for all the connections of an iClient that was left out */
    UT_hash_handle hh;
};

struct connection_entry {
    struct connection *connection; /* NULL: the place of one that an edit is about to add */
    struct iclient_entry *iclient; /* in whose list it is; NULL for an implicit one */
    struct connection_entry *next, *prev;
    size_t index; /* in catalog->connections */
    UT_hash_handle hh;
};

struct component_entry {
    const struct iclient *iclient; /* NULL: the place of one that an edit is about to add */
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
    struct catalog_options options; /* points to the copies below */
    struct secret_resolver secrets;
    struct identity_resolver identities;
    bool are_identities_silent; /* the same, until catalog_finish() */
    char *default_redirect_uri;
    struct preset_entry *presets;
    struct tenant *tenants;
    struct iclient_entry *ids;
    struct shared_access *default_access;
    struct access_share access_share; /* until catalog_finish() */
    struct iclient_entry **iclients;
    size_t iclient_count, iclient_capacity;
    struct connection_entry **connections;
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
struct component_entry *catalog_component_entry(const struct tenant *tenant, const char *component);

/* Room for count elements of size bytes; false: no memory. */
bool catalog_reserve(void **array, size_t count, size_t *capacity, size_t size);
/* Puts an entry with its iClient among the versions of its name. */
void catalog_add_version(struct iclient_name *name, struct iclient_entry *entry);

/* What adding and editing have in common. */
struct provider_preset *catalog_choose_preset(struct catalog *catalog, const json_t *document,
                                              struct document_faults *faults);
/* except: the iClient whose place it takes; NULL: none. */
void catalog_check_unique(const struct catalog *catalog, const struct tenant *tenant, const struct iclient *iclient,
                          const struct iclient_entry *except, struct document_faults *faults);
/* The iClient that a connection's document names. NULL after a fault. */
struct iclient_entry *catalog_resolve_iclient(struct catalog *catalog, const json_t *document,
                                              struct document_faults *faults);
/*
 * What the implicit connection lacks, or leads astray with: warnings, because an iClient may well be there before its
 * connections are.
 */
void catalog_warn_of_missing_values(const struct connection *connection, struct document_faults *faults);

/* Where a document comes from, for a person. */
static inline const char *catalog_origin(const char *file)
{
    return *file ? file : "made through the API";
}

#endif

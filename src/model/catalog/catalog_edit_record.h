#ifndef MODEL_CATALOG_CATALOG_EDIT_RECORD_H
#define MODEL_CATALOG_CATALOG_EDIT_RECORD_H

#include "model/catalog/catalog_edit.h"
#include "model/catalog/catalog_record.h"

struct planned_connection {
    struct connection_entry *entry;
    struct iclient_entry *iclient; /* that it will refer to; NULL for an implicit one and one that goes */
    struct connection *before;     /* the edit's own once it is applied; borrowed until then */
    struct connection *after;      /* the edit's own until it is applied; borrowed from then on */
};

struct planned_iclient {
    struct iclient_entry *entry;
    struct iclient_name *name;
    struct component_entry *component; /* that it will have; NULL: none */
    struct iclient *before, *after;    /* as above */
};

struct catalog_edit {
    struct catalog *catalog;
    struct tenant *tenant;
    struct planned_iclient iclient; /* entry NULL: no iClient is edited */
    struct planned_connection *connections;
    size_t connection_count, connection_capacity;
    bool is_applied;
};

#endif

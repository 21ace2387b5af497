#include "ballast_log.h"

#include "base/log/log.h"
#include "io/store/store_sqlite.h"

static void on_change(void *context, const struct store_ballast_state *state)
{
    (void)context;
    if (state->is_there)
        log_info("store: the ballast of %zu bytes is there", state->wanted);
    else if (state->wanted > 0)
        log_error("store: there is no ballast of %zu bytes: %s; make room on the disk", state->wanted,
                  state->trouble.message);
}

void ballast_log_start(struct store *store, size_t size)
{
    store_sqlite_keep_ballast(store, size, on_change, NULL);
}

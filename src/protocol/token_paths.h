#ifndef PROTOCOL_TOKEN_PATHS_H
#define PROTOCOL_TOKEN_PATHS_H

#include <stdbool.h>

#include "model/iclient.h"

/* Where a reply has its tokens: a refresh reply's own path, where the iClient gives one, else that of every reply. */
static inline const char *token_path_access(const struct iclient *iclient, bool is_refresh)
{
    const char *path = is_refresh ? iclient_text(iclient, ICLIENT_REFRESH_ACCESS_TOKEN_PATH) : NULL;
    return path ? path : iclient_text(iclient, ICLIENT_ACCESS_TOKEN_PATH);
}

static inline const char *token_path_refresh(const struct iclient *iclient, bool is_refresh)
{
    const char *path = is_refresh ? iclient_text(iclient, ICLIENT_REFRESH_REFRESH_TOKEN_PATH) : NULL;
    return path ? path : iclient_text(iclient, ICLIENT_REFRESH_TOKEN_PATH);
}

#endif

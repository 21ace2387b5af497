#ifndef PROTOCOL_REPLY_TOKEN_PATHS_H
#define PROTOCOL_REPLY_TOKEN_PATHS_H

#include <stdbool.h>

#include "model/iclient/iclient.h"

/* Where a reply has its tokens: a refresh reply's own path, where the iClient gives one, else that of every reply. */
static inline const struct reply_path *token_path_access(const struct iclient *iclient, bool is_refresh)
{
    const struct reply_path *path =
        is_refresh ? iclient_reply_path(iclient, ICLIENT_REFRESH_ACCESS_TOKEN_PATH, 0) : NULL;
    return path ? path : iclient_reply_path(iclient, ICLIENT_ACCESS_TOKEN_PATH, 0);
}

static inline const struct reply_path *token_path_refresh(const struct iclient *iclient, bool is_refresh)
{
    const struct reply_path *path =
        is_refresh ? iclient_reply_path(iclient, ICLIENT_REFRESH_REFRESH_TOKEN_PATH, 0) : NULL;
    return path ? path : iclient_reply_path(iclient, ICLIENT_REFRESH_TOKEN_PATH, 0);
}

#endif

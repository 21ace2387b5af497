#ifndef TEST_FAULTS_WALK_PROVIDER_H
#define TEST_FAULTS_WALK_PROVIDER_H

#include <stdbool.h>

/*
 * A strict provider at two hosts, for the walk: it mostly rotates refresh tokens, takes each once, forgets whole
 * families when asked to, and knows at which host and to which client it gave a token out. "rt-7" is refresh token 7,
 * "at-7" the access token that came with it; 0 is none.
 */
enum { WALK_TOKENS_MAX = 4096 };

enum walk_answer_kind {
    WALK_UNSENT, /* the request never left */
    WALK_LOST,   /* it was worked on, and its answer went astray */
    WALK_ANSWERED,
};

struct walk_answer {
    enum walk_answer_kind kind;
    int status;
    char body[160];
    unsigned sent;    /* the refresh token of a refresh */
    bool is_spent;    /* it is refused because it was used before */
    unsigned granted; /* the refresh token that is valid after a grant; 0: nothing was granted */
};

void walk_provider_reset(void);
/*
 * What becomes of a request. It is a violation when a token, also one that is to be revoked, comes to a host that did
 * not give it out or from a client that did not get it.
 */
void walk_provider_answer(const char *url, const char *body, struct walk_answer *ret_answer);
bool walk_provider_has_revoked(unsigned token);
/* Since the program began. */
unsigned walk_provider_requests(void);
unsigned walk_provider_grants(void);

#endif

#ifndef SERVICE_REDIRECT_PAGES_H
#define SERVICE_REDIRECT_PAGES_H

#include <stdbool.h>

#include "base/text/text_buffer.h"

/*
 * What a person reads in the browser, one row each: symbol, HTTP status, title, what happened, what to do next, the
 * command that does it (the connection's name follows; NULL: none). No scripts; every value is escaped.
 */
#define PAGE_TABLE(X)                                                                                                  \
    X(CONNECTED, 200, "Connected", "The login worked.", "You can close this window.", NULL)                            \
    X(NOT_SAVED, 200, "Connected, but not saved yet",                                                                  \
      "The login worked and is in use. But iclientd cannot write its token store, so a restart would lose it. It "     \
      "goes "                                                                                                          \
      "on trying.",                                                                                                    \
      "Whoever runs iclientd has to look at its log and its disk, and must not stop it before this says that "         \
      "nothing is unsaved:",                                                                                           \
      "iclientctl status")                                                                                             \
    X(FRONT, 200, "iclientd",                                                                                          \
      "Browser logins of iclientd begin and end at this address. There is nothing to see here.",                       \
      "To connect an account, run this in a terminal:", "iclientctl login")                                            \
    X(LINK_USED, 410, "This link no longer works",                                                                     \
      "A login link can be opened once, within ten minutes. This one was opened already, or it is too old.",           \
      "Get a new link in a terminal:", "iclientctl login")                                                             \
    X(ANSWER_UNKNOWN, 410, "This login is over",                                                                       \
      "No login waits for this answer: it was used already, or its time is over. If you have just reloaded a page "    \
      "that said \"Connected\", all is well.",                                                                         \
      "See how the connection is doing:", "iclientctl status")                                                         \
    X(DECLINED, 403, "The login was declined",                                                                         \
      "The provider says that access was declined, by you or by its own rules. Nothing was connected.",                \
      "If that was not meant, begin again:", "iclientctl login")                                                       \
    X(PROVIDER_REFUSED, 502, "The provider refused the login",                                                         \
      "The provider sent an error in the place of an authorization. Nothing was connected.",                           \
      "Mend what the provider complains about, then begin again:", "iclientctl login")                                 \
    X(NOT_FINISHED, 502, "The login could not be finished",                                                            \
      "The provider let you in, but the exchange that follows failed. Nothing was connected.",                         \
      "Begin again:", "iclientctl login")                                                                              \
    X(BAD_ANSWER, 400, "The provider's answer is incomplete",                                                          \
      "The address that brought you here lacks what a login's answer has to carry, or has it twice.",                  \
      "Begin again:", "iclientctl login")                                                                              \
    X(NOT_BELIEVED, 403, "This answer does not fit the login",                                                         \
      "A login has to end in the browser in which it began, and its answer has to come from the provider that was "    \
      "asked. A private window or blocked cookies can be the reason. Nothing was connected.",                          \
      "Get a new link, and open it in the browser that you will log in with:", "iclientctl login")                     \
    X(WRONG_HOST, 421, "Not this address", "The request names a host that iclientd does not answer for.",              \
      "Open the link exactly as it was shown.", NULL)                                                                  \
    X(NOT_OPENED, 403, "Open this link yourself",                                                                      \
      "A login link works when a person opens it in a window, not when another page loads it in the background.",      \
      "Open the link in the address line of your browser.", NULL)                                                      \
    X(NOT_FOUND, 404, "There is nothing here", "No login begins or ends at this path.",                                \
      "To connect an account, run this in a terminal:", "iclientctl login")                                            \
    X(WRONG_METHOD, 405, "Not like this", "This address is for opening in a browser.",                                 \
      "Open the link as it was shown.", NULL)                                                                          \
    X(NOT_UNDERSTOOD, 400, "This is no request for iclientd",                                                          \
      "What the browser sent is malformed, too large, or came too slowly.",                                            \
      "Open the link exactly as it was shown. If that was done, begin again:", "iclientctl login")                     \
    X(TOO_MANY, 429, "Too many connections", "Programs of this user hold too many connections to iclientd.",           \
      "Close other windows that wait for iclientd, then load this page again.", NULL)                                  \
    X(BUSY, 503, "Not now", "iclientd has no room for this login at the moment.",                                      \
      "Try again in a moment:", "iclientctl login")
#define PAGE_SYMBOL(symbol, status, title, what, next, command) PAGE_##symbol,
enum page_kind { PAGE_TABLE(PAGE_SYMBOL) PAGE_COUNT };
#undef PAGE_SYMBOL

enum { PAGE_MAX = 32 * 1024 };

/* Texts may be NULL and may hold anything. */
struct page {
    enum page_kind kind;
    int status; /* 0: the kind's own */
    const char *connection;
    const char *tenant;
    const char *iclient;
    const char *provider;
    const char *scope;
    const char *detail;         /* our own words about what happened */
    const char *provider_words; /* shown as a quotation, so that nobody takes them for ours */
};

int page_status(const struct page *page);
bool page_append(const struct page *page, struct text_buffer *buffer);

/* The Content-Security-Policy of every page: nothing but our own style, by its hash. */
const char *page_security_policy(void);

#endif

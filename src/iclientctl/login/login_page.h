#ifndef ICLIENTCTL_LOGIN_LOGIN_PAGE_H
#define ICLIENTCTL_LOGIN_LOGIN_PAGE_H

#include "base/cleanup.h"

/*
 * A file that leads the browser to a login's one-time address. Every user of the host can read the arguments of every
 * process, and whoever reads the address first can finish the login with an account of their own. So the browser gets
 * the name of this file as its argument; the address stands in the file, 0600 in a directory of its own, 0700.
 */
struct login_page;

/*
 * In $XDG_RUNTIME_DIR, or else in $TMPDIR or /tmp. Where $PATH has a directory of snaps, first in $HOME and not hidden:
 * a browser that is a snap can read neither of the others. NULL when there is no such place.
 */
struct login_page *login_page_create(const char *address);
/* Removes the file and its directory. */
void login_page_destroy(struct login_page *page);
AUTO_DEFINE(login_page);

/* "file:///…"; borrowed. */
const char *login_page_url(const struct login_page *page);

#endif

#ifndef ICLIENTCTL_LOGIN_BROWSER_H
#define ICLIENTCTL_LOGIN_BROWSER_H

#include <stdbool.h>

/* Is there a screen for it? */
bool browser_has_display(void);
/* An http or https address without controls and spaces: nothing else is shown to a person or given to a browser. */
bool browser_takes(const char *address);
/*
 * Starts xdg-open beside us, silent and out of reach of our Ctrl-C. False when it does not start. Every user of the
 * host sees the address, as an argument of that program: nothing secret may stand in it (login_page.h).
 */
bool browser_open(const char *address);

#endif

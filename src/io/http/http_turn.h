#ifndef SRC_IO_HTTP_TURN_H
#define SRC_IO_HTTP_TURN_H

#include "io/http/http_connection.h"

/* The users of a server: how many connections each has, and whose turn it is. See struct http_uid. */

void http_user_init(struct http_uid *entry);
/* NULL when out of memory. */
struct http_uid *http_user_find_or_add(struct http_server *server, uid_t uid);
/* The user with the most connections. */
struct http_uid *http_user_find_largest(struct http_server *server);
/* Counts the connection as the user's. */
void http_user_enter(struct http_connection *connection, struct http_uid *user);
/* One connection less; may free the entry. */
void http_user_drop(struct http_server *server, struct http_uid *entry);
/* Frees all entries. */
void http_users_finish(struct http_server *server);

/* Its user's turn is over: it goes on in the next one. */
void http_turn_wait(struct http_connection *connection);
/* A loop_timer_callback of the server: runs the connections that wait, a turn for each user. */
void http_turn_begin_next(void *server);

#endif

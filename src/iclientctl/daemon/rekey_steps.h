#ifndef ICLIENTCTL_DAEMON_REKEY_STEPS_H
#define ICLIENTCTL_DAEMON_REKEY_STEPS_H

#include <jansson.h>

/*
 * What a person does about a key that the daemon cannot change, a systemd credential above all: the commands, on
 * stderr. state: the document of GET /v1/rekey.
 */
void rekey_steps_say_begin(const json_t *state);
/* When no value needs the old key any more. */
void rekey_steps_say_end(const json_t *state);

#endif

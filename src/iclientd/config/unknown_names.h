#ifndef ICLIENTD_CONFIG_UNKNOWN_NAMES_H
#define ICLIENTD_CONFIG_UNKNOWN_NAMES_H

#include "base/cleanup.h"
#include "base/error.h"
#include "io/loop/event_loop.h"
#include "model/rule/access_rule.h"

/*
 * The users and groups in access rules that the host did not know when the daemon started. They are looked up again,
 * after 2 s and then ever more rarely, until the host knows them all: its directory service may start later.
 */
struct unknown_names;

/* Shows each rule in force to visit. */
typedef void unknown_names_rules(void *context, access_rule_visit *visit, void *visit_context);

enum status unknown_names_create(struct event_loop *loop, unknown_names_rules *rules, void *context,
                                 struct unknown_names **ret_names, struct error *ret_error);
void unknown_names_destroy(struct unknown_names *names);
AUTO_DEFINE(unknown_names);

/* Logs which there are, and begins. */
void unknown_names_start(struct unknown_names *names);
/* The rules in force have none any more. */
void unknown_names_stop(struct unknown_names *names);

#endif

#ifndef ICLIENTCTL_COMMAND_COMMAND_H
#define ICLIENTCTL_COMMAND_COMMAND_H

#include "iclientctl/arguments.h"
#include "iclientctl/exit_code.h"

/* One file per reason. Each has said on stderr what went wrong before it returns anything but EXIT_DONE. */
typedef enum exit_code command_run_function(const struct arguments *arguments);

command_run_function command_check;
command_run_function command_connection;
command_run_function command_iclient;
command_run_function command_import;
command_run_function command_list;
command_run_function command_login;
command_run_function command_refresh;
command_run_function command_rekey;
command_run_function command_revoke;
command_run_function command_run;
command_run_function command_status;
command_run_function command_token;
command_run_function command_watch;

#endif

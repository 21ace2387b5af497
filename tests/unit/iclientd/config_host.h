#ifndef TEST_CONFIG_HOST_H
#define TEST_CONFIG_HOST_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault_list.h"

/* Who the configuration is read for: these come before the C library's. */
static uid_t host_uid;

uid_t geteuid(void)
{
    return host_uid;
}

/* Only these variables are set: pairs of name and value, up to a NULL. */
static inline void host_set_variables(const char *const *pairs)
{
    static const char *const read[] = {"HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
                                       "CREDENTIALS_DIRECTORY"};
    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++)
        unsetenv(read[i]);
    for (; *pairs; pairs += 2)
        setenv(pairs[0], pairs[1], 1);
}

/* "POINTER: message (hint)" of each fault, a line each; a warning's begins with "warning ". Caller frees. */
static inline char *faults_text(const struct fault_list *faults)
{
    size_t size = 1;
    char *text = calloc(1, 1);
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        struct fault fault = *fault_list_at(faults, i);
        const char *kind = fault.warning ? "warning " : "";
        fault.file = "";
        char *line = fault_format(&fault);
        size += strlen(kind) + strlen(line) + 1;
        text = realloc(text, size);
        strcat(strcat(strcat(text, kind), line), "\n");
        free(line);
    }
    return text;
}

#endif

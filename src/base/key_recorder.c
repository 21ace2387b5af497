#include "base/key_recorder.h"

#include <stdlib.h>

void key_recorder_disable(void)
{
    static const char *const variables[] = {"SSLKEYLOGFILE", "QLOGDIR"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        unsetenv(variables[i]);
}

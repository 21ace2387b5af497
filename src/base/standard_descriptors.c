#include "base/standard_descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void standard_descriptors_reserve(void)
{
    /* The wrong way round each, so that use stays an error. */
    static const int modes[] = {
        [STDIN_FILENO] = O_WRONLY,
        [STDOUT_FILENO] = O_RDONLY,
        [STDERR_FILENO] = O_RDONLY,
    };
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF)
            continue;
        /* It gets the lowest free number, which is this one. Without /dev/null there is nothing to be done. */
        (void)open("/dev/null", modes[descriptor] | O_CLOEXEC);
    }
}

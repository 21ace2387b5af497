#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/standard_descriptors.h"

Test(standard_descriptors, missing_ones_are_taken_and_stay_unusable)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
        close(descriptor);
    standard_descriptors_reserve();
    int next = open("/dev/null", O_RDONLY);
    char byte = 'x';
    cr_assert_gt(next, STDERR_FILENO);
    cr_assert(read(STDIN_FILENO, &byte, 1) < 0 && errno == EBADF);
    cr_assert(write(STDOUT_FILENO, &byte, 1) < 0 && errno == EBADF);
    cr_assert(write(STDERR_FILENO, &byte, 1) < 0 && errno == EBADF);
}

Test(standard_descriptors, those_that_are_there_stay)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    standard_descriptors_reserve();
    char byte = 'x';
    cr_assert_eq(write(STDOUT_FILENO, &byte, 1), 1);
}

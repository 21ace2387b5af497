#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/key_recorder.h"

Test(key_recorder, variables_of_libraries_are_removed_and_others_stay)
{
    setenv("SSLKEYLOGFILE", "/tmp/keys", 1);
    setenv("QLOGDIR", "/tmp", 1);
    setenv("SSLKEYLOGFILES", "another", 1);
    key_recorder_disable();
    cr_assert_null(getenv("SSLKEYLOGFILE"));
    cr_assert_null(getenv("QLOGDIR"));
    cr_assert_str_eq(getenv("SSLKEYLOGFILES"), "another");
}

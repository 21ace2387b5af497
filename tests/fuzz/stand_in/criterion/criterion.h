#ifndef FUZZ_STAND_IN_CRITERION_H
#define FUZZ_STAND_IN_CRITERION_H

/*
 * So that the fixtures of the unit tests serve the fuzz targets: an assertion ends the program, for libFuzzer to see.
 */
#include "fuzz.h"

#define cr_assert(condition, ...) REQUIRE(condition, " " __VA_ARGS__)
#define cr_assert_eq(a, b, ...) REQUIRE((a) == (b), " " __VA_ARGS__)
#define cr_assert_not_null(pointer, ...) REQUIRE((pointer) != NULL, " " __VA_ARGS__)
#define cr_log_error(...) fprintf(stderr, __VA_ARGS__)

#endif

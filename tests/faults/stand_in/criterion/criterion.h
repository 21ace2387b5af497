#ifndef WALK_STAND_IN_CRITERION_H
#define WALK_STAND_IN_CRITERION_H

/* So that the broker's fixture serves the walk: an assertion ends it, with seed and step named. */
#include "walk.h"

#define WALK_REQUIRE(condition, text, ...)                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            walk_note("assertion: " __VA_ARGS__);                                                                      \
            walk_violated("%s", text);                                                                                 \
        }                                                                                                              \
    } while (0)
#define cr_assert(condition, ...) WALK_REQUIRE(condition, #condition, __VA_ARGS__)
#define cr_assert_eq(a, b, ...) WALK_REQUIRE((a) == (b), #a " is " #b, __VA_ARGS__)
#define cr_assert_not_null(pointer, ...) WALK_REQUIRE((pointer) != NULL, #pointer, __VA_ARGS__)

#endif

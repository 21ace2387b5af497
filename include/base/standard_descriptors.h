#ifndef BASE_STANDARD_DESCRIPTORS_H
#define BASE_STANDARD_DESCRIPTORS_H

/*
 * Takes the numbers 0 to 2 where a program was started without them, so that no socket and no file gets one: what is
 * printed or logged would go there. Reading and writing them fails as before, and a command that is executed finds them
 * closed. The first thing in main().
 */
void standard_descriptors_reserve(void);

#endif

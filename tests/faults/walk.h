#ifndef TEST_FAULTS_WALK_H
#define TEST_FAULTS_WALK_H

/*
 * A random walk that its seed alone decides: the same seed takes the same steps on every machine. The broker draws its
 * random numbers here, and its log goes to the notes.
 */
void walk_begin(unsigned seed);
void walk_next_step(void);
/* Of [0, count). */
unsigned walk_random(unsigned count);

/* The last few notes are told with a violation: how it came about. */
void walk_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends the program. */
_Noreturn void walk_violated(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The number that follows the words; 0: they do not occur. */
unsigned walk_number_after(const char *text, const char *words);

/* How often the log said rotation_ambiguous: that a refresh token may be lost. Since the program began. */
unsigned walk_losses_told(void);
/* How often it said that a refresh goes on although the store could not note it. */
unsigned walk_unnoted_refreshes(void);

#endif

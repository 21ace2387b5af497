#ifndef BASE_UNINITIALIZED_H
#define BASE_UNINITIALIZED_H

/*
 * Exempts one local variable from -ftrivial-auto-var-init, which otherwise fills it with zeros at each call: for
 * buffers of the hot path that are written before they are read. tests/checks/check_instructions.py counts what it
 * saves.
 */
#if defined __has_attribute
#if __has_attribute(uninitialized)
#define UNINITIALIZED __attribute__((uninitialized))
#endif
#endif
#ifndef UNINITIALIZED
#define UNINITIALIZED
#endif

#endif

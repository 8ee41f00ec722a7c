/*
 * interrupt.h - Ctrl-C as a fact to look at
 *
 * What:  after om_interrupt_catch() SIGINT and SIGTERM only set a flag and end the wait; the second
 *        one ends the program at once.
 * Why:   ping and watch end with their summary, not in the middle of a line.
 */
#ifndef OM_CLI_INTERRUPT_H
#define OM_CLI_INTERRUPT_H

#include <stdbool.h>

/** om_interrupt_catch() - from now on interrupts are only noted. */
void om_interrupt_catch(void);

/** om_interrupt_came() - one came since. */
bool om_interrupt_came(void);

/** om_interrupt_take() - the same, and it is forgotten: waits are waited out again. */
bool om_interrupt_take(void);

#endif

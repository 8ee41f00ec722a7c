/*
 * man.h - the man page from the command table
 *
 * What:  omerta(1) in man(7) macros.
 * Why:   a page written by hand would soon describe another program.
 * Keeps: man_names_every_command_and_exit_code.
 */
#ifndef OM_CLI_MAN_H
#define OM_CLI_MAN_H

#include <stdio.h>

/** om_man_print() - write the page to @to. */
void om_man_print(FILE *to);

/** om_man_options() - as om_man_print(), only the common options as plain text, for help. */
void om_man_options(FILE *to);

#endif

/*
 * command.h - one command to its end
 *
 * What:  runs a program and takes the start of what it says.
 * Why:   nft, ip and tc change what a health run needs changed.
 * Keeps: command_says_what_it_said; command_passes_the_exit_code_on;
 *        command_that_is_none_is_refused.
 */
#ifndef OM_HEALTH_COMMAND_H
#define OM_HEALTH_COMMAND_H

#include <jansson.h>

enum { OM_COMMAND_OUT = 16 << 10, OM_COMMAND_WORDS = 32 };

/**
 * om_command_run() - run it and wait for its end
 * @argv:  array of strings, the first a program that $PATH finds
 * @out:   terminated; what it wrote, standard error too, without the last newline; the rest of a
 *         long one is dropped
 *
 * Return: its exit code; 128 + number when a signal ended it; 127 when it cannot be started; -1
 * when @argv is none.
 */
int om_command_run(const json_t *argv, char out[static OM_COMMAND_OUT]);

#endif

/*
 * seed.h - the same program under the name omertad
 *
 * What:  omertad start|stop|status|restart are up, down, status, and down with up after it.
 * Why:   the seeds' service scripts call it so.
 * Keeps: seed_words_are_translated.
 */
#ifndef OM_CLI_SEED_H
#define OM_CLI_SEED_H

#include <stdbool.h>

/** om_seed_is() - @argv0 ends in "omertad". */
bool om_seed_is(const char *argv0);

/**
 * om_seed_command() - what a word of omertad is as a command of omerta
 * @word:  what was typed
 * @step:  0, and 1 for what comes after
 *
 * Return: static text; NULL: nothing (more) to do for @word.
 */
char *om_seed_command(const char *word, int step);

#endif

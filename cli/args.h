/*
 * args.h - the words and options of one command line
 *
 * What:  splits argv into the command, its words and its options.
 * Why:   one walker for all commands, so that --json or --home mean the same everywhere and an
 *        unknown option always names the nearest known one.
 * Keeps: args_options_may_stand_anywhere; args_unknown_option_names_the_nearest;
 *        args_dashes_end_the_options; args_a_value_may_be_joined; args_empty_value_is_none;
 *        args_of_some_end_at_the_first_word; args_of_a_machines_command_are_its_own.
 *
 * Options of all commands: --json, --help (-h), --home FOLDER, --network NAME, --color WHEN.
 */
#ifndef OM_CLI_ARGS_H
#define OM_CLI_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>

enum { OM_ARGS_WORDS_MAX = 256, OM_ARGS_OPTIONS_MAX = 32 };

enum om_color { OM_COLOR_AUTO, OM_COLOR_ALWAYS, OM_COLOR_NEVER };

struct om_option {
    const char *name;  /* without the dashes; NULL ends a list */
    const char *value; /* what the help calls its value; NULL: a switch */
    const char *help;
    char letter; /* 0: none */
};

struct om_args {
    const char *command; /* NULL: none given */
    const char *home, *network;
    const char *words[OM_ARGS_WORDS_MAX]; /* after the command */
    unsigned count;
    struct {
        const struct om_option *option;
        const char *value;
    } given[OM_ARGS_OPTIONS_MAX];
    unsigned given_count;
    enum om_color color;
    bool json, help;
};

/** The options that every command has, ended by a NULL name. */
extern const struct om_option om_args_common[];

/**
 * om_args_command() - the first word of a command line, before its options can be known
 * @argc:  as main() got it
 * @argv:  as main() got it; lent
 *
 * Return: NULL when there is none.
 */
const char *om_args_command(int argc, char *const *argv);

/**
 * om_args_parse() - the whole command line
 * @out:      filled on success; points into @argv
 * @argc:     as main() got it
 * @argv:     as main() got it; outlives @out
 * @options:  those of the command, ended by a NULL name; NULL: none but the common ones
 * @ends_at_word:  what follows the first word after the command are words, but for one -- just
 *                 there, which is skipped
 * @err:      sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_PARSE; OM_E_FULL beyond OM_ARGS_WORDS_MAX or OM_ARGS_OPTIONS_MAX.
 */
OM_MUST enum om_err om_args_parse(struct om_args *out, int argc, char *const *argv,
                                  const struct om_option *options, bool ends_at_word,
                                  struct om_error *err);

/** om_args_has() - option @name was given in @args. */
bool om_args_has(const struct om_args *args, const char *name);

/** om_args_value() - value of option @name in @args, the last one given; NULL: not given. */
const char *om_args_value(const struct om_args *args, const char *name);

/**
 * om_args_number() - a number among the options
 * @args:      parsed
 * @name:      of the option
 * @fallback:  what it is when not given
 * @max:       greatest value allowed
 * @out:       filled on success
 * @err:       sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE or OM_E_RANGE.
 */
OM_MUST enum om_err om_args_number(const struct om_args *args, const char *name, uint64_t fallback,
                                   uint64_t max, uint64_t *out, struct om_error *err);

#endif

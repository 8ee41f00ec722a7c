/*
 * commands.h - the one table of what omerta can do
 *
 * What:  name, arguments, options, help and function of each command.
 * Why:   dispatch, help, man page and completion come from one table and cannot disagree.
 * Keeps: commands_are_sorted_and_complete; commands_misspelt_one_names_the_nearest.
 */
#ifndef OM_CLI_COMMANDS_H
#define OM_CLI_COMMANDS_H

#include "cli.h"

struct om_command {
    const char *name, *args;
    const char *summary;             /* one line, no full stop */
    const char *help;                /* paragraphs for help and man page */
    const struct om_option *options; /* NULL: none of its own */
    enum om_exit (*run)(struct om_cli *cli);
    bool ends_at_word; /* options stand before the first word only, as in ssh */
};

extern const struct om_command om_commands[]; /* ended by a NULL name */

/** om_command_find() - the command of @name, or NULL. */
const struct om_command *om_command_find(const char *name);

/** om_command_near() - name of the command nearest to @word, or NULL. */
const char *om_command_near(const char *word);

#define OM_COMMANDS(X)                                                                             \
    X(approvals)                                                                                   \
    X(bugreport)                                                                                   \
    X(cloister)                                                                                    \
    X(completion)                                                                                  \
    X(config)                                                                                      \
    X(cp)                                                                                          \
    X(dns)                                                                                         \
    X(doctor)                                                                                      \
    X(down)                                                                                        \
    X(expose)                                                                                      \
    X(filter)                                                                                      \
    X(forward)                                                                                     \
    X(health)                                                                                      \
    X(help)                                                                                        \
    X(image)                                                                                       \
    X(init)                                                                                        \
    X(key)                                                                                         \
    X(link)                                                                                        \
    X(log)                                                                                         \
    X(message)                                                                                     \
    X(nc)                                                                                          \
    X(netcheck)                                                                                    \
    X(network)                                                                                     \
    X(peers)                                                                                       \
    X(ping)                                                                                        \
    X(provide)                                                                                     \
    X(providers)                                                                                   \
    X(proxy)                                                                                       \
    X(reload)                                                                                      \
    X(run)                                                                                         \
    X(ssh)                                                                                         \
    X(status)                                                                                      \
    X(submit)                                                                                      \
    X(up)                                                                                          \
    X(version)                                                                                     \
    X(vm)                                                                                          \
    X(watch)                                                                                       \
    X(why)

/* One function for each: enum om_exit om_cmd_NAME(struct om_cli *cli). */
#define X(name) enum om_exit om_cmd_##name(struct om_cli *cli);
OM_COMMANDS(X)
#undef X

#endif

/*
 * check.h - the list of checks of doctor
 *
 * What:  {check, state, what, fix} objects in a JSON array, and how they are shown.
 * Why:   doctor and bugreport show the same; every check can say what mends it.
 */
#ifndef OM_CLI_CHECK_H
#define OM_CLI_CHECK_H

#include <stdbool.h>

#include <jansson.h>

#include <omerta/attr.h>

#include "cli.h"

enum om_check_state { OM_CHECK_OK, OM_CHECK_WARN, OM_CHECK_FAIL };

/**
 * om_check_add() - one line
 * @list:   array it is added to
 * @check:  its name
 * @state:  how it went
 * @fix:    the command that mends it; NULL: nothing to mend
 * @fmt:    what was found
 */
void om_check_add(json_t *list, const char *check, enum om_check_state state, const char *fix,
                  const char *fmt, ...) OM_PRINTF(5, 6);

/** om_check_machine() - add to @list what this machine offers: kernel, programs, clock, routes. */
void om_check_machine(json_t *list);

/** om_check_home() - add to @list how home, port and daemon of @cli are. */
void om_check_home(struct om_cli *cli, json_t *list);

/** om_check_failed() - one of @list failed. */
bool om_check_failed(const json_t *list);

/** om_check_show() - print @list on @out, a line each and the remedy below it. */
void om_check_show(struct om_out *out, const json_t *list);

#endif

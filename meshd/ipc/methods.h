/*
 * methods.h - what the daemon can be asked: the one table
 *
 * What:  name, parameters, reply and help of every method.
 * Why:   dispatch, checks of parameters, help and man page must not tell different stories.
 * Keeps: methods_table_is_sorted_and_whole; methods_check_names_what_is_wrong;
 *        methods_json_has_them_all.
 */
#ifndef OM_IPC_METHODS_H
#define OM_IPC_METHODS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include <omerta/err.h>

enum { OM_METHOD_PARAMS = 24, OM_METHOD_REPLIES = 24 };

enum om_param_kind {
    OM_PARAM_STRING,
    OM_PARAM_PEER,    /* a string: full id, its start (4 or more characters), or name */
    OM_PARAM_NETWORK, /* a string: name or start of the id; without it the only network */
    OM_PARAM_INTEGER,
    OM_PARAM_NUMBER,
    OM_PARAM_BOOL,
    OM_PARAM_STRINGS,  /* an array of strings */
    OM_PARAM_INTEGERS, /* an array of integers */
    OM_PARAM_OBJECT,
    OM_PARAM_OBJECTS /* of replies only: an array of them */
};

struct om_param {
    const char *name; /* NULL ends the list */
    enum om_param_kind kind;
    bool is_required; /* of replies: never null */
    const char *help;
};

struct om_ipc_method {
    const char *name;
    const char *summary;
    struct om_param params[OM_METHOD_PARAMS + 1];
    struct om_param reply[OM_METHOD_REPLIES + 1];
};

/** om_methods() - the table, sorted by name; @count receives its length. */
const struct om_ipc_method *om_methods(unsigned *count);

/** om_method_find() - the method called @name, or NULL. */
const struct om_ipc_method *om_method_find(const char *name);

/**
 * om_method_check() - may these parameters be given to a method?
 * @m:       the method
 * @params:  an object
 * @err:     sentence that names the parameter and what is wanted
 *
 * Return: OM_OK; OM_E_MISSING for a required one that is not there; OM_E_PARSE for an unknown one
 * or a wrong kind.
 */
OM_MUST enum om_err om_method_check(const struct om_ipc_method *m, const json_t *params,
                                    struct om_error *err);

/** om_param_kind_name() - "string", "integer" ... of @kind. */
const char *om_param_kind_name(enum om_param_kind kind);

/** om_methods_json() - the table as a JSON array, a new reference; NULL without memory. */
json_t *om_methods_json(void);

/** om_methods_print_man() - the table as sections of man(7) roff to @to. */
void om_methods_print_man(FILE *to);

#endif

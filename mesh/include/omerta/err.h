/*
 * err.h - errors for our callers: a code for programs, a sentence for people
 *
 * What:  one list of codes; struct om_error carries a code and a sentence that says where, what
 *        was read and what was wanted.
 * Why:   "invalid argument" helps nobody. Hostile bytes are not errors but counted drops.
 * Keeps: om_error_fits_its_buffer; om_error_names_every_code.
 */
#ifndef OMERTA_ERR_H
#define OMERTA_ERR_H

#include <omerta/attr.h>

#define OM_ERRORS(X)                                                                               \
    X(OM_OK, "ok")                                                                                 \
    X(OM_E_TRUNC, "input ends before the field it promises")                                       \
    X(OM_E_RANGE, "value outside the allowed range")                                               \
    X(OM_E_PARSE, "text does not follow the grammar")                                              \
    X(OM_E_NO_MEM, "out of memory")                                                                \
    X(OM_E_FULL, "table full")                                                                     \
    X(OM_E_BUSY, "try again: queue full")                                                          \
    X(OM_E_EXISTS, "already there")                                                                \
    X(OM_E_MISSING, "no such entry")                                                               \
    X(OM_E_STATE, "not possible in this state")                                                    \
    X(OM_E_CRYPTO, "cryptographic check failed")                                                   \
    X(OM_E_UNSUPPORTED, "not supported by this build or machine")                                  \
    X(OM_E_NO_ROUTE, "no path to peer")

enum om_err {
#define X(code, text) code,
    OM_ERRORS(X)
#undef X
        OM_ERR_COUNT
};

enum { OM_ERROR_MSG_MAX = 200 };

struct om_error {
    enum om_err code;
    char msg[OM_ERROR_MSG_MAX]; /* always terminated */
};

/**
 * om_err_text() - the general sentence of a code
 * @code:  any value; unknown ones give "unknown error"
 *
 * Return: static text, never NULL.
 */
const char *om_err_text(enum om_err code);

/**
 * om_err_name() - the symbol of a code, for logs and JSON
 * @code:  any value; unknown ones give "OM_E_UNKNOWN"
 *
 * Return: static text, never NULL.
 */
const char *om_err_name(enum om_err code);

/**
 * om_fail() - fill an error and return its code, so that a function can fail in one statement
 * @out:   may be NULL when the caller wants only the code
 * @code:  not OM_OK
 * @fmt:   printf format of the sentence; cut at OM_ERROR_MSG_MAX - 1 bytes
 *
 * Return: @code.
 */
enum om_err om_fail(struct om_error *out, enum om_err code, const char *fmt, ...) OM_PRINTF(3, 4);

#endif

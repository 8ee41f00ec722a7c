/* err.c - codes, sentences, and om_bug(). */
#include <omerta/err.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *om_err_text(enum om_err code)
{
    static const char *const texts[] = {
#define X(code_, text) [code_] = (text),
        OM_ERRORS(X)
#undef X
    };
    return (unsigned)code < OM_ERR_COUNT ? texts[code] : "unknown error";
}

const char *om_err_name(enum om_err code)
{
    static const char *const names[] = {
#define X(code_, text) [code_] = #code_,
        OM_ERRORS(X)
#undef X
    };
    return (unsigned)code < OM_ERR_COUNT ? names[code] : "OM_E_UNKNOWN";
}

enum om_err om_fail(struct om_error *out, enum om_err code, const char *fmt, ...)
{
    va_list ap;

    if (!out)
        return code;
    out->code = code;
    va_start(ap, fmt);
    if (vsnprintf(out->msg, sizeof out->msg, fmt, ap) < 0)
        out->msg[0] = '\0';
    va_end(ap);
    return code;
}

void om_bug(const char *file, int line, const char *what)
{
    char text[256];
    int n = snprintf(text, sizeof text, "omerta: bug at %s:%d: %s\n", file, line, what);

    if (n > 0 &&
        write(STDERR_FILENO, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1) < 0)
        abort();
    abort();
}

/* place.c - paths from the environment. */
#include "ipc/place.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool join(char *out, size_t size, const char *folder, const char *name)
{
    int n = snprintf(out, size, "%s%s%s", folder, *name ? "/" : "", name);

    return n >= 0 && (size_t)n < size;
}

static enum om_err find_home(char out[OM_PATH_MAX], const char *home, bool *is_default,
                             struct om_error *err)
{
    char folder[OM_PATH_MAX];
    const char *user = getenv("HOME");

    if (!home || !*home)
        home = getenv("OMERTA_HOME");
    *is_default = !home || !*home;
    if (*is_default) {
        if (!user || !*user)
            return om_fail(err, OM_E_MISSING,
                           "no home: neither OMERTA_HOME nor HOME is set; give --home FOLDER");
        return join(out, OM_PATH_MAX, user, ".omerta")
                   ? OM_OK
                   : om_fail(err, OM_E_RANGE, "HOME is longer than %d bytes", OM_PATH_MAX - 10);
    }
    if (*home != '/' && !getcwd(folder, sizeof folder))
        return om_fail(err, OM_E_MISSING, "the working folder has no path: give an absolute home");
    if (!(*home == '/' ? join(out, OM_PATH_MAX, home, "") : join(out, OM_PATH_MAX, folder, home)))
        return om_fail(err, OM_E_RANGE, "path of the home is longer than %d bytes",
                       OM_PATH_MAX - 1);
    for (size_t n = strlen(out); n > 1 && out[n - 1] == '/'; n--)
        out[n - 1] = 0;
    return OM_OK;
}

enum om_err om_place_find(struct om_place *out, const char *home, struct om_error *err)
{
    const char *run = getenv("XDG_RUNTIME_DIR");
    bool is_default, fits;
    enum om_err e = find_home(out->home, home, &is_default, err);

    if (e != OM_OK)
        return e;
    if (is_default && run && *run == '/')
        fits = join(out->runtime, sizeof out->runtime, run, "omerta");
    else
        fits = join(out->runtime, sizeof out->runtime, out->home, "");
    fits = fits && join(out->control, sizeof out->control, out->runtime, "control.sock") &&
           join(out->data, sizeof out->data, out->runtime, "data.sock") &&
           join(out->metrics, sizeof out->metrics, out->runtime, "metrics.sock");
    if (!fits)
        return om_fail(err, OM_E_RANGE,
                       "%.80s...: too long for a Unix socket: want a home of at most %d bytes",
                       out->home, OM_SOCKET_PATH_MAX - 1 - (int)strlen("/control.sock"));
    return OM_OK;
}

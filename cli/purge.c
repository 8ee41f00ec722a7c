/* purge.c - nftw() twice: to look, and to remove from the leaves up. */
#include "purge.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <inttypes.h>

enum { FOLDERS_OPEN = 16, PATH_ROOM = 4200 };

/* nftw() has no argument for its function; one walk at a time. */
static struct om_out *walk_out;
static struct om_purge walk_sum;
static struct om_error walk_err; /* the first one */

static int list_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    char shown[OM_OUT_TEXT_MAX];
    (void)at;

    if (kind == FTW_D || kind == FTW_DNR || kind == FTW_NS)
        return 0;
    walk_sum.files++;
    walk_sum.bytes += (uint64_t)s->st_size;
    if (walk_out)
        om_out_line(walk_out, "%10" PRIu64 "  %s", (uint64_t)s->st_size,
                    om_out_escape(shown, path));
    return 0;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s;
    (void)at;
    if ((kind == FTW_DP || kind == FTW_D || kind == FTW_DNR ? rmdir(path) : unlink(path)) == 0)
        return 0;
    om_fail(&walk_err, OM_E_STATE, "%.150s: %s", path, strerror(errno));
    return 1;
}

static bool has_any(const char *home)
{
    static const char *const marks[] = {"config.json", "mesh.db",   "identity",
                                        "logs",        "local.key", "ssh"};
    char path[PATH_ROOM];
    struct stat s;

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        snprintf(path, sizeof path, "%s/%s", home, marks[i]);
        if (lstat(path, &s) == 0)
            return true;
    }
    return false;
}

static bool same_folder(const char *a, const char *b)
{
    struct stat x, y;

    return a && b && stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

enum om_err om_purge_list(const char *home, struct om_out *out, struct om_purge *sum,
                          struct om_error *err)
{
    struct stat s;

    if (lstat(home, &s))
        return om_fail(err, OM_E_MISSING, "%.150s: %s", home, strerror(errno));
    if (!S_ISDIR(s.st_mode) || same_folder(home, "/") || same_folder(home, getenv("HOME")))
        return om_fail(err, OM_E_STATE, "%.150s is no home of omerta: not removing it", home);
    walk_out = NULL;
    memset(&walk_sum, 0, sizeof walk_sum);
    nftw(home, list_one, FOLDERS_OPEN, FTW_PHYS | FTW_MOUNT);
    if (walk_sum.files && !has_any(home))
        return om_fail(err, OM_E_STATE,
                       "%.100s has files but nothing of omerta in it: not removing it", home);
    memset(&walk_sum, 0, sizeof walk_sum);
    walk_out = out;
    nftw(home, list_one, FOLDERS_OPEN, FTW_PHYS | FTW_MOUNT);
    *sum = walk_sum;
    return OM_OK;
}

enum om_err om_purge_remove(const char *home, struct om_error *err)
{
    walk_err.code = OM_OK;
    if (nftw(home, remove_one, FOLDERS_OPEN, FTW_PHYS | FTW_MOUNT | FTW_DEPTH) && !walk_err.code)
        om_fail(&walk_err, OM_E_STATE, "%.150s: %s", home, strerror(errno));
    if (walk_err.code && err)
        *err = walk_err;
    return walk_err.code;
}

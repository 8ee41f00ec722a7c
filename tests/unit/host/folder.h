/*
 * folder.h - a fresh folder for one test
 *
 * What:  made under TMPDIR or /tmp, removed with all that is in it.
 * Why:   files are real in these tests; nothing of one run may be there in the next.
 */
#ifndef OM_TESTS_FOLDER_H
#define OM_TESTS_FOLDER_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <omerta/attr.h>

enum { FOLDER_MAX = 96 };

/** folder_make() - an empty folder (0700), its path in @path. Return: false when there is none. */
static inline bool folder_make(char path[static FOLDER_MAX])
{
    const char *top = getenv("TMPDIR");
    int n = snprintf(path, FOLDER_MAX, "%s/om-test-XXXXXX", top && *top ? top : "/tmp");

    return n > 0 && n < FOLDER_MAX && mkdtemp(path) != NULL;
}

/** folder_at() - the path of @name in the folder @top, into @out (FOLDER_MAX + 16 bytes). */
static inline void folder_at(char out[static FOLDER_MAX + 16], const char *top, const char *name)
{
    (void)snprintf(out, FOLDER_MAX + 16, "%s/%s", top, name);
}

static inline int folder_remove_one(const char *path, const struct stat *st OM_UNUSED,
                                    int kind OM_UNUSED, struct FTW *at OM_UNUSED)
{
    return remove(path);
}

/** folder_remove() - remove @top and all below it; links are not followed. */
static inline void folder_remove(const char *top)
{
    (void)nftw(top, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif

/*
 * man.h - the manual pages of the daemon and of its IPC
 *
 * What:  omerta-meshd(8) and omerta-ipc(7) in roff, from the tables of keys and methods.
 * Why:   what a table says and what the manual says must be the same.
 * Shown: the pages in dist/man are compared with what this prints, in ctest.
 */
#ifndef OM_MESHD_MAN_H
#define OM_MESHD_MAN_H

#include <stdbool.h>
#include <stdio.h>

/** man_print() - the page @name, "omerta-meshd" or "omerta-ipc", to @to; false: no such page. */
bool man_print(const char *name, FILE *to);

#endif

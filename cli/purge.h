/*
 * purge.h - everything below a folder
 *
 * What:  lists it with sizes, and removes it; never follows a link out of it.
 * Why:   a person sees what will be gone before it is.
 * Keeps: purge_lists_and_removes_all_but_what_links_lead_to; purge_refuses_what_is_no_home.
 */
#ifndef OM_CLI_PURGE_H
#define OM_CLI_PURGE_H

#include <stdint.h>

#include <omerta/err.h>

#include "out.h"

struct om_purge {
    uint64_t files, bytes;
};

/**
 * om_purge_list() - print each file below a home with its size
 * @home:  the folder
 * @out:   where to; NULL: only count
 * @sum:   filled
 * @err:   sentence for a person
 *
 * Return: OM_OK; OM_E_MISSING without the folder; OM_E_STATE when it is no home: "/", the user's
 * own folder, or not empty and without anything a home has.
 */
OM_MUST enum om_err om_purge_list(const char *home, struct om_out *out, struct om_purge *sum,
                                  struct om_error *err);

/**
 * om_purge_remove() - remove the folder and everything below it
 * @home:  the folder, which om_purge_list() has accepted
 * @err:   sentence for a person: the first thing that could not be removed
 *
 * Return: OM_OK or OM_E_STATE.
 */
OM_MUST enum om_err om_purge_remove(const char *home, struct om_error *err);

#endif

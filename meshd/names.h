/*
 * names.h - what peers are called here
 *
 * What:  the name of a peer: in a closed network by its certificate, elsewhere as it calls itself;
 *        and the one that this node wishes for where it joins.
 * Why:   people name peers, and so do programs; every place that shows or takes a name must mean
 *        the same peer by it.
 * Keeps: test_members_are_named_by_their_certificates; test_a_wished_name_is_made_safe;
 *        test_a_name_that_is_taken_gets_a_number; test_names_in_several_networks;
 *        test_case_is_no_difference;
 *        test_a_machines_name_is_told_in_its_first_network.
 */
#ifndef OM_MESHD_NAMES_H
#define OM_MESHD_NAMES_H

#include <omerta/names.h>

#include "state.h"

enum { NAMES_TEXT = OM_NAMED_MAX + 1 }; /* bytes of a name, terminated */
static_assert((int)NAMES_TEXT > (int)OM_NAME_MAX, "what a peer calls itself does not fit");

/* The names of one network, as they were when it was asked; for many questions. */
struct names {
    const struct om_daemon *d;
    struct om_id network;
    struct om_named *all; /* owned; by key; of a closed network only */
    unsigned count;
    bool is_signed;
};

/** names_load() - those of @net of @d into @out; without memory nobody has one. */
void names_load(struct names *out, const struct om_daemon *d, const struct daemon_network *net);

/** names_free() - release @n. */
void names_free(struct names *n);

/** names_find() - what @peer is called in @n, to @out, "" for nothing. Return: @out. */
const char *names_find(const struct names *n, const struct om_id *peer,
                       char out[static NAMES_TEXT]);

/** names_of() - the same, of @peer in @network of @d, for one question. Return: @out. */
const char *names_of(const struct om_daemon *d, const struct om_id *network,
                     const struct om_id *peer, char out[static NAMES_TEXT]);

/** names_has_others() - is @d in a network, or about to be, beside the built-in one? Then the next
 *  one is not told what this machine is called: by that its networks could be told to be of one. */
bool names_has_others(const struct om_daemon *d);

/** names_own() - what this node calls itself in @net of @d, where no certificate says it, to @out,
 *  "" for nothing. Return: @out. */
const char *names_own(const struct om_daemon *d, const struct daemon_network *net,
                      char out[static OM_NAME_MAX + 1]);

/**
 * names_wish() - how this node wishes to be called in a closed network
 * @d:    the daemon
 * @as:   as somebody says; NULL: as the configuration or, in the first network, this machine is
 *        called, made safe
 * @out:  receives it
 * @err:  sentence for a person
 *
 * Return: false when @as can be nobody's name.
 */
bool names_wish(const struct om_daemon *d, const char *as, char out[static OM_MEMBER_NAME_MAX + 1],
                struct om_error *err);

#endif

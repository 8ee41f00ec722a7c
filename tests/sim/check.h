/*
 * check.h - whether what a scenario claims is so
 *
 * What:  evaluates one check against the world as it is now, and tells what was seen.
 * Why:   a failed check must say what it found instead; "false" helps nobody.
 */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "request.h"
#include "script.h"

enum { SIM_SEEN_MAX = 160 };

enum sim_field_kind {
    SIM_FIELD_U64,
    SIM_FIELD_UNSIGNED,
    SIM_FIELD_BOOL,
    SIM_FIELD_TIME,
    SIM_FIELD_TEXT
};

/* One member of om_node_info or om_peer_info that a check may name. */
struct sim_field {
    const char *name;
    size_t offset;
    enum sim_field_kind kind;
};

/** sim_field_node() - the member @name of om_node_info, "drops.x" too; NULL for none. */
const struct sim_field *sim_field_node(const char *name);

/** sim_field_peer() - the member @name of om_peer_info; NULL for none. */
const struct sim_field *sim_field_peer(const char *name);

/**
 * sim_check_holds() - evaluate a check now
 * @w:     a world whose actors are those of the script
 * @c:     the check
 * @seen:  receives what was found instead of what was claimed; SIM_SEEN_MAX bytes, or NULL
 *
 * Return: true when it holds.
 */
bool sim_check_holds(struct sim_world *w, const struct sim_check *c, char *seen);

#endif

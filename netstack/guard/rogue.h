/*
 * rogue.h - when refused packets stop being an accident
 *
 * What:  a score that each refusal raises and time lowers, and three levels, each told once.
 * Why:   a machine that asks for what it may not have now and then is a machine; one that does it
 *        a hundred times a second is a scan, and its owner or provider must hear of it.
 * Keeps: rogue_tells_each_level_once; rogue_forgets_with_time; rogue_level_can_be_off.
 */
#ifndef OM_GUARD_ROGUE_H
#define OM_GUARD_ROGUE_H

#include <stdint.h>

#include <omerta/time.h>

enum om_rogue_level {
    OM_ROGUE_NONE,
    OM_ROGUE_WARN,
    OM_ROGUE_PAUSE,
    OM_ROGUE_KILL,
    OM_ROGUE_LEVELS
};

enum {
    OM_ROGUE_WARN_AT = 100,
    OM_ROGUE_PAUSE_AT = 1000,
    OM_ROGUE_KILL_AT = 5000,
    OM_ROGUE_DECAY = 2 /* points that a second takes away */
};

/* Read freely; write only through om_rogue_*(). */
struct om_rogue {
    uint64_t score; /* millionths of a point, as of @at */
    om_time at;
    uint32_t threshold[OM_ROGUE_LEVELS]; /* points; 0 is off */
    enum om_rogue_level told;            /* the highest level told since the score was last 0 */
};

/** om_rogue_init() - @r without a score at @now, with the thresholds above. */
void om_rogue_init(struct om_rogue *r, om_time now);

/**
 * om_rogue_note() - a refusal
 * @r:       the score
 * @now:     current time; one before the latest seen counts as that one
 * @points:  what it weighs; 0 changes nothing
 *
 * Return: the level that this reached, when it was not told before; else OM_ROGUE_NONE. A level is
 * told again only after the score was 0.
 */
enum om_rogue_level om_rogue_note(struct om_rogue *r, om_time now, uint32_t points);

/** om_rogue_score() - points of @r at @now, rounded down. */
uint32_t om_rogue_score(const struct om_rogue *r, om_time now);

#endif

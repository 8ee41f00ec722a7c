/*
 * loss.h - which datagrams a channel loses
 *
 * What:  single losses, or a channel of two states with a share of losses in each.
 * Why:   losses on real ways come in bursts, and what recovers from single ones may stand still
 *        after a burst.
 * Keeps: link_loses_its_share; link_bursts_lose_the_same_share; loss_in_both_states.
 *
 * Source: E. N. Gilbert, "Capacity of a burst-noise channel", Bell System Technical Journal 39,
 *         1960; E. O. Elliott, "Estimates of error rates for codes on burst-noise channels", Bell
 *         System Technical Journal 42, 1963 (losses in the good state, too).
 */
#ifndef SIM_LOSS_H
#define SIM_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/prng.h>

enum { SIM_PPM = 1000000 }; /* one, as a probability in parts per million */

struct sim_loss_model {
    uint32_t ppm;      /* of all datagrams */
    uint32_t burst;    /* mean datagrams in the bad state; 0 and 1: single losses, no states */
    uint32_t good_ppm; /* lost in the good state; less than ppm, else there are no states */
    uint32_t bad_ppm;  /* lost in the bad state; 0 is all; more than ppm, else no states */
};

/**
 * sim_chance() - true with a probability
 * @prng:  moves by one draw unless @ppm is 0
 * @ppm:   of SIM_PPM
 *
 * Return: whether it came true.
 */
bool sim_chance(struct om_prng *prng, uint64_t ppm);

/**
 * sim_loss_draw() - whether the next datagram is lost
 * @bad:   the channel is in its bad state; false at first; updated
 * @m:     properties
 * @prng:  moves by a number of draws that depends on @m
 *
 * Return: true when it is lost.
 */
bool sim_loss_draw(bool *bad, const struct sim_loss_model *m, struct om_prng *prng);

#endif

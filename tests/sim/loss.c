/* loss.c - one draw for the state, one for the datagram. */
#include "loss.h"

bool sim_chance(struct om_prng *prng, uint64_t ppm)
{
    return ppm > 0 && om_prng_below(prng, SIM_PPM) < ppm;
}

/* The bad state ends with probability 1/burst per datagram, and begins as often as it takes for
 * ppm of all datagrams to be lost: its share of the time is (ppm - good) / (bad - good). */
bool sim_loss_draw(bool *bad, const struct sim_loss_model *m, struct om_prng *prng)
{
    uint64_t bad_ppm = m->bad_ppm ? m->bad_ppm : SIM_PPM;

    if (m->burst <= 1 || m->ppm <= m->good_ppm || m->ppm >= bad_ppm) {
        *bad = false;
        return sim_chance(prng, m->ppm);
    }
    if (*bad)
        *bad = !sim_chance(prng, SIM_PPM / m->burst);
    else
        *bad = sim_chance(prng, (uint64_t)(m->ppm - m->good_ppm) * SIM_PPM /
                                    (m->burst * (bad_ppm - m->ppm)));
    if (*bad && bad_ppm < SIM_PPM)
        return sim_chance(prng, bad_ppm);
    return *bad || sim_chance(prng, m->good_ppm);
}

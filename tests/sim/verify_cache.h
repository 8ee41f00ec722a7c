/*
 * verify_cache.h - the seam by which thousands of simulated nodes share checked signatures
 *
 * What:  a definition of om_record_verify() (peer/record.h) that remembers what it checked.
 * Why:   ten thousand nodes that check the same thousand signatures would spend an hour on it;
 *        the answer is the same. Only programs that list verify_cache.c have it.
 */
#ifndef SIM_VERIFY_CACHE_H
#define SIM_VERIFY_CACHE_H

/** sim_verify_checked() - signatures checked so far in this process. */
unsigned long sim_verify_checked(void);

/** sim_verify_remembered() - checks answered from memory. */
unsigned long sim_verify_remembered(void);

#endif

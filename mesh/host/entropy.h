/*
 * entropy.h - secret randomness of the kernel
 *
 * What:  a struct om_rng that reads getrandom().
 * Why:   the core takes its randomness as an argument; here is the one source of the product.
 */
#ifndef OM_HOST_ENTROPY_H
#define OM_HOST_ENTROPY_H

#include <omerta/rng.h>

/** om_entropy() - the kernel's generator; stops the process should it ever fail. */
struct om_rng om_entropy(void);

#endif

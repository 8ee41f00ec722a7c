/*
 * secrets.h - what a home has that nobody else may have
 *
 * What:  makes and reads the seed of all node keys, the local key and the SSH key.
 * Why:   the one place that knows their names, so that nothing else opens them.
 * Keeps: secrets_seed_is_made_once; secrets_seed_is_read_beside_a_daemon;
 *        secrets_init_is_idempotent; secrets_init_force_keeps_a_backup;
 *        secrets_init_that_fails_puts_back_what_was_there;
 *        secrets_that_others_could_read_are_named.
 *
 *     identity/seed    32 bytes: every node key of this home comes from it (PROTOCOL section 1)
 *     local.key        32 bytes as 64 hex digits and a newline: for local programs
 *     ssh/id_ed25519   made by ssh-keygen, with its .pub
 *     config.json      all keys with their defaults
 */
#ifndef OM_MESHD_SECRETS_H
#define OM_MESHD_SECRETS_H

#include <stdint.h>
#include <stdio.h>

#include "host/home.h"

enum { OM_SEED_BYTES = 32, OM_LOCAL_KEY_BYTES = 32 };

/**
 * secrets_seed() - the home seed, made if there is none
 * @home:  open
 * @err:   sentence for a person
 *
 * Return: OM_SEED_BYTES of memory that the caller gives to sodium_free(); NULL on failure.
 */
uint8_t *secrets_seed(struct om_home *home, struct om_error *err);

/**
 * secrets_read_seed() - the home seed of a home that a daemon may be using
 * @home:  path
 * @err:   sentence for a person
 *
 * Return: as secrets_seed(); NULL also when there is none.
 */
uint8_t *secrets_read_seed(const char *home, struct om_error *err);

/**
 * secrets_check() - is each secret that a home has its user's alone?
 * @home:  path
 * @err:   the first that is not, and what to do
 *
 * Return: OM_OK, also for what is not there; OM_E_STATE; OM_E_RANGE for a path that is too long.
 */
OM_MUST enum om_err secrets_check(const char *home, struct om_error *err);

/**
 * secrets_init() - make everything that a home needs and has not
 * @home:   open
 * @force:  make all of it anew; what was there is kept beside it, NAME.backup-YYYYMMDDTHHMMSSZ
 * @said:   one line for each thing made, kept or moved
 * @err:    sentence for a person
 *
 * Return: OM_OK, or what failed: then what was moved is back in its place, and what else was made
 * stays.
 */
OM_MUST enum om_err secrets_init(struct om_home *home, bool force, FILE *said,
                                 struct om_error *err);

#endif

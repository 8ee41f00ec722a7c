/*
 * network_file.h - the networks of a home, each in a file that only its user can read
 *
 * What:  writes, reads, lists and removes networks/ID of the home: the secret, our name for the
 *        network, where others may be found, and for a direct one whom it lets in.
 * Why:   who reads it is in the network, so it is kept as the seed is, and in no database.
 * Keeps: network_file_gives_back_what_was_kept; network_file_is_the_users_alone;
 *        network_file_that_was_damaged_is_refused; network_file_lists_no_more_than_fit;
 *        network_file_of_another_network_is_refused; network_file_keeps_epochs.
 *
 *     u8 1, u8 kind, u8 flags (1 pinned, 2 shy), 32 B authority, u32 epoch, 32 B secret,
 *     u8 n, name, u8 n <= 3, n x (32 B key, 18 B address),
 *     u8 pins on, u8 n <= 8, u8 left, u64 until (s), n x 32 B key
 *     of a closed one: u8 is ours, 32 B seed of its authority, 2 x (u8 n, certificate), and then,
 *     once its secret was changed, u16 n, what the node wants back of its epochs
 */
#ifndef OM_MESHD_NETWORK_FILE_H
#define OM_MESHD_NETWORK_FILE_H

#include <omerta/authority.h>
#include <omerta/rotate.h>

#include "host/home.h"

/* Holds a secret: whoever has one wipes it. */
struct network_file {
    struct om_network_link link; /* its peers are those who were named when it was joined */
    char name[OM_NAME_MAX + 1];
    bool is_shy; /* the machine's name is not told there: another network has it */
    struct om_pins pins;
    uint64_t pins_until_s; /* Unix time; who comes later is no pin any more */
    struct om_certs certs; /* of a closed one: this node's */
    bool is_ours;          /* closed, and made here: */
    uint8_t seed[32];      /* of its authority */
    size_t epochs_len;     /* 0: it has the secret that it was joined with */
    uint8_t epochs[OM_EPOCHS_KEPT_MAX];
};

/** network_file_write() - keep @f in @home, in the place of an older one. Return: OM_OK, or as
 *  om_secret_write(), with @err. */
OM_MUST enum om_err network_file_write(struct om_home *home, const struct network_file *f,
                                       struct om_error *err);

/**
 * network_file_read() - a network back
 * @home:  path, of a home that a daemon may be using
 * @id:    of the network
 * @out:   filled on success; untouched else
 * @err:   sentence for a person
 *
 * Return: OM_OK; OM_E_PARSE when it is damaged; else as om_secret_read().
 */
OM_MUST enum om_err network_file_read(const char *home, const struct om_id *id,
                                      struct network_file *out, struct om_error *err);

/** network_file_remove() - forget @id in @home. Return: OM_OK or OM_E_STATE with @err. */
OM_MUST enum om_err network_file_remove(struct om_home *home, const struct om_id *id,
                                        struct om_error *err);

/**
 * network_file_list() - which networks @home has
 * @home:   path, of a home that a daemon may be using
 * @out:    in the order of their ids
 * @count:  receives how many
 * @err:    sentence for a person
 *
 * What is named otherwise is passed over.
 *
 * Return: OM_OK; OM_E_FULL when there are more than OM_NETWORKS_MAX; OM_E_STATE.
 */
OM_MUST enum om_err network_file_list(const char *home, struct om_id out[OM_NETWORKS_MAX],
                                      unsigned *count, struct om_error *err);

#endif

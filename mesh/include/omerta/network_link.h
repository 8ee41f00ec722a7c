/*
 * network_link.h - everything that one has to know to take part in a network
 *
 * What:  makes a network, writes it as the line that people hand on, and reads that back.
 * Why:   a network is its secret and where to find somebody; both fit into one link, and whoever
 *        holds the link of an open or a direct network is in it, so it is to be kept like a key.
 * Keeps: network_link_of_an_open_network_round_trips; network_link_is_made_anew_each_time;
 *        direct_link_round_trips; direct_link_of_the_old_form_has_no_pin;
 *        direct_link_refuses_nonsense; direct_network_comes_from_its_key.
 *
 *     omerta://join/TEXT                                    an open network (core: join_link.h)
 *     omerta://connect?key=HEX&host=IP&port=PORT&peer=ID    two who share a key; old: no peer
 *
 * Source: PROTOCOL section 7 (Join link, Direct link).
 */
#ifndef OMERTA_NETWORK_LINK_H
#define OMERTA_NETWORK_LINK_H

#include <omerta/addr.h>
#include <omerta/node.h>

enum {
    OM_NETWORK_PEERS_MAX = 3,
    OM_NETWORK_LINK_TEXT = 700 /* of any link, terminated */
};

enum om_network_kind { OM_NETWORK_OPEN, OM_NETWORK_DIRECT, OM_NETWORK_CLOSED };

struct om_network_peer {
    struct om_id key; /* in that network; zero where an old direct link does not say it */
    struct om_addr addr;
};

/* A secret: whoever has one wipes it. */
struct om_network_link {
    enum om_network_kind kind;
    bool is_pinned;         /* of a direct one: the key of its peer is known */
    struct om_id id;        /* of the network */
    struct om_id authority; /* of an open or a closed one */
    uint32_t epoch;
    uint8_t secret[32];  /* zeros where the link of a closed one was read: it has none */
    unsigned peer_count; /* of a direct one 1 at most */
    struct om_network_peer peers[OM_NETWORK_PEERS_MAX];
};

/**
 * om_network_link_new() - a network that nobody is in yet
 * @out:   filled; without peers
 * @kind:  open: nobody keeps its authority's key, for there is nothing to sign in it
 * @rng:   secret randomness
 */
void om_network_link_new(struct om_network_link *out, enum om_network_kind kind,
                         const struct om_rng *rng);

/** om_network_link_derive() - set the id of @l from its kind, authority and secret. */
void om_network_link_derive(struct om_network_link *l);

/**
 * om_network_link_print() - the text of a link
 * @out:  receives it, terminated; a secret
 * @l:    the link; a direct one has its peer; not of a closed network (authority.h)
 *
 * Return: its length.
 */
size_t om_network_link_print(char out[static OM_NETWORK_LINK_TEXT],
                             const struct om_network_link *l);

/**
 * om_network_link_parse() - read what om_network_link_print() wrote
 * @out:   untouched on failure; the caller wipes it
 * @text:  terminated; spaces and line breaks anywhere in it are not looked at
 * @err:   sentence for a person, without any of the link; may be NULL
 *
 * Of a closed network it says which one that is: om_node_join_by_link() takes the text itself.
 *
 * Return: OM_OK; OM_E_PARSE for what is no link or was changed; OM_E_RANGE for too long a text.
 */
OM_MUST enum om_err om_network_link_parse(struct om_network_link *out, const char *text,
                                          struct om_error *err);

/** om_network_link_config() - @out, for om_node_join(), from @l, without pins and certificates; a
 *  secret. */
void om_network_link_config(struct om_network_config *out, const struct om_network_link *l);

#endif

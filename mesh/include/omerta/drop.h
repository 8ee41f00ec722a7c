/*
 * drop.h - why received bytes were thrown away
 *
 * What:  one list of reasons; a node counts each, and each is one metric label.
 * Why:   hostile input is not an error. It is counted and forgotten, and the counts tell an
 *        operator what is being tried.
 */
#ifndef OMERTA_DROP_H
#define OMERTA_DROP_H

#define OM_DROPS(X)                                                                                \
    X(SIZE, "size", "shorter or longer than any datagram of ours")                                 \
    X(FOREIGN, "foreign", "no key of ours unmasks it")                                             \
    X(TRY_BUDGET, "try_budget", "key trials used up for this second")                              \
    X(INDEX, "index", "receiver index unknown or of another epoch")                                \
    X(DEAD_KEY, "dead_key", "for a session whose key has died")                                    \
    X(OPEN, "open", "authentication failed")                                                       \
    X(REPLAY, "replay", "counter seen before or below the window")                                 \
    X(FRAME, "frame", "malformed frame inside an authentic packet")                                \
    X(STREAM, "stream", "stream frame beyond the credit granted, or impossible")                   \
    X(CALLS_FULL, "calls_full", "no room for another call")                                        \
    X(PING_RATE, "ping_rate", "peer asks for more PONGs than it gets")                             \
    X(PING_LATER, "ping_later", "peer asks for more delayed PONGs than it gets")                   \
    X(HS_VERSION, "handshake_version", "another handshake header version")                         \
    X(HS_KIND, "handshake_kind", "unknown handshake kind")                                         \
    X(HS_FORM, "handshake_form", "fields do not fit the datagram")                                 \
    X(HS_RATE, "handshake_rate", "source over its initiation rate")                                \
    X(HS_COPY, "handshake_copy", "copy of an initiation that gets no more answers")                \
    X(HS_NOISE, "handshake_noise", "Noise message did not decrypt")                                \
    X(HS_STALE, "handshake_stale", "initiation timestamp not newer than the stored one")           \
    X(HS_CREDENTIAL, "handshake_credential", "credential refused")                                 \
    X(HS_UNASKED, "handshake_unasked", "response or cookie to no initiation of ours")              \
    X(HS_LOAD, "handshake_load", "under load, no cookie given")                                    \
    X(HS_OFFER, "handshake_offer", "response chose what we did not offer")                         \
    X(HELLO_LINK, "hello_link", "hello that did not come over the link")                           \
    X(HELLO_OFF, "hello_off", "hello of a network in which we send none")                          \
    X(HELLO_FORM, "hello_form", "malformed hello, or of a key that is none")                       \
    X(HELLO_OWN, "hello_own", "our own hello, come back")                                          \
    X(HELLO_SOURCE, "hello_source", "hello from an address that it does not name")                 \
    X(HELLO_OLD, "hello_old", "hello not newer than the last of its key")                          \
    X(HELLO_FORGED, "hello_forged", "hello whose signature is wrong")                              \
    X(HELLO_RATE, "hello_rate", "hello too soon after others to be acted on")                      \
    X(PATH_UNASKED, "path_unasked", "answer to a challenge that no path of the peer waits for")    \
    X(PATH_UNPROVEN, "path_unproven", "packet held back from an address that is not proven")       \
    X(REACH, "reach", "datagram to an address that nobody proved, beyond its budget")              \
    X(CLASS, "class", "beyond what a session of no member may carry")                              \
    X(PEERS_FULL, "peers_full", "peer table full")                                                 \
    X(INDICES_FULL, "indices_full", "receiver index table full")                                   \
    X(MEMORY, "memory", "out of memory or datagram buffers")                                       \
    X(ACTS_FULL, "acts_full", "driver did not drain the actions")                                  \
    X(QUEUE_FULL, "queue_full", "oldest datagram waiting for a session dropped")                   \
    X(IP, "ip", "IP packet of a peer from which none are taken")                                   \
    X(SLICE, "slice", "slices that do not fit together, or did not all come in time")              \
    X(LANE, "lane", "relay lane: forged, replayed, over its rate, or its end is gone")             \
    X(AUDIT, "audit", "outgoing datagram refused by the encryption audit")

enum om_drop {
#define X(code, name, help) OM_DROP_##code,
    OM_DROPS(X)
#undef X
        OM_DROP_COUNT
};

/**
 * om_drop_name() - metric label of a reason
 * @d:  below OM_DROP_COUNT; anything else gives "unknown"
 *
 * Return: static text.
 */
const char *om_drop_name(enum om_drop d);

#endif

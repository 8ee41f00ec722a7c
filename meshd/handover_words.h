/*
 * handover_words.h - question and answer of a call "handover", as JSON
 *
 * What:  the offer of a network, and where its taker says that it sees who gives it.
 * Why:   a peer wrote them: what is read can be shown to a person and used, or is none.
 * Keeps: test_handover_bad_inputs; test_handover_of_each_kind.
 *
 * Source: plans/services.md (Words).
 */
#ifndef OM_MESHD_HANDOVER_WORDS_H
#define OM_MESHD_HANDOVER_WORDS_H

#include <omerta/addr.h>
#include <omerta/bytes.h>
#include <omerta/gossip.h>

/* A network that is offered. */
struct handover_offer {
    bool is_closed;
    char what[OM_NAME_MAX + 1]; /* as who gives it calls it: visible text */
};

/** handover_words_read() - @out from @text, of a peer; false, with @out as it was: it is none. */
bool handover_words_read(struct handover_offer *out, struct om_bytes text);

/** handover_words_write() - @offer, the caller's to free; NULL without memory. */
char *handover_words_write(const struct handover_offer *offer);

/** handover_words_at() - the address in @text, of a peer, to @out; false: it names none. */
bool handover_words_at(struct om_addr *out, struct om_bytes text);

#endif

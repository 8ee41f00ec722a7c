/*
 * handovers.h - a network that there is, given to a peer in two rounds
 *
 * What:  offers a network of this home to a peer; once the peer's user said yes, the link follows
 *        over the same session, and is followed there.
 * Why:   who can talk already needs no link that passes through a third program's hands.
 * Keeps: test_handover_of_each_kind; test_handover_needs_the_word_of_the_user;
 *        test_handover_questions_are_bounded; test_handover_bad_inputs.
 *
 *     giver                                                taker
 *       offer {"name", "kind"}  ---------------------------> its user is asked, and knows no secret
 *       <----------------------------------- yes {"at"}, where it sees the giver
 *       the link, and the end of the stream  -------------> joins, if it is of the kind that was
 *                                                            offered
 *
 * A link into a closed network is an invitation for one, and for ten minutes. What a peer can do
 * without the user's word is to show a question.
 *
 * Full:  as questions.h says, and one with each peer.
 */
#ifndef OM_MESHD_HANDOVERS_H
#define OM_MESHD_HANDOVERS_H

#include <jansson.h>

#include <omerta/act.h>

#include "state.h"

#define HANDOVER_METHOD "handover"

/** handovers_open() - begin for @d, by @out; false and @err. */
bool handovers_open(struct handovers **out, struct om_daemon *d, struct om_error *err);

/** handovers_close() - give up what is under way in @s; it is freed once the loop has run; NULL is
 *  fine. */
void handovers_close(struct handovers *s);

/** handovers_call() - a peer offers @s a network: @call, whose method is HANDOVER_METHOD. */
void handovers_call(struct handovers *s, const struct om_act_call *call);

/**
 * handovers_ask() - offer a network to a peer
 * @s:     ours
 * @net:   the network in which both are
 * @peer:  in it
 * @given: what is offered
 * @err:   why not
 *
 * Return: the number of the question, of which control_cloister_code() tells; 0 with @err.
 */
unsigned handovers_ask(struct handovers *s, const struct daemon_network *net,
                       const struct om_id *peer, const struct daemon_network *given,
                       struct om_error *err);

/** handovers_has() - is @number that of a question of @s? */
bool handovers_has(const struct handovers *s, unsigned number);

/**
 * handovers_accept() - the user says yes to what was offered
 * @s:       ours
 * @number:  of the question
 * @name:    of the network in this home; NULL: as the peer calls it, if that can be
 * @of:      receives network and peer of the question
 * @err:     why not
 *
 * Return: true, and control_cloister_end() tells what became of it; false with @err.
 */
bool handovers_accept(struct handovers *s, unsigned number, const char *name, struct om_id of[2],
                      struct om_error *err);

/** handovers_deny() - the user says no to question @number of @s, or takes it back. Return: it, as
 *  it was at its end; NULL with @err. */
json_t *handovers_deny(struct handovers *s, unsigned number, struct om_error *err);

/** handovers_list() - the questions of @s that wait are appended to @rows. */
void handovers_list(const struct handovers *s, json_t *rows);

#endif

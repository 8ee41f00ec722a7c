/*
 * cloisters.h - private networks for two, agreed with peers of other networks
 *
 * What:  asks peers and answers those who ask, shows the user the code, and makes the network once
 *        both users said yes.
 * Why:   two who meet in a network of many need no link, and nobody's word, for one of their own.
 * Keeps: test_cloister_two_agree; test_cloister_is_denied; test_cloister_needs_both_words;
 *        test_cloister_over_the_default_network; test_cloister_questions_are_bounded;
 *        test_cloister_bad_inputs.
 *
 * A peer can make this node show a question, and no more: without cloisters_accept(), which only
 * the user of this home can lead to, nothing becomes of it.
 *
 * Full:  as questions.h says, and one with each peer; more are refused, and counted.
 */
#ifndef OM_MESHD_CLOISTERS_H
#define OM_MESHD_CLOISTERS_H

#include <jansson.h>

#include <omerta/act.h>

#include "state.h"

/** cloisters_open() - begin for @d, by @out; false and @err. */
bool cloisters_open(struct cloisters **out, struct om_daemon *d, struct om_error *err);

/** cloisters_close() - give up what is under way in @s; it is freed once the loop has run; NULL is
 *  fine. */
void cloisters_close(struct cloisters *s);

/** cloisters_number() - the number of the next question of @s, whatever it is about. */
unsigned cloisters_number(struct cloisters *s);

/** cloisters_call() - a peer asks @s: @call, whose method is OM_METHOD_CLOISTER. */
void cloisters_call(struct cloisters *s, const struct om_act_call *call);

/**
 * cloisters_ask() - ask a peer
 * @s:     ours
 * @net:   the network that there is
 * @peer:  in it
 * @name:  of the new one in this home; NULL: one is made up
 * @err:   why not
 *
 * Return: the number of the question, of which control_cloister_code() tells; 0 with @err.
 */
unsigned cloisters_ask(struct cloisters *s, const struct daemon_network *net,
                       const struct om_id *peer, const char *name, struct om_error *err);

/**
 * cloisters_accept() - the user says that the codes are the same, and yes
 * @s:       ours
 * @number:  of the question
 * @name:    of the new network in this home; NULL: as asked for, or one is made up
 * @peer:    receives network and peer of the question
 * @err:     why not
 *
 * Return: true, and control_cloister_end() tells what became of it; false with @err.
 */
bool cloisters_accept(struct cloisters *s, unsigned number, const char *name, struct om_id peer[2],
                      struct om_error *err);

/** cloisters_deny() - the user says no to question @number of @s, or takes it back. Return: it, as
 *  it was at its end; NULL with @err. */
json_t *cloisters_deny(struct cloisters *s, unsigned number, struct om_error *err);

/** cloisters_list() - the questions of @s that wait, a new reference. */
json_t *cloisters_list(const struct cloisters *s);

/** cloisters_ended() - how many of @s ended without a network, or were refused, by why. */
json_t *cloisters_ended(const struct cloisters *s);

#endif

/*
 * questions.h - questions between users that wait for a word, of one kind
 *
 * What:  finds them by number and by peer, and says whether there may be one more.
 * Why:   a peer can make this node show a question: not many, and none in the place of another
 *        network's.
 * Keeps: questions_are_found; questions_of_peers_are_bounded;
 *        questions_keep_room_for_another_network; test_cloister_questions_are_bounded;
 *        test_handover_questions_are_bounded.
 *
 * Full:  QUESTIONS_MAX at a time, of them QUESTIONS_IN_MAX that others asked, of which each network
 *        has its share (share.h): one more is refused; and so is what repeats.h does not let
 *        through.
 */
#ifndef OM_MESHD_QUESTIONS_H
#define OM_MESHD_QUESTIONS_H

#include "repeats.h"

enum { QUESTIONS_MAX = 16, QUESTIONS_IN_MAX = 12 };

/* Part of what its kind keeps of it. Zeroed: the place is free. */
struct question {
    struct om_id network, peer;
    unsigned number; /* 0: the place is free */
    bool is_ours;    /* asked here */
};

/* Read freely. */
struct questions {
    struct question *of[QUESTIONS_MAX]; /* lent for good by its kind */
    struct repeats repeats;
};

/** questions_find() - that of @q with @number; NULL: none. */
struct question *questions_find(const struct questions *q, unsigned number);

/** questions_with() - that of @q with @peer of @network; NULL: none. */
struct question *questions_with(const struct questions *q, const struct om_id *network,
                                const struct om_id *peer);

/**
 * questions_take() - one more
 * @q:         those that there are
 * @like:      what it is; copied. Its number, if it has none yet, is the caller's to give at once
 * @networks:  that this node is in
 *
 * Return: its place; NULL when there is none, or none for others.
 */
struct question *questions_take(struct questions *q, const struct question *like,
                                unsigned networks);

#endif

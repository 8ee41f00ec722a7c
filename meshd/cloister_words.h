/*
 * cloister_words.h - question and answer of a call "cloister", as JSON
 *
 * What:  the message that opens it and the one that answers it, in hexadecimal digits.
 * Why:   a peer wrote them: what is read has the right size, or is none.
 * Keeps: cloister_words_round_trip; cloister_words_refuse_what_is_none.
 *
 * Source: plans/services.md (Words).
 */
#ifndef OM_MESHD_CLOISTER_WORDS_H
#define OM_MESHD_CLOISTER_WORDS_H

#include <omerta/bytes.h>
#include <omerta/cloister.h>

#define CLOISTER_COMMIT "commit" /* of the question */
#define CLOISTER_POINT  "point"  /* of the answer */

enum { CLOISTER_WORD = OM_CLOISTER_COMMIT }; /* bytes of either */

/** cloister_words_read() - @out from member @name of @text, of a peer; false: it is none. */
bool cloister_words_read(uint8_t out[static CLOISTER_WORD], struct om_bytes text, const char *name);

/** cloister_words_write() - the next message of @c as member @name of an object, the caller's to
 *  free; NULL without one, or memory. */
char *cloister_words_write(struct om_cloister *c, const char *name);

#endif

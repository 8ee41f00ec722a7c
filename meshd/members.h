/*
 * members.h - the members of this home's networks: who is meant, and who is put out
 *
 * What:  from a word to a key; an admin's word that a member, an admin or an invitation counts
 *        no more.
 * Why:   a person says a name; what it stands for must be what a certificate says, for a record
 *        says what its maker likes.
 * Keeps: test_revoke_ends_streams_and_lasts; test_members_lists_and_names; test_revoke_bad_input;
 *        test_void_invitation_lets_nobody_in; test_revoke_asks_who_sits_at_a_terminal;
 *        test_a_doubled_name_means_one; test_who_made_the_network_ends_its_admins;
 *        members_are_found_by_certificate_alone; members_of_one_name_are_told_apart.
 */
#ifndef OM_MESHD_MEMBERS_H
#define OM_MESHD_MEMBERS_H

#include <omerta/members.h>

#include "names.h"
#include "state.h"

/** members_list() - the keys known in @net of @d: of a closed one its members and who was one, else
 *  its peers; @out is the caller's to free. Return: how many. */
unsigned members_list(const struct om_daemon *d, const struct daemon_network *net,
                      struct om_id **out);

/** members_named() - what @key is called among @names, as names_find(); of a closed network also
 *  who was a member or was not met since the start, by certificate, with the start of its id
 *  behind a name that is another's. Return: @out; "": nothing is known. */
const char *members_named(const struct names *names, const struct om_id *key,
                          char out[static NAMES_TEXT]);

/** members_name() - the same, of @key in @net of @d, for one question. Return: @out. */
const char *members_name(const struct om_daemon *d, const struct daemon_network *net,
                         const struct om_id *key, char out[static NAMES_TEXT]);

/**
 * members_find() - whom a word means
 * @d:     the daemon
 * @net:   its network
 * @text:  a full id, known or not; else the start of one, or a name as members_named() has it,
 *         or, in a closed network, that name with the first OM_NAMED_ID letters of the id behind;
 *         who is a member no more has his name only where no member has it
 * @out:   receives the key
 * @err:   sentence for a person
 *
 * Return: false when it means nobody, or several.
 */
bool members_find(const struct om_daemon *d, const struct daemon_network *net, const char *text,
                  struct om_id *out, struct om_error *err);

/**
 * members_revoke() - put a member out of a closed network, or an admin out of its office
 * @d:     the daemon
 * @net:   its network
 * @key:   whose
 * @stay:  of an admin only: it stays a member
 * @err:   sentence for a person
 *
 * Return: false when it cannot be done here.
 */
bool members_revoke(struct om_daemon *d, const struct daemon_network *net, const struct om_id *key,
                    bool stay, struct om_error *err);

/** members_void() - nobody more joins @net of @d by the invitation that @text names, by its 16 hex
 *  digits or as a link; it is in @invite then; else false, and @err. */
bool members_void(struct om_daemon *d, const struct daemon_network *net, const char *text,
                  uint8_t invite[static OM_MEMBER_INVITE], struct om_error *err);

/** members_event() - @e happened in @d: were we put out of a network, or taken in again? */
void members_event(struct om_daemon *d, const struct om_event *e);

/**
 * members_why_not() - may it be that a peer is not reached because somebody was put out?
 * @d:     the daemon
 * @net:   its network
 * @key:   the peer's
 * @out:   a sentence for a person, without its full stop
 * @size:  room in @out
 *
 * Return: false when that is not why.
 */
bool members_why_not(const struct om_daemon *d, const struct daemon_network *net,
                     const struct om_id *key, char *out, size_t size);

#endif

/*
 * wanted_parts.h - what the files about wanted machines share
 *
 * What:  one machine that was asked for, one question that is under way, and who holds them.
 * Why:   records and their file, and the calls to providers, are a file each.
 */
#ifndef OM_SERVICE_WANTED_PARTS_H
#define OM_SERVICE_WANTED_PARTS_H

#include "ipc/line.h"
#include "ipc/place.h"
#include "service/access.h"
#include "service/vms.h"
#include "service/wanted.h"
#include "vm/core/spec.h"

enum { WANTED_LOOK_MS = 100, WANTED_WORD = 64, WANTED_TEXT = 200, WANTED_HOST_KEY = 128 };

struct choose;

struct wanted_vm {
    struct om_link link;
    struct wanted *hub;
    struct om_id network, provider;
    bool is_bound;    /* to the program that asked */
    om_time leave_at; /* when it is to be released, again; OM_NEVER: not */
    char key[WANTED_WORD + 1];
    char vm[WANTED_WORD]; /* "": not known yet; then the provider knows it by the key, if at all */
    char state[WANTED_WORD], end[WANTED_WORD], text[WANTED_TEXT];
    char address[WANTED_WORD], host_key[WANTED_HOST_KEY], engine[WANTED_WORD], image[WANTED_WORD];
    char name[ACCESS_NAME_MAX + 1];     /* its user's; "" */
    char identity[ACCESS_IDENTITY_MAX]; /* the key file that gets in; "": that of this home */
    uint16_t expose[OM_VM_EXPOSES_MAX];
    unsigned exposes;
    bool has_internet;
    bool is_open;            /* it may reach that */
    om_time until;           /* of its lease; OM_NEVER: not known */
    json_t *spec;            /* owned; NULL once it was asked for, by this run or one before */
    uint64_t client, number; /* the program that asked; 0: none, or answered */
    struct om_call_owner owner;
    struct om_line in;
    om_time keep;       /* the longest that it may live */
    struct choose *run; /* that asked for it and was not answered; NULL */
    om_time lost_until; /* its lease, of which nobody tells us any more, is over; OM_NEVER: told */
    om_time known_by;   /* when its certificate must have come; OM_NEVER: it was there */
    om_time word_by;    /* when it must have an id; OM_NEVER: it has, or nobody was asked */
    om_time again_at;
    unsigned again_ms;
};

/* What a program wants, of whichever provider. */
struct wanted_question {
    const char *key;
    const json_t *spec, *params; /* what the provider is asked; what the program said */
    uint64_t client;
};

struct wanted_ask {
    struct om_link link;
    struct wanted *hub;
    struct om_id network, peer;
    uint64_t number;
    om_time until; /* which the answer must have come */
    struct om_call_owner owner;
    struct om_line in;
};

struct wanted {
    struct om_daemon *d;
    struct om_list machines, asks, runs, owed; /* choose.c, owed.c */
    unsigned count, ask_count, run_count, owed_count;
    uint64_t numbers;
    uv_timer_t timer;
    om_time keep_at; /* earliest moment of the next write */
    bool is_stale;   /* what is in the file */
    char program[OM_PATH_MAX];
    char *ssh_config, *ssh_known; /* owned: what is in these files; NULL: not known */
};

/* wanted.c */

/** wanted_find() - the machine of @w whose id is or begins with @name; NULL and @err. */
struct wanted_vm *wanted_find(const struct wanted *w, const char *name, struct om_error *err);

/** wanted_named() - the machine of @w that @text, from a place where a peer may stand, means: by
 *  its name, its id or the start of that; NULL: none, or several. */
struct wanted_vm *wanted_named(const struct wanted *w, const char *text);

/** wanted_find_key() - the machine of @w that was asked for with @key, or NULL. */
struct wanted_vm *wanted_find_key(const struct wanted *w, const char *key);

/**
 * wanted_try() - ask one provider among several
 * @w:       ours
 * @run:     is told how it ended: choose_granted() or choose_refused(), maybe before this returns
 * @net:     the network
 * @peer:    the provider
 * @q:       what is asked; borrowed
 * @err:     why not
 *
 * Return: false when it cannot be asked for at all; @run is not told then.
 */
bool wanted_try(struct wanted *w, struct choose *run, const struct daemon_network *net,
                const struct om_id *peer, const struct wanted_question *q, struct om_error *err);

/** wanted_drop() - forget @v, and tell nobody. */
void wanted_drop(struct wanted_vm *v);

/** wanted_event() - @event of the provider of @v; @v is gone when false. */
bool wanted_event(struct wanted_vm *v, const json_t *event);

/** wanted_show() - @v for programs, a new reference. */
json_t *wanted_show(const struct wanted_vm *v);

/** wanted_sentence() - a provider's text @in into the @size bytes at @out: as it is, or escaped
 *  when it holds what no sentence does, or is too long. */
void wanted_sentence(char *out, size_t size, struct om_bytes in);

/** wanted_keep() - HOME/vms.json of @w is to be written: now, or soon if it just was, as a provider
 *  says how often that is. */
void wanted_keep(struct wanted *w);

/** wanted_arm() - look at @w anew when it is due. */
void wanted_arm(struct wanted *w);

/* wanted_bound.c */

/** wanted_unbind() - the program that @v is bound to, if it is, has gone. */
void wanted_unbind(struct wanted_vm *v);

/** wanted_leave() - ask for the release of @v, which may be gone on return. */
void wanted_leave(struct wanted_vm *v);

/* wanted_call.c */

/** wanted_call() - ask the provider of @v for it, or to tell of it again. */
void wanted_call(struct wanted_vm *v);

/** wanted_again() - the provider of @v is asked to tell of it again, later. */
void wanted_again(struct wanted_vm *v);

/** wanted_refused() - there is no @v: who waits for the first word about it hears @err, and it is
 *  forgotten. */
void wanted_refused(struct wanted_vm *v, const struct om_error *err);

/** wanted_told() - @a is answered by @result, taken, or, where that is NULL, by @err, and over. */
void wanted_told(struct wanted_ask *a, json_t *result, const struct om_error *err);

/** wanted_ask() - @w asks @peer of @network: @method with @args, taken; its answer is @number's;
 *  false and @err when it cannot. */
bool wanted_ask(struct wanted *w, const struct om_id *network, const struct om_id *peer,
                const char *method, json_t *args, uint64_t number, struct om_error *err);

/** wanted_ask_drop() - @a is over. */
void wanted_ask_drop(struct wanted_ask *a);

/* wanted_late.c */

/** wanted_late() - calls of @w that were taken, and nothing said on by @now, are given up. */
void wanted_late(struct wanted *w, om_time now);

/** wanted_late_deadline() - when @w wants that. */
om_time wanted_late_deadline(const struct wanted *w);

#endif

/*
 * site.h - one end of the measurement: an agent, and questions to it
 *
 * What:  starts omerta-health --agent here, in a namespace or by ssh, and asks it over its pipes,
 *        while the pulse goes on.
 * Why:   phases do the same to either end, wherever it is.
 * Keeps: agent_takes_back_at_the_end_of_its_input; site_without_an_agent_says_so.
 */
#ifndef OM_HEALTH_SITE_H
#define OM_HEALTH_SITE_H

#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>
#include <omerta/err.h>
#include <omerta/time.h>

#include "ipc/line.h"
#include "pulse.h"

enum { OM_SITE_WORDS = 24 };

/* Read freely; write only through om_site_*(). */
struct om_site {
    const char *name; /* for people: "here", "ben" */
    pid_t pid;        /* 0: none runs */
    int to, from;
    struct om_line line;
    struct om_pulse *pulse; /* borrowed; goes on while an answer is awaited */
    bool is_root;
};

/**
 * om_site_start() - start its agent
 * @s:      storage; the caller keeps owning it
 * @name:   for people; lives as long as @s
 * @argv:   up to OM_SITE_WORDS words and a NULL
 * @pulse:  borrowed
 * @err:    sentence for a person
 *
 * Return: OM_OK once it answered; OM_E_STATE.
 */
OM_MUST enum om_err om_site_start(struct om_site *s, const char *name, const char *const *argv,
                                  struct om_pulse *pulse, struct om_error *err);

/** om_site_stop() - end the input of the agent of @s, and wait until it has taken everything back;
 *  false: it could not, or took too long. Nothing where none runs. */
bool om_site_stop(struct om_site *s);

/**
 * om_site_ask() - one question
 * @s:    started
 * @ask:  as agent.h has them; taken
 * @out:  on success the reply, owned by the caller; may be NULL
 * @err:  sentence for a person, with the name of @s
 *
 * Return: OM_OK; OM_E_STATE when it was refused or the agent is gone.
 */
OM_MUST enum om_err om_site_ask(struct om_site *s, json_t *ask, json_t **out, struct om_error *err);

/** om_site_rpc() - ask the daemon of @s for @method with @params, taken; its result in @out. With
 *  @undo the agent asks for that with the result's id in the end. Return: as om_site_ask(). */
OM_MUST enum om_err om_site_rpc(struct om_site *s, const char *method, json_t *params,
                                const char *undo, json_t **out, struct om_error *err);

/** om_site_run() - run the shell's @command at @s, and in the end @undo (NULL: nothing); what it
 *  said in @out, which may be NULL. Return: as om_site_ask(). */
OM_MUST enum om_err om_site_run(struct om_site *s, const char *command, const char *undo,
                                json_t **out, struct om_error *err);

/** om_site_back() - take back what was changed at @s but for the first @down steps; @err as of
 *  om_site_ask(), and what it returns. */
OM_MUST enum om_err om_site_back(struct om_site *s, unsigned down, struct om_error *err);

#endif

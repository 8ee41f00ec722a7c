/*
 * process_state.h - what process.c and spawner.c share about a process
 *
 * What:  the structure behind struct om_vm_process, and the requests of one that is watched by a
 *        spawner.
 * Why:   who uses a process does not care which of the two watches it.
 */
#ifndef OM_VM_HOST_PROCESS_STATE_H
#define OM_VM_HOST_PROCESS_STATE_H

#include <omerta/list.h>

#include "spawner.h"

struct om_vm_process {
    uv_poll_t poll;
    uv_fs_event_t grown; /* of the log */
    struct om_vm_ident who;
    int pidfd;
    int log;          /* -1: none */
    unsigned handles; /* of the loop that are not closed yet */
    bool has_ended, is_closed;
    void (*on_exit)(void *self, const struct om_vm_exit *how);
    void *self;
    struct om_vm_spawner *via; /* who watches it; NULL: we do, with all of the above */
    uint32_t id;               /* what the spawner knows it by */
    struct om_link link;       /* of the spawner's processes */
};

/**
 * om_vm_spawner_start() - have @p spawned, or adopted
 * @s:    the spawner
 * @p:    new; on success it is the spawner's, and knows who it is
 * @c:    borrowed for the call
 * @who:  whom to adopt; NULL: spawn
 * @err:  sentence for a person; may be NULL
 *
 * Return: as om_vm_process_spawn() and om_vm_process_adopt().
 */
OM_MUST enum om_err om_vm_spawner_start(struct om_vm_spawner *s, struct om_vm_process *p,
                                        const struct om_vm_process_config *c,
                                        const struct om_vm_ident *who, struct om_error *err);

/** om_vm_spawner_signal() - have @signal sent to @p. Return: as om_vm_process_signal(). */
enum om_err om_vm_spawner_signal(struct om_vm_process *p, int signal);

/** om_vm_spawner_forget() - @p is about to be freed. */
void om_vm_spawner_forget(struct om_vm_process *p);

#endif

/*
 * plant.h - what the seed puts into a guest that has no agent of ours
 *
 * What:  files for the seed of a cloud image: our agent and what starts it at each boot, or, where
 *        there is to be none, what says hello once the guest is up.
 * Why:   an image of somebody else's does not tell us when it runs, and cannot run jobs. All that
 *        differs from one guest to the next goes into a file of words that a shell reads; nothing
 *        is pasted into a program.
 * Keeps: plant_starts_the_agent_at_each_boot; plant_without_an_agent_says_hello;
 *        plant_takes_words_only; plant_fits_into_a_seed.
 *
 * cloud-init runs what is in scripts/per-boot when all else is done: the network is up then, keys
 * and users are there, sshd answers.
 *
 * Source: cloudinit.readthedocs.io, "Scripts per boot", "Write files"; vm/guest/main.c has the
 *         protocol.
 */
#ifndef OM_VM_PLANT_H
#define OM_VM_PLANT_H

#include "vm/core/image.h"
#include "vm/core/seed.h"

#define OM_VM_PLANT_FILE "agent" /* of an image: what is planted */

enum { OM_VM_PLANT_TEXT = 512, OM_VM_PLANT_MAX = 128 * 1024 };

/** om_vm_plant_wanted() - does the seed of a guest of @i need this? Not if the image itself starts
 *  an agent: that is then not one of its files. */
bool om_vm_plant_wanted(const struct om_vm_image *i);

/**
 * om_vm_plant() - add the files
 * @seed:   gets up to three files more, which point into @text, @agent and constants
 * @i:      the image
 * @agent:  content of its file OM_VM_PLANT_FILE; none when it has no such file
 * @text:   words of this image; kept as long as @seed
 *
 * Return: OM_OK; OM_E_FULL when the seed has no room; OM_E_PARSE for a name or language that is no
 * word.
 */
OM_MUST enum om_err om_vm_plant(struct om_vm_seed *seed, const struct om_vm_image *i,
                                struct om_bytes agent, char text[static OM_VM_PLANT_TEXT]);

#endif

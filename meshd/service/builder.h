/*
 * builder.h - built-in images, made when one is first asked for
 *
 * What:  runs the builder of images beside the daemon, one build at a time; machines whose image
 *        is not there yet wait for it and pass on what it says.
 * Why:   a provider that was just turned on has no image, and a consumer on another machine cannot
 *        make one there.
 *
 * The builder's input is a pipe of ours: it ends, and all it started, when that closes, so no build
 * outlives the daemon. "omerta image build" takes the same lock, in the cache below HOME/images.
 *
 * Full: one build; other images wait for its end. It has BUILDER_MOST_S; of its lines
 * BUILDER_LINES_MAX are passed on, each shortened to BUILDER_LINE bytes.
 */
#ifndef OM_SERVICE_BUILDER_H
#define OM_SERVICE_BUILDER_H

#include <stdbool.h>

#include <omerta/err.h>

enum { BUILDER_MOST_S = 20 * 60, BUILDER_LINES_MAX = 64, BUILDER_LINE = 80 };

struct om_vm_image;
struct service_vm;
struct vms;

/** builder_find() - where the builder of @s is, if it is installed; before the spawner starts. */
void builder_find(struct vms *s);

/**
 * builder_describe() - an image that is not there, but can be made
 * @s:     the hub
 * @name:  of it
 * @out:   as far as that is known before; has no files
 *
 * Return: false when it is none of the built-in ones, or there is no builder.
 */
bool builder_describe(const struct vms *s, const char *name, struct om_vm_image *out);

/** builder_name() - the @i-th image that the builder of @s can make; NULL: there are no more. */
const char *builder_name(const struct vms *s, unsigned i);

/** builder_want() - @v waits for its image; what is prepared then is prepare.c's business. */
void builder_want(struct service_vm *v);

/** builder_forget() - @v does not wait any more; false when it did not. The build goes on. */
bool builder_forget(struct service_vm *v);

/** builder_close() - a build of @s that is under way is ended. */
void builder_close(struct vms *s);

#endif

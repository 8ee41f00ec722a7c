/*
 * image.h - what the files about "omerta image" share
 *
 * What:  where the builder's programs are and where an image lies; adding one and removing one.
 * Why:   making and looking at images is one file, changing which there are another.
 */
#ifndef OM_CLI_IMAGE_H
#define OM_CLI_IMAGE_H

#include "commands.h"

/** om_image_tool() - path of the file @name of the image builder in @out; false: not installed. */
bool om_image_tool(const char *name, char out[static OM_PATH_MAX]);

/** om_image_place() - HOME/images of @cli, and @name in it unless that is NULL, in @out; false,
 *  after it was said, when it is no path. */
bool om_image_place(struct om_cli *cli, const char *name, char out[static OM_PATH_MAX]);

/** om_image_folder() - make HOME/images of @cli, in @out; false after it was said. */
bool om_image_folder(struct om_cli *cli, char out[static OM_PATH_MAX]);

/** om_image_add() - a disk becomes the image @name in the home of @cli. */
enum om_exit om_image_add(struct om_cli *cli, const char *name);

/** om_image_remove() - the image @name goes from the home of @cli, unless a machine uses it. */
enum om_exit om_image_remove(struct om_cli *cli, const char *name);

#endif

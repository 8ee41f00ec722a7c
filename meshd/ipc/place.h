/*
 * place.h - where a home and its sockets are
 *
 * What:  the paths that the daemon and the command line must agree on.
 * Why:   one place decides, so that `omerta status` asks the daemon that `omerta up` started.
 * Keeps: place_home_follows_the_environment; place_runtime_is_of_one_home;
 *        place_refuses_a_path_too_long_for_a_socket.
 *
 * Home: --home, else $OMERTA_HOME, else $HOME/.omerta. Sockets: in $XDG_RUNTIME_DIR/omerta when the
 * home is the default one, else in the home itself: two homes never share a socket.
 */
#ifndef OM_IPC_PLACE_H
#define OM_IPC_PLACE_H

#include <omerta/err.h>

enum { OM_PATH_MAX = 4096, OM_SOCKET_PATH_MAX = 108 /* sun_path of unix(7) with its zero */ };

struct om_place {
    char home[OM_PATH_MAX];           /* absolute */
    char control[OM_SOCKET_PATH_MAX]; /* JSON-RPC */
    char data[OM_SOCKET_PATH_MAX];    /* channels and streams of local programs */
    char metrics[OM_SOCKET_PATH_MAX]; /* Prometheus text */
    char runtime[OM_SOCKET_PATH_MAX]; /* the folder of the sockets */
};

/**
 * om_place_find() - the paths of a home
 * @out:   filled on success
 * @home:  what --home said; NULL: the environment decides
 * @err:   sentence for a person; may be NULL
 *
 * Nothing is created or looked at, except that a relative @home is taken from the working folder.
 *
 * Return: OM_OK; OM_E_MISSING when neither OMERTA_HOME nor HOME is set; OM_E_RANGE when a path is
 * too long.
 */
OM_MUST enum om_err om_place_find(struct om_place *out, const char *home, struct om_error *err);

#endif

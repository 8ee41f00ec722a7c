/*
 * close.h - why a session, a stream or a call ends
 *
 * What:  the codes that travel with CLOSE, STREAM_RESET and STREAM_STOP.
 * Why:   a number that both sides know can be counted and acted upon; a sentence cannot.
 *
 * Source: PROTOCOL section 4, Codes.
 */
#ifndef OMERTA_CLOSE_H
#define OMERTA_CLOSE_H

enum om_close_code {
    OM_CLOSE_DONE = 0,
    OM_CLOSE_RESTARTED = 1,
    OM_CLOSE_REFUSED = 2,
    OM_CLOSE_LIMIT = 3,
    OM_CLOSE_PROTOCOL = 4,
    OM_CLOSE_REVOKED = 5,
    OM_CLOSE_CANCELLED = 6
};

#endif

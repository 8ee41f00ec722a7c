/*
 * sent_frame.h - what a sender remembers of a frame until its packet's fate is known
 *
 * What:  enough of a STREAM, STREAM_CREDIT, STREAM_RESET or STREAM_STOP to send it again; which of
 *        its words a node has to say again.
 * Why:   the streams write frames, loss recovery learns what became of the packets: this is all
 *        that one has to know of the other.
 *
 * Source: RFC 9000 section 13.3.
 */
#ifndef OM_STREAM_SENT_FRAME_H
#define OM_STREAM_SENT_FRAME_H

#include <stdint.h>

enum { OM_SENT_FRAMES_MAX = 4 }; /* frames of one packet that somebody wants to hear about */

enum om_sent_kind {
    OM_SENT_STREAM,
    OM_SENT_CREDIT,
    OM_SENT_RESET,
    OM_SENT_STOP,
    OM_SENT_WORD /* of the node, which no stream has */
};

enum { OM_SENT_FIN = 1 }; /* flag of STREAM */

struct om_sent_frame {
    uint64_t
        offset; /* STREAM: of the first byte; CREDIT: the value; RESET: final size; WORD: which */
    uint32_t stream; /* 0: the session's CREDIT */
    uint16_t len;    /* STREAM: bytes of data */
    uint8_t kind;    /* enum om_sent_kind */
    uint8_t flags;
};

#endif

/*
 * parts.h - what the files of this folder share
 *
 * What:  connections, calls that wait for a program, streams that were joined.
 * Why:   one file per thing a connection can become; here they meet.
 */
#ifndef OM_DATA_PARTS_H
#define OM_DATA_PARTS_H

#include <jansson.h>

#include "data/data.h"
#include "ipc/line.h"
#include "tunnel/host/splice.h"

enum {
    DATA_LINE_MAX = 64 * 1024, /* bytes of the first line */
    DATA_READ = 16 * 1024,     /* bytes read at once */
    DATA_FROM_MAX = 64,        /* peers that one listener names */
    DATA_NAME_MAX = 24,        /* bytes of a stream's name */
    DATA_CHANNEL_MAX = OM_CHANNEL_MAX - 4,
    DATA_TAKE_MS = 10000,
    DATA_CAPTURE_ROOM = 1024 * 1024,
    DATA_FRAME_HEAD = 2 + OM_ID_BYTES /* length, key */
};

enum data_state { DATA_GREETING, DATA_CALLING, DATA_LISTENING, DATA_CHANNEL };

/* Who is let in. */
struct data_from {
    bool is_everybody;
    unsigned count;
    struct om_id peers[DATA_FROM_MAX];
};

struct data_conn {
    struct om_link link;
    struct data *data;
    struct om_socket *socket;
    enum data_state state;
    struct om_line in;
    struct om_call_owner owner;                    /* CALLING */
    struct om_id network, peer;                    /* peer: CALLING, or of a call taken */
    char name[OM_METHOD_MAX + 1];                  /* LISTENING: a method; CHANNEL: a channel */
    struct data_from from;                         /* LISTENING and CHANNEL */
    uint8_t frame[OM_DGRAM_MAX + DATA_FRAME_HEAD]; /* CHANNEL: begun by the program */
    size_t frame_n;
    unsigned waiting; /* LISTENING: its calls that nobody took yet */
    bool is_framed;   /* CALLING, or a call taken: what the stream brings comes in frames */
    char *rest;       /* CHANNEL: what the socket did not take of a datagram; owned by the write */
    uv_write_t write;
};

/* A peer's call that no program has taken yet. */
struct data_waiting {
    struct om_link link;
    struct data *data;
    struct om_call_owner owner;
    struct data_conn *listener; /* it turns away its calls before it leaves */
    uint64_t number;
    struct om_id peer;
    uv_timer_t timer;
};

struct data_stream {
    struct om_link link;
    struct data *data;
    struct om_splice *splice;
};

struct data {
    struct om_daemon *d;
    uv_pipe_t listener;
    struct om_list conns, waiting, streams, captures;
    unsigned conn_count, waiting_count, stream_count, capture_count;
    uint64_t numbers;
    char buffer[DATA_READ];
    bool is_bound; /* the file at the place of the data socket is ours to remove */
};

/* server.c */

/** data_say() - send @o (taken) as one line to @c; false when the socket takes no more. */
bool data_say(struct data_conn *c, json_t *o);

/** data_refuse() - tell @c the name of an @error and a @sentence about it, and end it. */
void data_refuse(struct data_conn *c, const char *error, const char *sentence);

/** data_fail() - tell @c about @err and end it. */
void data_fail(struct data_conn *c, const struct om_error *err);

/** data_drop() - end @c. */
void data_drop(struct data_conn *c);

/** data_join() - @c becomes the stream of @owner's accepted call; @c is gone then. */
void data_join(struct data_conn *c, struct om_call_owner *owner);

/** data_read() - hear @c; what it says goes to data_channel_input(), or is ignored. */
bool data_read(struct data_conn *c);

/** data_name() - the name of the thing that @words wants, at most @max bytes, by @key; NULL and
 *  @err. */
const char *data_name(const json_t *words, const char *key, size_t max, struct om_error *err);

/* capture.c */

/** data_capture() - @c becomes what the machine that @words names sends and gets, as a file of
 *  pcap; @c is gone then. */
void data_capture(struct data_conn *c, const json_t *words);

/** data_end_captures() - end all of @s. */
void data_end_captures(struct data *s);

/* listen.c */

/** data_from_read() - who @words lets in on @c; false and @err when a peer is not known. */
bool data_from_read(struct data_conn *c, json_t *words, struct om_error *err);

/** data_from_has() - is @peer let in by @from? */
bool data_from_has(const struct data_from *from, const struct om_id *peer);

/** data_listen() - @c wants to be a listener as @words say. */
void data_listen(struct data_conn *c, json_t *words);

/** data_take() - @c wants to be the stream of a call that waits, as @words say. */
void data_take(struct data_conn *c, json_t *words);

/** data_turn_away() - @c refuses a call that waits, as @words say, and ends. */
void data_turn_away(struct data_conn *c, json_t *words);

/** data_unlisten() - listener @c leaves: calls for it are refused. */
void data_unlisten(struct data_conn *c);

/* stream.c */

/** data_ready() - what @c is told when it becomes a stream; NULL: no memory. */
json_t *data_ready(const struct data_conn *c);

/** data_dial() - @c wants to be a stream to a peer as @words say. */
void data_dial(struct data_conn *c, json_t *words);

/** data_open_call() - @c, whose network and peer are set, becomes the stream of a call of @method
 *  with @args, taken, at @priority. */
void data_open_call(struct data_conn *c, const char *method, json_t *args,
                    enum om_priority priority);

/* job.c */

/** data_job() - @c wants to be the stream of a job as @words say. */
void data_job(struct data_conn *c, json_t *words);

/* link.c */

/** data_link() - @c wants to be a link as @words say; it is gone then. */
void data_link(struct data_conn *c, json_t *words);

/* channel.c */

/** data_channel() - @c wants to be a channel as @words say. */
void data_channel(struct data_conn *c, json_t *words);

/** data_channel_input() - @bytes from the program of channel @c. */
void data_channel_input(struct data_conn *c, struct om_bytes bytes);

#endif

/*
 * message.h - DNS messages: the question, a walk over records, and short answers
 *
 * What:  reads the one question of a message and walks its records; ages their TTLs in place;
 *        writes answers of addresses, names, and refusals.
 * Why:   names are forwarded, cached and answered here without a resolver's whole language.
 * Keeps: dns_reads_a_question; dns_refuses_bad_questions; dns_names_are_bounded;
 *        dns_walks_every_record; dns_ages_ttls; dns_reply_is_what_was_asked; dns_reply_is_cut;
 *        dns_cuts_what_does_not_fit;
 *        dns_answer_must_be_the_questions; dns_writes_a_question_anew; dns_says_why;
 *        dns_refuses_what_it_cannot_read.
 *
 * A name is kept in its wire form without compression and in the case in which it came: resolvers
 * mix the case to make forgeries harder, and want it back.
 *
 * Source: RFC 1035 section 4; RFC 2308 section 5 (negative answers); RFC 6891 (EDNS0); RFC 5452
 *         section 9 (what an answer must repeat); RFC 8914 (errors in words).
 */
#ifndef OM_DNS_MESSAGE_H
#define OM_DNS_MESSAGE_H

#include <stdbool.h>

#include <omerta/addr.h>
#include <omerta/bytes.h>
#include <omerta/wire.h>

enum {
    OM_DNS_HEAD = 12,
    OM_DNS_NAME_MAX = 255, /* bytes, the root's included */
    OM_DNS_LABEL_MAX = 63,
    OM_DNS_UDP_LEAST = 512,   /* answers over UDP without EDNS0 */
    OM_DNS_UDP_MAX = 1232,    /* what we take of an EDNS0 size: no fragments on any path */
    OM_DNS_RECORDS_MAX = 512, /* of one message */
    OM_DNS_WHY_MAX = 160      /* bytes of an error in words; more is cut */
};

enum {
    OM_DNS_A = 1,
    OM_DNS_SOA = 6,
    OM_DNS_PTR = 12,
    OM_DNS_TXT = 16,
    OM_DNS_AAAA = 28,
    OM_DNS_OPT = 41,
    OM_DNS_ANY = 255,
    OM_DNS_IN = 1 /* class */
};

/* Flags of the head; the lowest four bits are the rcode. */
enum {
    OM_DNS_QR = 0x8000,
    OM_DNS_OPCODE = 0x7800,
    OM_DNS_AA = 0x0400,
    OM_DNS_TC = 0x0200,
    OM_DNS_RD = 0x0100,
    OM_DNS_RA = 0x0080,
    OM_DNS_AD = 0x0020,
    OM_DNS_CD = 0x0010,
    OM_DNS_RCODE = 0x000f
};

enum om_dns_rcode {
    OM_DNS_NOERROR = 0,
    OM_DNS_FORMERR = 1,
    OM_DNS_SERVFAIL = 2,
    OM_DNS_NXDOMAIN = 3,
    OM_DNS_NOTIMP = 4,
    OM_DNS_REFUSED = 5
};

enum om_dns_bad {
    OM_DNS_BAD_NONE,
    OM_DNS_BAD_SHORT,  /* ends before what it promises */
    OM_DNS_BAD_KIND,   /* an answer where a question is wanted or the reverse; another opcode */
    OM_DNS_BAD_COUNT,  /* not one question, or more records than OM_DNS_RECORDS_MAX */
    OM_DNS_BAD_NAME,   /* too long, a label of no known kind, or a pointer that does not go back */
    OM_DNS_BAD_RECORD, /* out of place: a second OPT, or one with a name */
    OM_DNS_BADS
};

struct om_dns_name {
    uint8_t b[OM_DNS_NAME_MAX];
    uint8_t n; /* 1 for the root */
};

struct om_dns_question {
    uint16_t id, flags;
    struct om_dns_name name;
    uint16_t type, klass;
    bool has_edns, is_dnssec; /* EDNS0, and its DO */
    uint16_t udp_max;         /* 0 without EDNS0 */
};

struct om_dns_record {
    unsigned section; /* 1 answer, 2 authority, 3 additional */
    struct om_dns_name name;
    uint16_t type, klass;
    uint32_t ttl;
    size_t ttl_at;        /* offset in the message */
    struct om_bytes data; /* lent; names in it may be compressed */
};

/* Read freely; write only through om_dns_walk_*(). */
struct om_dns_walk {
    struct om_bytes whole;
    struct om_rd r;
    unsigned section;
    uint16_t left[4]; /* records of each section */
    enum om_dns_bad bad;
};

/* What to answer. Zeroed: no error, no data. */
struct om_dns_reply {
    enum om_dns_rcode rcode;
    bool is_ours;                /* authoritative; then nothing found gets an SOA of @apex */
    const char *apex;            /* one label; of @is_ours */
    uint32_t ttl;                /* seconds */
    const struct om_addr *addrs; /* those of the asked family are answered */
    unsigned n_addrs;
    const struct om_dns_name *ptr; /* answers a PTR question; may be NULL */
    const char *txt;               /* answers a TXT question, up to 255 bytes; may be NULL */
    const char *why; /* of an error, for people whose program has EDNS0; may be NULL */
    bool is_cut;     /* nothing but TC: ask again over TCP */
};

/**
 * om_dns_question_parse() - read a query
 * @out:  filled on success, untouched otherwise
 * @in:   a message: QR clear, opcode QUERY, one question, no records but one OPT and what else
 *        stands in the additional section (signatures), which is walked and left
 *
 * Return: OM_DNS_BAD_NONE, or why it is no query.
 */
OM_MUST enum om_dns_bad om_dns_question_parse(struct om_dns_question *out, struct om_bytes in);

/**
 * om_dns_walk_start() - read the head and the question of any message
 * @w:         the walk; om_dns_walk_next() may follow
 * @question:  as in the message, EDNS0 not looked for; untouched on failure
 * @in:        the message; borrowed for the walk
 *
 * Return: OM_DNS_BAD_NONE, or why it is no message.
 */
OM_MUST enum om_dns_bad om_dns_walk_start(struct om_dns_walk *w, struct om_dns_question *question,
                                          struct om_bytes in);

/** om_dns_walk_next() - the next record to @out; false at the end of @w, or when @w->bad is set. */
bool om_dns_walk_next(struct om_dns_walk *w, struct om_dns_record *out);

/**
 * om_dns_name_read() - a name where a cursor stands
 * @out:    uncompressed
 * @r:      inside @whole; behind the name then
 * @whole:  the message, to which pointers refer; each must point before the name that it ends
 *
 * Return: OM_DNS_BAD_NONE, OM_DNS_BAD_SHORT or OM_DNS_BAD_NAME.
 */
OM_MUST enum om_dns_bad om_dns_name_read(struct om_dns_name *out, struct om_rd *r,
                                         struct om_bytes whole);

/**
 * om_dns_name_from() - "peer.network.omerta" as a name
 * @out:   untouched on failure
 * @text:  terminated; labels of 1 to 63 bytes with dots between them; no escapes
 *
 * Return: whether it is one.
 */
OM_MUST bool om_dns_name_from(struct om_dns_name *out, const char *text);

/** om_dns_name_same() - @a and @b are one name, whatever the case of their letters. */
bool om_dns_name_same(const struct om_dns_name *a, const struct om_dns_name *b);

/**
 * om_dns_is_answer() - does a message answer this question?
 * @q:   what was asked, id and case included
 * @in:  what came
 *
 * Return: true when it is an answer with the same id, name (bit for bit), type and class.
 */
bool om_dns_is_answer(const struct om_dns_question *q, struct om_bytes in);

/**
 * om_dns_age() - lower the TTLs of a message
 * @message:  changed in place; the OPT has no TTL and keeps what stands there
 * @seconds:  how old it is; a TTL does not fall below 0
 * @max:      no TTL is left above this
 *
 * Return: OM_DNS_BAD_NONE, or why it is no message: some TTLs are changed then.
 */
enum om_dns_bad om_dns_age(struct om_mut message, uint32_t seconds, uint32_t max);

/**
 * om_dns_question_write() - a query that asks the same, and nothing else
 * @out:  OM_DNS_UDP_LEAST bytes hold any
 * @q:    the question; its RD, AD, CD and DO are kept, with OM_DNS_UDP_MAX for an answer
 *
 * Return: bytes written; 0 when it did not fit.
 */
size_t om_dns_question_write(struct om_mut out, const struct om_dns_question *q);

/** om_dns_room() - bytes that an answer to @q may have over UDP. */
size_t om_dns_room(const struct om_dns_question *q);

/**
 * om_dns_reply_write() - an answer
 * @out:  its size is what the answer may have; OM_DNS_UDP_LEAST bytes hold any question with its
 *        OPT, so at worst the answer is an empty one with TC
 * @q:    the question
 * @r:    the answer
 *
 * Return: bytes written; 0 when not even that fitted.
 */
size_t om_dns_reply_write(struct om_mut out, const struct om_dns_question *q,
                          const struct om_dns_reply *r);

/**
 * om_dns_cut() - what of an answer goes to a program over UDP
 * @room:    OM_DNS_UDP_LEAST bytes or more
 * @q:       its question
 * @answer:  the whole answer, OM_DNS_HEAD bytes or more
 *
 * Return: @answer when @q has room for it; else a message in @room that has nothing but TC and the
 * answer's code, so that it is asked for again over TCP.
 */
struct om_bytes om_dns_cut(struct om_mut room, const struct om_dns_question *q,
                           struct om_bytes answer);

/**
 * om_dns_refusal_write() - an answer to what om_dns_question_parse() did not take
 * @out:  OM_DNS_HEAD bytes or more
 * @in:   what came
 *
 * Return: bytes written: a head with FORMERR or NOTIMP; 0 when @in is no query at all, so that two
 * programs never refuse each other for ever.
 */
size_t om_dns_refusal_write(struct om_mut out, struct om_bytes in);

#endif

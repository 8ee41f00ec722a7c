/* socks5.c - three messages of the client, each as long as its own first bytes say. */
#include "socks5.h"

#include "proxy_auth.h"
#include "proxy_state.h"

enum { GREETING, SECRET, REQUEST };                   /* om_proxy.stage */
enum { NO_AUTH = 0x00, USER = 0x02, NOTHING = 0xff }; /* methods, section 3 */
enum { CONNECT = 1, BIND = 2, UDP_ASSOCIATE = 3 };
enum { SECRET_VERSION = 1, SECRET_OK = 0, SECRET_WRONG = 1 };
enum { FAILURE = 0x01, NO_COMMAND = 0x07, NO_ATYP = 0x08 }; /* replies, section 6 */
enum { SOCKS4_REJECTED = 91, SOCKS4_REPLY = 8 };
enum { HEAD = 4, REPLY_MAX = HEAD + 16 + 2 };

static const uint8_t reply_codes[] = {
#define X(name, socks, status, phrase, text) socks,
    OM_PROXY_RESULTS(X)
#undef X
};

bool om_socks5_read_target(struct om_rd *r, struct om_target *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct om_bytes name = {0};
    struct om_addr a = {0};
    uint8_t kind = om_rd_u8(r);

    if (kind == OM_SOCKS5_V4) {
        memcpy(a.ip, mapped, sizeof mapped);
        om_rd_copy(r, a.ip + sizeof mapped, 4);
    } else if (kind == OM_SOCKS5_V6) {
        om_rd_copy(r, a.ip, sizeof a.ip);
    } else if (kind == OM_SOCKS5_NAME) {
        name = om_rd_bytes(r, om_rd_u8(r));
    } else {
        return false;
    }
    a.port = om_rd_u16(r);
    if (r->bad)
        return false;
    if (kind == OM_SOCKS5_NAME)
        return om_target_from_text(out, name, a.port);
    *out = om_target_from_addr(&a);
    return true;
}

void om_socks5_write_target(struct om_wr *w, const struct om_target *t)
{
    size_t n = strlen(t->host);

    if (t->is_name) {
        om_wr_u8(w, OM_SOCKS5_NAME);
        om_wr_u8(w, (uint8_t)n);
        om_wr_copy(w, t->host, n);
    } else if (om_addr_is_v4(&t->addr)) {
        om_wr_u8(w, OM_SOCKS5_V4);
        om_wr_copy(w, t->addr.ip + 12, 4);
    } else {
        om_wr_u8(w, OM_SOCKS5_V6);
        om_wr_copy(w, t->addr.ip, sizeof t->addr.ip);
    }
    om_wr_u16(w, t->addr.port);
}

static void put_reply(struct om_proxy *p, uint8_t code, const struct om_addr *bound)
{
    struct om_addr nowhere = om_addr_v4(0, 0);
    struct om_target at = om_target_from_addr(bound ? bound : &nowhere);
    uint8_t reply[REPLY_MAX];
    struct om_wr w = om_wr(om_mut(reply, sizeof reply));

    om_wr_u8(&w, OM_SOCKS5_VERSION);
    om_wr_u8(&w, code);
    om_wr_u8(&w, 0);
    om_socks5_write_target(&w, &at);
    om_proxy_put(p, om_bytes(reply, om_wr_len(&w)));
}

void om_socks5_answer(struct om_proxy *p, enum om_proxy_result r, const struct om_addr *bound)
{
    put_reply(p, reply_codes[r], r == OM_PROXY_OK ? bound : NULL);
}

void om_socks4_refuse(struct om_proxy *p)
{
    static const uint8_t reply[SOCKS4_REPLY] = {[1] = SOCKS4_REJECTED};

    om_proxy_put(p, om_bytes(reply, sizeof reply));
    om_proxy_fail(p, "SOCKS4: want SOCKS5");
}

static void refuse(struct om_proxy *p, uint8_t code, const char *why)
{
    put_reply(p, code, NULL);
    om_proxy_fail(p, why);
}

static void say(struct om_proxy *p, uint8_t version, uint8_t what)
{
    const uint8_t reply[] = {version, what};

    om_proxy_put(p, om_bytes(reply, sizeof reply));
}

/* One of the client's methods is the one that we want, or it may go. */
static void greeting(struct om_proxy *p, struct om_rd *r)
{
    uint8_t wanted = om_proxy_auth_is_on(p->config) ? USER : NO_AUTH;

    (void)om_rd_u8(r); /* the version: by it the protocol was recognized */
    struct om_bytes methods = om_rd_bytes(r, om_rd_u8(r));
    for (size_t i = 0; i < methods.n; i++)
        if (methods.p[i] == wanted) {
            say(p, OM_SOCKS5_VERSION, wanted);
            p->stage = wanted == USER ? SECRET : REQUEST;
            return;
        }
    say(p, OM_SOCKS5_VERSION, NOTHING);
    om_proxy_fail(p, wanted == USER ? "SOCKS5: the client offers no user and password"
                                    : "SOCKS5: the client insists on authentication");
}

static void secret(struct om_proxy *p, struct om_rd *r)
{
    uint8_t version = om_rd_u8(r);
    struct om_bytes user = om_rd_bytes(r, om_rd_u8(r));
    struct om_bytes password = om_rd_bytes(r, om_rd_u8(r));
    bool fits = version == SECRET_VERSION && om_proxy_auth_check(p->config, user, password);

    say(p, SECRET_VERSION, fits ? SECRET_OK : SECRET_WRONG);
    if (fits)
        p->stage = REQUEST;
    else
        om_proxy_fail(p, "SOCKS5: wrong user or password");
}

static void request(struct om_proxy *p, struct om_rd *r)
{
    uint8_t version = om_rd_u8(r), command = om_rd_u8(r), rsv = om_rd_u8(r);
    bool is_connect = command == CONNECT, is_udp = command == UDP_ASSOCIATE;
    struct om_rd ahead = *r;
    uint8_t kind = om_rd_u8(&ahead);

    if (version != OM_SOCKS5_VERSION || rsv != 0)
        refuse(p, FAILURE, "SOCKS5: a request with another version, or RSV not 0");
    else if (!is_connect && !is_udp)
        refuse(p, NO_COMMAND, "SOCKS5: want CONNECT or UDP ASSOCIATE");
    else if (is_udp && !p->config->allow_udp)
        refuse(p, NO_COMMAND, "SOCKS5: UDP is not allowed on this port");
    else if (kind != OM_SOCKS5_V4 && kind != OM_SOCKS5_NAME && kind != OM_SOCKS5_V6)
        refuse(p, NO_ATYP, "SOCKS5: want an IPv4 or IPv6 address or a name");
    else if (!om_socks5_read_target(r, &p->target))
        refuse(p, FAILURE, "SOCKS5: what should be a host name is none");
    else if (is_connect && p->target.addr.port == 0)
        refuse(p, FAILURE, "SOCKS5: port 0");
    else
        p->state = is_udp ? OM_PROXY_WANTS_UDP : OM_PROXY_WANTS_CONNECT;
}

/* How long the message is that begins with what there is, as far as it can be known yet: asked
 * again whenever that many bytes are there. */
static size_t message_bytes(const struct om_proxy *p)
{
    struct om_rd r = om_rd(om_bytes(p->in, p->in_n));
    size_t head = p->stage == REQUEST ? HEAD - 1 : 1, known = head + 1;

    if (p->in_n < known)
        return known;
    (void)om_rd_take(&r, head);
    uint8_t next = om_rd_u8(&r);
    if (p->stage == GREETING)
        return known + next;
    if (p->stage == SECRET) {
        known += (size_t)next + 1;
        (void)om_rd_take(&r, next);
        return p->in_n < known ? known : known + om_rd_u8(&r);
    }
    switch (next) {
    case OM_SOCKS5_V4:
        return known + 4 + 2;
    case OM_SOCKS5_V6:
        return known + 16 + 2;
    case OM_SOCKS5_NAME:
        known++;
        return p->in_n < known ? known : known + om_rd_u8(&r) + 2;
    default:
        return known; /* refused without knowing where it ends */
    }
}

static void message(struct om_proxy *p)
{
    static void (*const read[])(struct om_proxy *, struct om_rd *) = {
        [GREETING] = greeting, [SECRET] = secret, [REQUEST] = request};
    struct om_rd r = om_rd(om_bytes(p->in, p->in_n));

    read[p->stage](p, &r);
    om_proxy_forget(p);
}

size_t om_socks5_input(struct om_proxy *p, struct om_bytes in)
{
    struct om_rd r = om_rd(in);

    while (p->state == OM_PROXY_NEED_MORE) {
        size_t wanted = message_bytes(p), left = om_rd_left(&r);
        if (p->in_n == wanted) {
            message(p);
            continue;
        }
        size_t n = wanted - p->in_n < left ? wanted - p->in_n : left;
        if (n == 0)
            break;
        om_rd_copy(&r, p->in + p->in_n, n);
        p->in_n += n;
    }
    return in.n - om_rd_left(&r);
}

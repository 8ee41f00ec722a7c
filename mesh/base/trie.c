/*
 * trie.c - path-compressed binary trie in one array of nodes
 *
 * A node without a value always has two children; so n entries make at most 2n - 1 nodes, and
 * going down to the left ends at a value.
 */
#include <omerta/trie.h>

#include <stdlib.h>

enum { TRIE_FIRST_CAP = 16 };

/* A prefix as two numbers: comparing them compares addresses. Bits after the prefix are zero. */
struct prefix {
    uint64_t hi;
    uint64_t lo;
    unsigned bits;
};

struct om_trie_node {
    struct prefix p;
    uint32_t child[2]; /* by the first bit after the prefix; child[0] of a freed place: the next */
    void *value;       /* NULL = only a fork */
};

static uint64_t get64(const uint8_t *from)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | from[i];
    return v;
}

static void put64(uint8_t *to, uint64_t v)
{
    for (unsigned i = 8; i-- > 0; v >>= 8)
        to[i] = (uint8_t)v;
}

/* The first @bits ones of 64. */
static uint64_t ones(unsigned bits)
{
    return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
}

static struct prefix cut(struct prefix p, unsigned bits)
{
    return (struct prefix){p.hi & ones(bits), bits > 64 ? p.lo & ones(bits - 64) : 0, bits};
}

static struct prefix prefix_of(const uint8_t *ip, unsigned bits)
{
    return cut((struct prefix){get64(ip), get64(ip + 8), OM_TRIE_BITS}, bits);
}

/* How many leading bits both share, at most the length of the shorter one. */
static unsigned common(const struct prefix *a, const struct prefix *b)
{
    unsigned least = a->bits < b->bits ? a->bits : b->bits;
    unsigned same = OM_TRIE_BITS;

    if (a->hi != b->hi)
        same = (unsigned)__builtin_clzll(a->hi ^ b->hi);
    else if (a->lo != b->lo)
        same = 64 + (unsigned)__builtin_clzll(a->lo ^ b->lo);
    return same < least ? same : least;
}

/* Bit @i of the address, @i below 128, counted from the front. */
static unsigned bit_at(const struct prefix *p, unsigned i)
{
    return (unsigned)(i < 64 ? p->hi >> (63 - i) : p->lo >> (127 - i)) & 1;
}

static bool is_after(const struct prefix *a, const struct prefix *b)
{
    if (a->hi != b->hi)
        return a->hi > b->hi;
    if (a->lo != b->lo)
        return a->lo > b->lo;
    return a->bits > b->bits;
}

enum om_err om_trie_init(struct om_trie *t, unsigned max_entries)
{
    *t = (struct om_trie){0};
    if (max_entries == 0 || max_entries > OM_TRIE_MAX)
        return OM_E_RANGE;
    t->max = max_entries;
    return OM_OK;
}

void om_trie_fini(struct om_trie *t)
{
    free(t->nodes);
    *t = (struct om_trie){0};
}

/* An entry may need two nodes; places freed earlier are used first. */
static bool has_room(struct om_trie *t)
{
    uint32_t left = t->cap - t->used;

    if (t->spare)
        left += t->nodes[t->spare].child[0] ? 2 : 1;
    if (t->nodes && left >= 2)
        return true;
    uint32_t cap = t->cap ? 2 * t->cap : TRIE_FIRST_CAP;
    struct om_trie_node *nodes = realloc(t->nodes, cap * sizeof *nodes);
    if (!nodes)
        return false;
    if (t->used == 0)
        t->used = 1; /* place 0 stays empty: it is the name of none */
    t->nodes = nodes;
    t->cap = cap;
    return true;
}

static uint32_t make_node(struct om_trie *t, struct prefix p, void *value)
{
    uint32_t n = t->spare;

    if (n)
        t->spare = t->nodes[n].child[0];
    else
        n = t->used++;
    t->nodes[n] = (struct om_trie_node){.p = p, .value = value};
    return n;
}

static void free_node(struct om_trie *t, uint32_t n)
{
    t->nodes[n].child[0] = t->spare;
    t->spare = n;
}

/* Where a node's name is written: in its parent, or in the root. */
static uint32_t *link_to(struct om_trie *t, uint32_t parent, const struct prefix *p)
{
    return parent ? &t->nodes[parent].child[bit_at(p, t->nodes[parent].p.bits)] : &t->root;
}

enum om_err om_trie_put(struct om_trie *t, const uint8_t ip[static 16], unsigned bits, void *value)
{
    uint32_t n = t->root, parent = 0;
    unsigned same = 0;

    OM_BUG_IF(!value);
    if (bits > OM_TRIE_BITS)
        return OM_E_RANGE;
    struct prefix p = prefix_of(ip, bits);

    for (; n; parent = n, n = *link_to(t, n, &p)) {
        same = common(&p, &t->nodes[n].p);
        if (same < t->nodes[n].p.bits || same == bits)
            break;
    }
    bool is_there = n && t->nodes[n].p.bits == bits && same == bits;
    if (is_there && t->nodes[n].value)
        return OM_E_EXISTS;
    if (t->count == t->max)
        return OM_E_FULL;
    if (!is_there && !has_room(t))
        return OM_E_NO_MEM;
    t->count++;
    if (is_there) {
        t->nodes[n].value = value;
        return OM_OK;
    }
    uint32_t made = make_node(t, p, value);
    uint32_t top = made;

    if (n) { /* it shares only @same bits with node n: one of them, or a fork, goes on top */
        if (same < bits) {
            top = make_node(t, cut(p, same), NULL);
            t->nodes[top].child[bit_at(&p, same)] = made;
        }
        t->nodes[top].child[bit_at(&t->nodes[n].p, same)] = n;
    }
    *link_to(t, parent, &p) = top;
    return OM_OK;
}

/* The node of exactly @p, 0 if there is none; *@parent and *@grand are the ones above it. */
static uint32_t find_exact(const struct om_trie *t, const struct prefix *p, uint32_t *parent,
                           uint32_t *grand)
{
    uint32_t n = t->root;

    *parent = *grand = 0;
    while (n && t->nodes[n].p.bits < p->bits) {
        *grand = *parent;
        *parent = n;
        n = t->nodes[n].child[bit_at(p, t->nodes[n].p.bits)];
    }
    if (!n || t->nodes[n].p.bits != p->bits || common(p, &t->nodes[n].p) != p->bits)
        return 0;
    return n;
}

void *om_trie_remove(struct om_trie *t, const uint8_t ip[static 16], unsigned bits)
{
    uint32_t parent, grand;

    if (bits > OM_TRIE_BITS)
        return NULL;
    struct prefix p = prefix_of(ip, bits);
    uint32_t n = find_exact(t, &p, &parent, &grand);
    if (!n)
        return NULL;
    struct om_trie_node *node = &t->nodes[n];
    void *value = node->value;
    if (!value)
        return NULL;
    node->value = NULL;
    t->count--;
    if (node->child[0] && node->child[1])
        return value; /* it stays as a fork */
    *link_to(t, parent, &p) = node->child[0] ? node->child[0] : node->child[1];
    free_node(t, n);
    if (parent && !t->nodes[parent].value) {
        const uint32_t *child = t->nodes[parent].child;

        if (!child[0] || !child[1]) { /* a fork that lost one of its two ways */
            *link_to(t, grand, &p) = child[0] ? child[0] : child[1];
            free_node(t, parent);
        }
    }
    return value;
}

void *om_trie_exact(const struct om_trie *t, const uint8_t ip[static 16], unsigned bits)
{
    uint32_t parent, grand;

    if (bits > OM_TRIE_BITS)
        return NULL;
    struct prefix p = prefix_of(ip, bits);
    uint32_t n = find_exact(t, &p, &parent, &grand);
    return n ? t->nodes[n].value : NULL;
}

void *om_trie_find(const struct om_trie *t, const uint8_t ip[static 16])
{
    struct prefix p = prefix_of(ip, OM_TRIE_BITS);
    void *best = NULL;

    for (uint32_t n = t->root; n;) {
        const struct om_trie_node *node = &t->nodes[n];

        if (common(&p, &node->p) < node->p.bits)
            break;
        if (node->value)
            best = node->value;
        if (node->p.bits == OM_TRIE_BITS)
            break;
        n = node->child[bit_at(&p, node->p.bits)];
    }
    return best;
}

/* The first node of the walk after @p, by descending to where @p is or would be. */
static uint32_t node_after(const struct om_trie *t, const struct prefix *p)
{
    uint32_t n = t->root, later = 0;

    while (n && !is_after(&t->nodes[n].p, p)) {
        const struct om_trie_node *node = &t->nodes[n];

        if (common(p, &node->p) < node->p.bits)
            return later; /* all below n is before p */
        if (node->p.bits == p->bits) {
            n = node->child[0] ? node->child[0] : node->child[1];
        } else if (bit_at(p, node->p.bits)) {
            n = node->child[1];
        } else {
            later = node->child[1] ? node->child[1] : later;
            n = node->child[0];
        }
    }
    return n ? n : later;
}

bool om_trie_next(const struct om_trie *t, struct om_trie_entry *e)
{
    struct prefix p = prefix_of(e->ip, e->bits <= OM_TRIE_BITS ? e->bits : OM_TRIE_BITS);
    uint32_t n = e->value ? node_after(t, &p) : t->root;

    if (!n)
        return false;
    while (!t->nodes[n].value)
        n = t->nodes[n].child[0];
    put64(e->ip, t->nodes[n].p.hi);
    put64(e->ip + 8, t->nodes[n].p.lo);
    e->bits = t->nodes[n].p.bits;
    e->value = t->nodes[n].value;
    return true;
}

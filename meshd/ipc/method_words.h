/*
 * method_words.h - parameters and replies that several methods share
 *
 * What:  initializers of struct om_param, one or a list of them, for the table of methods.
 * Why:   what is asked for in several places is asked for in the same words.
 */
#ifndef OM_IPC_METHOD_WORDS_H
#define OM_IPC_METHOD_WORDS_H

#define NETWORK                                                                                    \
    {                                                                                              \
        "network", OM_PARAM_NETWORK, false, "of several, which"                                    \
    }
#define PEER                                                                                       \
    {                                                                                              \
        "peer", OM_PARAM_PEER, true, "full id, its start (4 or more characters), name, or self"    \
    }

#define PROVIDER                                                                                   \
    {                                                                                              \
        "peer", OM_PARAM_PEER, false, "the provider, as peers are named elsewhere"                 \
    }
#define VM                                                                                         \
    {                                                                                              \
        "vm", OM_PARAM_STRING, false, "its id, or the start of it; else the only one"              \
    }

/* What provide.set and provide.show answer. */
#define PROVIDED                                                                                   \
    {                                                                                              \
        {"on", OM_PARAM_BOOL, true, "machines are provided"},                                      \
            {"to", OM_PARAM_STRINGS, true, "to these peers, besides this node"},                   \
            {"owner_first", OM_PARAM_BOOL, true, "own machines may end those of others"},          \
            {"limits", OM_PARAM_OBJECT, false, "of vm, peer, network and all"},                    \
            {"max_lease", OM_PARAM_STRING, true, "no machine lives longer"},                       \
            {"rate", OM_PARAM_INTEGER, true, "bytes a second of each, each way; 0: any number"},   \
            {"gate", OM_PARAM_STRING, true, "conntrack, filtered or sampled"},                     \
            {"violations", OM_PARAM_STRING, true, "log, warn, pause or kill"},                     \
            {"pause", OM_PARAM_STRING, true, "how long a pause lasts"},                            \
            {"accel", OM_PARAM_STRING, true, "auto, kvm or tcg: what is tried"},                   \
            {"used", OM_PARAM_OBJECT, true, "vms, cpus, memory, disk (MiB) taken now"},            \
            {"engine", OM_PARAM_STRING, true, "kvm, tcg, none or unknown"},                        \
            {"reason", OM_PARAM_STRING, true, "why that one"},                                     \
            {"hint", OM_PARAM_STRING, true, "what is in the way of it here, or nothing"},          \
    }

/* What the methods about rules answer. */
#define FILTERS                                                                                    \
    {                                                                                              \
        {"default", OM_PARAM_STRING, true, "allow, deny or ask: when no rule holds"},              \
            {"rules", OM_PARAM_OBJECTS, true, "as in filters.json; the first that holds decides"}, \
            {"kept", OM_PARAM_BOOL, true, "there is a filters.json"},                              \
    }

/* What the methods that decide on a request answer. */
#define DECIDED                                                                                    \
    {                                                                                              \
        {"vm", OM_PARAM_STRING, true, "its id"}, {"allowed", OM_PARAM_BOOL, true, "the word"},     \
    }

/* The request that waits. */
#define WAITING                                                                                    \
    {                                                                                              \
        {"vm", OM_PARAM_STRING, true, "its id, or the start of it"},                               \
    }

/* What the methods about questions of private networks answer. */
#define CLOISTER                                                                                   \
    {                                                                                              \
        {"id", OM_PARAM_INTEGER, true, "of the question"},                                         \
            {"peer", OM_PARAM_STRING, true, "with whom"},                                          \
            {"network", OM_PARAM_STRING, true, "in which both are"},                               \
            {"state", OM_PARAM_STRING, true, "as cloister.list"},                                  \
            {"code", OM_PARAM_STRING, false, "that both people see, or one is deceived"},          \
            {"asked_here", OM_PARAM_BOOL, true, "by this node, not by the peer"},                  \
            {"left_s", OM_PARAM_NUMBER, true, "to decide"},                                        \
    }

/* Where this node is found by who has a link. */
#define AT                                                                                         \
    {                                                                                              \
        "at", OM_PARAM_STRING, false, "ADDRESS[:PORT] of this node; else what is known of it"      \
    }

/* What the methods about links of networks answer. */
#define LINK                                                                                       \
    {                                                                                              \
        {"network", OM_PARAM_STRING, true, "its name here"},                                       \
            {"link", OM_PARAM_STRING, true, "to be kept like a key"},                              \
    }

/* What the methods about one network answer. */
#define MEMBER                                                                                     \
    {                                                                                              \
        {"name", OM_PARAM_STRING, true, "in this home"},                                           \
            {"id", OM_PARAM_STRING, true, "of the network"},                                       \
            {"self", OM_PARAM_STRING, true, "this node in it"},                                    \
            {"as", OM_PARAM_STRING, true, "of a closed one: what this node is called in it"},      \
            {"kind", OM_PARAM_STRING, true, "open, closed, direct or default"},                    \
            {"open", OM_PARAM_BOOL, true, "whoever has its link is in it"},                        \
            {"peers", OM_PARAM_INTEGER, true, "known"},                                            \
            {"connected", OM_PARAM_INTEGER, true, "of them"},                                      \
            {"gossip", OM_PARAM_OBJECT, false, "as networks.list"},                                \
            {"pins", OM_PARAM_STRINGS, true, "of a direct one: ids that it lets in"},              \
            {"pins_left", OM_PARAM_INTEGER, true, "how many more may come by its link"},           \
            {"invites", OM_PARAM_OBJECTS, false,                                                   \
             "given out here and still good: id, roles, uses, left, expires of each"},             \
    }

/* What networks.members answers. */
#define MEMBERS                                                                                    \
    {                                                                                              \
        {"network", OM_PARAM_STRING, true, "its name"},                                            \
        {                                                                                          \
            "members", OM_PARAM_OBJECTS, true,                                                     \
                "id, short, name, roles (admin, relay, provider), standing (good, expired, "       \
                "revoked, issuer revoked, invitation used up), admin, own, live, blocked, "        \
                "seen_s, "                                                                         \
                "issued, expires, invited_by, invited_by_name, revoked_by, revoked_by_name of "    \
                "each; null "                                                                      \
                "where it is not known"                                                            \
        }                                                                                          \
    }

/* What networks.revoke is asked, and answers. */
#define REVOKE                                                                                     \
    {                                                                                              \
        {"peer", OM_PARAM_PEER, true, "its id, known or not, the start of it, or its name"},       \
            {"keep_member", OM_PARAM_BOOL, false, "an admin is none any more, but a member"},      \
            {"now", OM_PARAM_BOOL, false, "the secret changes at once, not in its time"}, NETWORK, \
    }
#define REVOKED                                                                                    \
    {                                                                                              \
        {"network", OM_PARAM_STRING, true, "its name"},                                            \
            {"id", OM_PARAM_STRING, true, "of who was put out"},                                   \
            {"name", OM_PARAM_STRING, true, "what it was called, or empty"},                       \
            {"member", OM_PARAM_BOOL, true, "it is one still"},                                    \
            {"told", OM_PARAM_INTEGER, true, "members connected now, who hear it at once"},        \
    }

/* What networks.block is asked, and answers. */
#define BLOCK                                                                                      \
    {                                                                                              \
        {"peer", OM_PARAM_PEER, true, "its id, known or not, the start of it, or its name"},       \
            {"undo", OM_PARAM_BOOL, false, "no longer"}, NETWORK,                                  \
    }
#define BLOCKED                                                                                    \
    {                                                                                              \
        {"network", OM_PARAM_STRING, true, "its name"},                                            \
            {"id", OM_PARAM_STRING, true, "of the peer"},                                          \
            {"name", OM_PARAM_STRING, true, "what it is called, or empty"},                        \
            {"blocked", OM_PARAM_BOOL, true, "it is now"},                                         \
    }

#endif

/* config.c - from the file and the command line, compared, and what others ask of it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omerta/text.h>

#include "config_keys.h"
#include "config_print.h"

enum { PATH_SHOWN = 60, KEY_PATH = 64, WHERE = PATH_SHOWN + OM_SHOW_TEXT + 16 };

/* A file being read. */
struct source {
    char shown[PATH_SHOWN + 4]; /* its path, the end of it when long */
    struct om_config *config;
    struct om_error *err;
};

void om_config_default(struct om_config *c)
{
    memset(c, 0, sizeof *c);
    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++)
        OM_BUG_IF(om_config_keys[i].kind != OM_CONFIG_LIST &&
                  om_config_key_set(&om_config_keys[i], c, om_config_keys[i].preset, "", NULL) !=
                      OM_OK);
}

static enum om_err refuse_key(const struct source *s, const char *path, bool is_group)
{
    const struct om_config_key *near = om_config_key_near(path);
    char shown[OM_SHOW_TEXT];

    om_text_show(shown, path);
    if (is_group)
        return om_fail(s->err, OM_E_PARSE, "%s: \"%s\": want an object of keys", s->shown, shown);
    if (near)
        return om_fail(s->err, OM_E_PARSE, "%s: \"%s\": unknown key; did you mean \"%s\"?",
                       s->shown, shown, near->path);
    return om_fail(s->err, OM_E_PARSE, "%s: \"%s\": unknown key", s->shown, shown);
}

/* Some key begins with @path and a dot. */
static bool is_prefix(const char *path)
{
    size_t n = strlen(path);

    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++)
        if (strncmp(om_config_keys[i].path, path, n) == 0 && om_config_keys[i].path[n] == '.')
            return true;
    return false;
}

/* The value @v of @name below @above; *@is_group: it is an object of keys. */
static enum om_err read_member(const struct source *s, const char *above, const char *name,
                               json_t *v, char path[KEY_PATH], bool *is_group)
{
    bool fits = snprintf(path, KEY_PATH, "%s%s%s", above, *above ? "." : "", name) < KEY_PATH;
    const struct om_config_key *key = fits ? om_config_key_find(path) : NULL;
    char where[WHERE];

    *is_group = false;
    /* A dot in a name would be a second spelling of the nested key. */
    if (key && strchr(name, '.'))
        return om_fail(s->err, OM_E_PARSE, "%s: \"%s\": want nested objects instead of dots",
                       s->shown, path);
    if (key) {
        snprintf(where, sizeof where, "%s: \"%s\"", s->shown, path);
        return om_config_key_set_json(key, s->config, v, where, s->err);
    }
    if (!fits || !is_prefix(path))
        return refuse_key(s, path, false);
    *is_group = json_is_object(v);
    return *is_group ? OM_OK : refuse_key(s, path, true);
}

/* No key has two dots: an object in an object's object is an unknown key. */
static enum om_err read_object(const struct source *s, json_t *root)
{
    char path[KEY_PATH], below[KEY_PATH];
    const char *name, *inner;
    enum om_err e = OM_OK;
    json_t *v, *w;
    bool is_group;

    json_object_foreach(root, name, v)
    {
        e = read_member(s, "", name, v, path, &is_group);
        if (e != OM_OK)
            return e;
        if (!is_group)
            continue;
        json_object_foreach(v, inner, w)
        {
            e = read_member(s, path, inner, w, below, &is_group);
            if (e == OM_OK && is_group)
                e = refuse_key(s, below, false);
            if (e != OM_OK)
                return e;
        }
    }
    return OM_OK;
}

/* All bytes of the file at @path, to be freed; NULL and a sentence when that is not possible. */
static char *slurp(const char *path, const char *shown, size_t *n, struct om_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), no = errno;
    char *text = malloc(OM_CONFIG_FILE_MAX + 1);
    ssize_t got = 1;

    *n = 0;
    while (fd >= 0 && text && got > 0 && *n <= OM_CONFIG_FILE_MAX) {
        got = read(fd, text + *n, OM_CONFIG_FILE_MAX + 1 - *n);
        no = errno;
        *n += got > 0 ? (size_t)got : 0;
    }
    if (!text)
        (void)om_fail(err, OM_E_NO_MEM, "%s: out of memory", shown);
    else if (fd < 0 || got < 0)
        (void)om_fail(err, no == ENOENT ? OM_E_MISSING : OM_E_STATE, "%s: cannot be read: %s",
                      shown, strerror(no));
    else if (*n > OM_CONFIG_FILE_MAX)
        (void)om_fail(err, OM_E_RANGE, "%s: want at most %d bytes", shown, OM_CONFIG_FILE_MAX);
    if (fd >= 0)
        (void)close(fd);
    if (text && fd >= 0 && got == 0 && *n <= OM_CONFIG_FILE_MAX)
        return text;
    free(text);
    return NULL;
}

static enum om_err read_text(const struct source *s, const char *text, size_t n)
{
    json_error_t at;
    json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &at);
    char shown[OM_SHOW_TEXT];
    size_t kept = 0;
    enum om_err e;

    /* What it quotes is in single quotes already; a second pair would be shown as escapes. */
    for (const char *from = at.text; !o && *from; from++)
        if (*from != '"')
            at.text[kept++] = *from;
    if (!o) {
        at.text[kept] = 0;
        return om_fail(s->err, OM_E_PARSE, "%s:%d:%d: %s", s->shown, at.line, at.column,
                       om_text_show(shown, at.text));
    }
    e = json_is_object(o) ? read_object(s, o)
                          : om_fail(s->err, OM_E_PARSE, "%s: want one object of keys", s->shown);
    json_decref(o);
    return e;
}

enum om_err om_config_read(struct om_config *c, const char *path, struct om_error *err)
{
    size_t n, len = strlen(path);
    struct om_error why = {0};
    struct source s = {.err = &why, .config = malloc(sizeof *c)};
    char *text = NULL;
    enum om_err e;

    if (len < sizeof s.shown)
        memcpy(s.shown, path, len + 1);
    else
        snprintf(s.shown, sizeof s.shown, "...%s", path + len - PATH_SHOWN);
    if (s.config)
        text = slurp(path, s.shown, &n, &why);
    else
        (void)om_fail(&why, OM_E_NO_MEM, "%s: out of memory", s.shown);
    if (text) {
        *s.config = *c;
        e = read_text(&s, text, n);
        if (e == OM_OK)
            *c = *s.config;
    } else {
        e = why.code;
    }
    free(text);
    free(s.config);
    if (e != OM_OK && err)
        *err = why;
    return e;
}

static enum om_err unknown_flag(const char *arg, size_t n, struct om_error *err)
{
    char name[KEY_PATH], shown[OM_SHOW_TEXT];
    const struct om_config_key *near;

    snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), arg);
    near = om_config_key_near_flag(strncmp(name, "no-", 3) == 0 ? name + 3 : name);
    om_text_show(shown, name);
    if (near)
        return om_fail(err, OM_E_MISSING, "--%s: unknown flag; did you mean --%s?", shown,
                       near->flag);
    return om_fail(err, OM_E_MISSING, "--%s: unknown flag", shown);
}

enum om_err om_config_flag(struct om_config_flags *f, int argc, char *const *argv, int *at,
                           struct om_error *err)
{
    const char *arg = argv[*at], *text;
    const struct om_config_key *key;
    bool is_off = false;
    char want[80];
    size_t n;

    if (strncmp(arg, "--", 2) != 0)
        return om_fail(err, OM_E_MISSING, "\"%s\": no flag", om_text_show(want, arg));
    arg += 2;
    n = strcspn(arg, "=");
    text = arg[n] ? arg + n + 1 : NULL;
    key = om_config_key_flag(arg, n);
    if (!key && !text && strncmp(arg, "no-", 3) == 0) {
        key = om_config_key_flag(arg + 3, n - 3);
        is_off = key && key->kind == OM_CONFIG_BOOL;
        key = is_off ? key : NULL;
    }
    if (!key)
        return unknown_flag(arg, n, err);
    if (f->count == OM_CONFIG_FLAGS_MAX)
        return om_fail(err, OM_E_FULL, "--%s: too many flags: want at most %d", key->flag,
                       OM_CONFIG_FLAGS_MAX);
    if (!text && key->kind == OM_CONFIG_BOOL) {
        text = is_off ? "false" : "true";
    } else if (!text) {
        if (*at + 1 >= argc || strncmp(argv[*at + 1], "--", 2) == 0)
            return om_fail(err, OM_E_PARSE, "--%s: no value: want %s", key->flag,
                           om_config_key_want(key, want, sizeof want));
        text = argv[++*at];
    }
    ++*at;
    f->set[f->count].key = key;
    f->set[f->count++].text = text;
    return OM_OK;
}

enum om_err om_config_apply(struct om_config *c, const struct om_config_flags *f,
                            struct om_error *err)
{
    struct om_config next = *c;
    char where[KEY_PATH];

    for (unsigned i = 0; i < f->count; i++)
        om_config_key_clear(f->set[i].key, &next);
    for (unsigned i = 0; i < f->count; i++) {
        snprintf(where, sizeof where, "--%s", f->set[i].key->flag);
        enum om_err e = om_config_key_set(f->set[i].key, &next, f->set[i].text, where, err);

        if (e != OM_OK)
            return e;
    }
    *c = next;
    return OM_OK;
}

unsigned om_config_diff(const struct om_config *was, const struct om_config *is,
                        void (*changed)(void *self, const struct om_config_key *key,
                                        const char *was_text, const char *is_text),
                        void *self)
{
    char a[OM_CONFIG_VALUE], b[OM_CONFIG_VALUE];
    unsigned n = 0;

    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++) {
        const struct om_config_key *key = &om_config_keys[i];

        if (strcmp(om_config_key_print(key, was, a), om_config_key_print(key, is, b)) == 0)
            continue;
        n++;
        if (changed)
            changed(self, key, a, b);
    }
    return n;
}

enum om_err om_config_write_default(const char *path, struct om_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), no = errno;
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool is_done;

    if (fd < 0)
        return om_fail(err, no == EEXIST ? OM_E_EXISTS : OM_E_STATE,
                       "%.120s: cannot be created: %s", path, strerror(no));
    is_done = f && om_config_print_json(f) && fflush(f) == 0 && fsync(fd) == 0;
    no = errno;
    if (f)
        is_done = fclose(f) == 0 && is_done;
    else
        (void)close(fd);
    if (is_done)
        return OM_OK;
    (void)unlink(path);
    return om_fail(err, OM_E_STATE, "%.120s: cannot be written: %s", path, strerror(no));
}

char *om_config_name(const struct om_config *c, char out[static OM_NAME_MAX + 1])
{
    char host[256] = "";

    if (*c->name || gethostname(host, sizeof host - 1) != 0)
        snprintf(out, OM_NAME_MAX + 1, "%s", c->name);
    else
        snprintf(out, OM_NAME_MAX + 1, "%.*s",
                 (int)(strcspn(host, ".") < OM_NAME_MAX ? strcspn(host, ".") : OM_NAME_MAX), host);
    return out;
}

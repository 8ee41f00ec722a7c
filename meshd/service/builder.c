/* builder.c - one process with two pipes; what it says becomes a sentence about each machine. */
#include "service/builder.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/text.h>

#include "service/parts.h"

enum { MS_PER_S = 1000, END_MS = 10000, DRAIN_MS = 500, SAID_MAX = 100 };

/* What of a built-in image is known before it is made; image.json says more. */
static const struct {
    const char *name, *option;
    uint32_t memory_min_mib;
    const char *languages[OM_VM_IMAGE_LANGUAGES]; /* the first NULL ends them */
} built_in[] = {{"mini", NULL, 128, {"sh"}}, {"python", "--python", 192, {"sh", "python"}}};

struct build {
    struct vms *hub; /* NULL: let go of */
    unsigned which;
    struct om_vm_process *process; /* NULL: it ended */
    uv_pipe_t out;
    uv_timer_t timer;
    int in; /* its end of the pipe is read until this closes; -1 */
    unsigned handles, lines, n;
    bool is_late, is_good, is_deaf;
    char in_line[256], said[SAID_MAX], bytes[1024];
};

void builder_find(struct vms *s)
{
    static const char *const places[] = {"../share/omerta/image", "../../../vm/image",
                                         "../../vm/image"};
    char folder[OM_PATH_MAX];

    (void)snprintf(folder, sizeof folder, "%s", s->self_path);
    char *slash = strrchr(folder, '/');
    s->build_tool[0] = 0;
    if (!slash)
        return;
    *slash = 0;
    for (unsigned i = 0; i < OM_ARRAY_SIZE(places); i++) {
        if (snprintf(s->build_tool, sizeof s->build_tool, "%s/%s/build.sh", folder, places[i]) <
                (int)sizeof s->build_tool &&
            access(s->build_tool, X_OK) == 0)
            return;
    }
    s->build_tool[0] = 0;
}

static bool find_name(const char *name, unsigned *which)
{
    for (unsigned i = 0; i < OM_ARRAY_SIZE(built_in); i++)
        if (strcmp(built_in[i].name, name) == 0) {
            *which = i;
            return true;
        }
    return false;
}

bool builder_describe(const struct vms *s, const char *name, struct om_vm_image *out)
{
    unsigned which;

    if (!*s->build_tool || !find_name(name, &which))
        return false;
    *out = (struct om_vm_image){
        .ssh_user = "root", .memory_min_mib = built_in[which].memory_min_mib, .agent = 1};
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    for (; built_in[which].languages[out->languages]; out->languages++)
        (void)snprintf(out->language[out->languages], sizeof out->language[0], "%s",
                       built_in[which].languages[out->languages]);
    return true;
}

const char *builder_name(const struct vms *s, unsigned i)
{
    return *s->build_tool && i < OM_ARRAY_SIZE(built_in) ? built_in[i].name : NULL;
}

static void on_closed(uv_handle_t *h)
{
    struct build *b = h->data;

    if (--b->handles == 0)
        free(b);
}

/* It ends, if it has not; nobody is told. */
static void drop(struct build *b)
{
    if (b->in >= 0)
        (void)close(b->in);
    b->in = -1;
    om_vm_process_close(b->process);
    b->process = NULL;
    b->hub = NULL;
    uv_close((uv_handle_t *)&b->out, on_closed);
    uv_close((uv_handle_t *)&b->timer, on_closed);
}

static bool begin(struct vms *s, unsigned which, struct om_error *err);

/* Those that wait for another image: the next build is theirs. */
static void go_on(struct vms *s)
{
    struct om_error err = {.msg = "no memory"};
    unsigned which;

    for (struct om_link *l = om_list_first(&s->machines); l && !s->build;
         l = om_list_next(&s->machines, l)) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        if (!v->is_awaiting || !find_name(v->spec.image, &which) || begin(s, which, &err))
            continue;
        v->is_awaiting = false;
        machine_input(v, OM_VM_IN_UNPREPARED, err.msg);
    }
}

static void answer(struct service_vm *v, const char *why)
{
    struct om_vm_image *image = calloc(1, sizeof *image);
    struct om_error err = {.msg = "no memory"};

    v->is_awaiting = false;
    if (why) {
        machine_input(v, OM_VM_IN_UNPREPARED, why);
    } else if (!image || !vms_image(v->hub, v->spec.image, image, &err) ||
               om_vm_image_fits(image, &v->spec, &err) != OM_OK) {
        machine_input(v, OM_VM_IN_UNPREPARED, err.msg);
    } else {
        v->image = *image;
        machine_note(v, "");
        prepare_start(v);
    }
    free(image);
}

static void finish(struct build *b)
{
    struct vms *s = b->hub;
    const char *name = built_in[b->which].name;
    bool is_good = b->is_good && !b->is_late;
    char why[OM_VM_TEXT];

    if (b->is_late)
        (void)snprintf(why, sizeof why, "image %s: its making took more than %d minutes", name,
                       BUILDER_MOST_S / 60);
    else
        (void)snprintf(why, sizeof why, "image %s could not be made: %s", name,
                       *b->said ? b->said : "its builder said nothing");
    s->build = NULL;
    drop(b);
    if (!is_good)
        vms_complain(s, "", why);
    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l)) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        if (v->is_awaiting && strcmp(v->spec.image, name) == 0)
            answer(v, is_good ? NULL : why);
    }
    go_on(s);
}

/* Too long, or ended without closing its output. */
static void on_timer(uv_timer_t *t)
{
    struct build *b = t->data;

    if (!b->process) {
        finish(b);
        return;
    }
    if (b->is_late)
        (void)om_vm_process_signal(b->process, SIGKILL);
    b->is_late = true;
    if (b->in >= 0)
        (void)close(b->in);
    b->in = -1;
    (void)uv_timer_start(t, on_timer, END_MS, 0);
}

static void on_exit_of(void *self, const struct om_vm_exit *how)
{
    struct build *b = self;

    b->is_good = how->is_known && how->signal == 0 && how->code == 0;
    om_vm_process_close(b->process);
    b->process = NULL;
    if (b->is_deaf)
        finish(b);
    else
        (void)uv_timer_start(&b->timer, on_timer, DRAIN_MS, 0);
}

/* Where the home is, is nothing that a consumer has to know. */
static void hide_home(char *line, const char *home)
{
    static const char word[] = "HOME";
    size_t n = strlen(home);

    if (n < strlen(word))
        return;
    for (char *at = strstr(line, home); at; at = strstr(at, home)) {
        memcpy(at, word, strlen(word));
        at += strlen(word);
        memmove(at, at + n - strlen(word), strlen(at + n - strlen(word)) + 1);
    }
}

static void take_line(struct build *b)
{
    const char *line = b->in_line, *name = built_in[b->which].name;
    char note[OM_VM_TEXT], text[BUILDER_LINE];
    size_t n = strlen("image ");

    b->in_line[b->n] = 0;
    b->n = 0;
    if (!*line)
        return;
    hide_home(b->in_line, b->hub->d->place.home);
    if (strncmp(line, "image ", n) == 0 && strncmp(line + n, name, strlen(name)) == 0 &&
        strncmp(line + n + strlen(name), ": ", 2) == 0)
        line += n + strlen(name) + 2;
    else if (strncmp(line, "build.sh: ", strlen("build.sh: ")) == 0)
        line += strlen("build.sh: ");
    (void)om_text_escape(b->said, sizeof b->said, om_bytes(line, strlen(line)));
    if (b->lines++ >= BUILDER_LINES_MAX)
        return;
    (void)om_text_escape(text, sizeof text, om_bytes(line, strlen(line)));
    (void)snprintf(note, sizeof note, "building the image %s: %s%s", name, text,
                   strlen(text) == sizeof text - 1 ? "..." : "");
    for (struct om_link *l = om_list_first(&b->hub->machines); l;
         l = om_list_next(&b->hub->machines, l)) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        if (v->is_awaiting && strcmp(v->spec.image, name) == 0)
            machine_note(v, note);
    }
}

static void on_alloc(uv_handle_t *h, size_t suggested OM_UNUSED, uv_buf_t *buf)
{
    struct build *b = h->data;

    *buf = uv_buf_init(b->bytes, sizeof b->bytes);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct build *b = stream->data;

    for (ssize_t i = 0; i < n; i++) {
        if (buf->base[i] == '\n')
            take_line(b);
        else if (b->n < sizeof b->in_line - 1 && buf->base[i])
            b->in_line[b->n++] = buf->base[i];
    }
    if (n >= 0)
        return;
    (void)uv_read_stop(stream);
    take_line(b);
    b->is_deaf = true;
    if (!b->process)
        finish(b);
}

/* Takes @in and @out, its ends of the pipes. */
static enum om_err start(struct build *b, int in, int out, struct om_error *err)
{
    struct vms *s = b->hub;
    char to[OM_PATH_MAX + 16], cache[OM_PATH_MAX + 16], images[OM_PATH_MAX];
    const char *argv[] = {s->build_tool, "--tended", "--out", to, "--cache", cache, NULL, NULL};
    const struct om_vm_process_config config = {.loop = &s->d->loop,
                                                .via = s->spawner,
                                                .argv = argv,
                                                .folder = images,
                                                .in = in,
                                                .out = out,
                                                .err = out,
                                                .on_exit = on_exit_of,
                                                .self = b};
    int n = snprintf(images, sizeof images, "%s/images", s->d->place.home);

    argv[6] = built_in[b->which].option;
    (void)snprintf(to, sizeof to, "%.4000s/%s", images, built_in[b->which].name);
    (void)snprintf(cache, sizeof cache, "%.4000s/.cache", images);
    enum om_err e = n < (int)sizeof images
                        ? om_vm_process_spawn(&b->process, &config, err)
                        : om_fail(err, OM_E_RANGE, "the path of the home is too long");
    (void)close(in);
    (void)close(out);
    return e;
}

static bool begin(struct vms *s, unsigned which, struct om_error *err)
{
    struct build *b = calloc(1, sizeof *b);
    int in[2] = {-1, -1}, out[2] = {-1, -1};

    if (!b || pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
        for (int i = 0; i < 2; i++)
            if (in[i] >= 0)
                (void)close(in[i]);
        free(b);
        return om_fail(err, OM_E_NO_MEM, "no memory for the builder of images") == OM_OK;
    }
    b->hub = s;
    b->which = which;
    b->in = in[1];
    b->out.data = b->timer.data = b;
    b->handles = 2;
    (void)uv_timer_init(&s->d->loop, &b->timer);
    (void)uv_pipe_init(&s->d->loop, &b->out, 0);
    if (uv_pipe_open(&b->out, out[0]) != 0)
        (void)close(out[0]);
    if (start(b, in[0], out[1], err) != OM_OK ||
        uv_read_start((uv_stream_t *)&b->out, on_alloc, on_read) != 0) {
        drop(b);
        return false;
    }
    (void)uv_timer_start(&b->timer, on_timer, (uint64_t)BUILDER_MOST_S * MS_PER_S, 0);
    s->build = b;
    return true;
}

void builder_want(struct service_vm *v)
{
    struct vms *s = v->hub;
    char note[OM_VM_TEXT];

    v->is_awaiting = true;
    if (!s->build)
        go_on(s);
    if (!v->is_awaiting || !s->build)
        return;
    (void)snprintf(
        note, sizeof note, "building the image %s%s", v->spec.image,
        strcmp(built_in[s->build->which].name, v->spec.image) == 0 ? "" : " once another is made");
    machine_note(v, note);
}

bool builder_forget(struct service_vm *v)
{
    bool was_awaiting = v->is_awaiting;

    v->is_awaiting = false;
    return was_awaiting;
}

void builder_close(struct vms *s)
{
    if (s->build)
        drop(s->build);
    s->build = NULL;
}

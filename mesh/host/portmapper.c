/* portmapper.c - questions out, answers in, and what becomes of those that hang. */
#include "portmapper.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "portmap_natpmp.h"
#include "portmap_upnp.h"

/* A question, its thread, and whoever waits for them. Who lets go last frees it. */
struct job {
    pthread_mutex_t lock;
    unsigned holders;
    bool is_done;
    uv_async_t *wake; /* NULL: nobody waits */
    portmap_speak_fn speak;
    struct portmap_question question;
    struct om_portmap_answer answer;
};

struct om_portmapper {
    struct om_portmapper_config config;
    struct om_portmap machine;
    uv_async_t async;
    uv_timer_t timer, patience;
    unsigned handles; /* that libuv has not given back yet */
    struct job *job;  /* that the machine waits for */
    struct job *hung[OM_PORTMAP_HOWS];
    uint64_t hung_count;
    bool is_closing, is_closed, is_working;
};

static void let_go(struct job *j)
{
    (void)pthread_mutex_lock(&j->lock);
    j->wake = NULL;
    bool is_last = --j->holders == 0;
    (void)pthread_mutex_unlock(&j->lock);
    if (is_last) {
        (void)pthread_mutex_destroy(&j->lock);
        free(j);
    }
}

static bool is_done(struct job *j)
{
    (void)pthread_mutex_lock(&j->lock);
    bool done = j->is_done;
    (void)pthread_mutex_unlock(&j->lock);
    return done;
}

static void *work(void *arg)
{
    struct job *j = arg;
    struct om_portmap_answer answer = {.result = OM_PORTMAP_UNASKED};

    j->speak(&j->question, &answer);
    (void)pthread_mutex_lock(&j->lock);
    j->answer = answer;
    j->is_done = true;
    if (j->wake)
        (void)uv_async_send(j->wake);
    bool is_last = --j->holders == 0;
    (void)pthread_mutex_unlock(&j->lock);
    if (is_last) {
        (void)pthread_mutex_destroy(&j->lock);
        free(j);
    }
    return NULL;
}

/* Signals are the loop's: a library that waits takes an interrupted call for an error. */
static bool start_thread(struct job *j)
{
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;

    if (pthread_attr_init(&attr) != 0)
        return false;
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    bool is_started = pthread_create(&thread, &attr, work, j) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return is_started;
}

static struct job *make_job(struct om_portmapper *m, const struct om_portmap_act *act)
{
    struct job *j = calloc(1, sizeof *j);

    if (!j)
        return NULL;
    if (pthread_mutex_init(&j->lock, NULL) != 0) {
        free(j);
        return NULL;
    }
    j->holders = 2;
    j->wake = &m->async;
    j->speak = m->config.speak[act->how];
    j->question.act = *act;
    j->question.until = om_clock_now() + m->config.answer_within;
    atomic_init(&j->question.is_off, false);
    if (start_thread(j))
        return j;
    j->holders = 1;
    let_go(j);
    return NULL;
}

static void on_patience(uv_timer_t *t);

/* Puts @act to the router; or says why that cannot be. */
static void ask(struct om_portmapper *m, const struct om_portmap_act *act)
{
    struct job **hung = &m->hung[act->how];
    struct om_portmap_answer no = {.result = OM_PORTMAP_UNASKED};

    if (*hung && is_done(*hung)) {
        let_go(*hung);
        *hung = NULL;
    }
    if (!*hung)
        m->job = make_job(m, act);
    if (!m->job) {
        (void)snprintf(no.why, sizeof no.why, "%s",
                       *hung ? "an earlier question still hangs" : "out of threads or memory");
        om_portmap_answered(&m->machine, om_clock_now(), &no);
        return;
    }
    (void)uv_timer_start(&m->patience, on_patience, (uint64_t)(m->config.answer_within / OM_MS(1)),
                         0);
}

static void on_handle_closed(uv_handle_t *h)
{
    struct om_portmapper *m = h->data;

    if (--m->handles == 0)
        free(m);
}

static void finish(struct om_portmapper *m)
{
    if (m->is_closed)
        return;
    m->is_closed = true;
    if (m->job)
        let_go(m->job);
    m->job = NULL;
    for (unsigned i = 0; i < OM_PORTMAP_HOWS; i++)
        if (m->hung[i])
            let_go(m->hung[i]);
    uv_close((uv_handle_t *)&m->async, on_handle_closed);
    uv_close((uv_handle_t *)&m->timer, on_handle_closed);
    uv_close((uv_handle_t *)&m->patience, on_handle_closed);
}

static void on_timer(uv_timer_t *t);

/* Rounded up: a timer that fires early would fire for nothing. */
static void arm(struct om_portmapper *m)
{
    om_time at = om_portmap_deadline(&m->machine), now = om_clock_now();

    if (m->is_closing)
        return; /* the timer is that of the close */
    if (at == OM_NEVER)
        (void)uv_timer_stop(&m->timer);
    else
        (void)uv_timer_start(&m->timer, on_timer,
                             at > now ? (uint64_t)((at - now + OM_MS(1) - 1) / OM_MS(1)) : 0, 0);
}

static void run(struct om_portmapper *m)
{
    struct om_portmap_act act;

    if (m->is_working || m->is_closed) /* it goes on where it was called from */
        return;
    m->is_working = true;
    while (om_portmap_next(&m->machine, om_clock_now(), &act))
        if (act.kind == OM_PORTMAP_ACT_ASK || act.kind == OM_PORTMAP_ACT_REMOVE)
            ask(m, &act);
        else if (!m->is_closing)
            m->config.on_news(m->config.self, &act);
    m->is_working = false;
    if (m->is_closing && om_portmap_is_idle(&m->machine))
        finish(m);
    else
        arm(m);
}

static void on_timer(uv_timer_t *t)
{
    struct om_portmapper *m = t->data;

    if (m->is_closing)
        finish(m);
    else
        run(m);
}

static void answered(struct om_portmapper *m, const struct om_portmap_answer *a)
{
    (void)uv_timer_stop(&m->patience);
    om_portmap_answered(&m->machine, om_clock_now(), a);
    run(m);
}

static void on_async(uv_async_t *async)
{
    struct om_portmapper *m = async->data;
    struct om_portmap_answer a;

    if (!m->job || !is_done(m->job))
        return;
    a = m->job->answer;
    let_go(m->job);
    m->job = NULL;
    answered(m, &a);
}

static void on_patience(uv_timer_t *t)
{
    struct om_portmapper *m = t->data;
    struct om_portmap_answer a = {.result = OM_PORTMAP_SILENT,
                                  .why = "it began to answer and did not end"};

    if (!m->job)
        return;
    atomic_store(&m->job->question.is_off, true);
    (void)pthread_mutex_lock(&m->job->lock);
    m->job->wake = NULL;
    (void)pthread_mutex_unlock(&m->job->lock);
    m->hung[m->job->question.act.how] = m->job;
    m->job = NULL;
    m->hung_count++;
    answered(m, &a);
}

enum om_err om_portmapper_open(struct om_portmapper **out,
                               const struct om_portmapper_config *config)
{
    struct om_portmapper *m = calloc(1, sizeof *m);

    if (!m)
        return OM_E_NO_MEM;
    m->config = *config;
    if (!m->config.speak[OM_PORTMAP_NATPMP])
        m->config.speak[OM_PORTMAP_NATPMP] = portmap_natpmp;
    if (!m->config.speak[OM_PORTMAP_UPNP])
        m->config.speak[OM_PORTMAP_UPNP] = portmap_upnp;
    if (m->config.answer_within <= 0)
        m->config.answer_within = OM_SEC(OM_PORTMAPPER_ANSWER_S);
    om_portmap_init(&m->machine);
    if (uv_async_init(config->loop, &m->async, on_async) != 0) {
        free(m);
        return OM_E_STATE;
    }
    (void)uv_timer_init(config->loop, &m->timer); /* neither can fail */
    (void)uv_timer_init(config->loop, &m->patience);
    m->async.data = m->timer.data = m->patience.data = m;
    m->handles = 3;
    *out = m;
    return OM_OK;
}

void om_portmapper_close(struct om_portmapper *m)
{
    if (!m || m->is_closing)
        return;
    m->is_closing = true;
    if (m->job && m->job->question.act.kind == OM_PORTMAP_ACT_ASK)
        atomic_store(&m->job->question.is_off, true);
    om_portmap_want(&m->machine, om_clock_now(), 0);
    (void)uv_timer_start(&m->timer, on_timer, OM_PORTMAPPER_LEAVE_MS, 0);
    run(m);
}

void om_portmapper_want(struct om_portmapper *m, uint16_t port)
{
    om_portmap_want(&m->machine, om_clock_now(), port);
    run(m);
}

void om_portmapper_network_changed(struct om_portmapper *m)
{
    om_portmap_network_changed(&m->machine, om_clock_now());
    run(m);
}

void om_portmapper_ask_again(struct om_portmapper *m)
{
    om_portmap_ask_again(&m->machine, om_clock_now());
    run(m);
}

const struct om_portmap *om_portmapper_machine(const struct om_portmapper *m)
{
    return &m->machine;
}

uint64_t om_portmapper_hung(const struct om_portmapper *m)
{
    return m->hung_count;
}

#include "control.h"

#include <math.h>
#include <string.h>

void begin_control(struct control *control, double deadline_ms, double now_s)
{
    memset(control, 0, sizeof *control);
    control->max_power_mw = INFINITY;
    for (int i = 0; i < TABLE_CLUSTERS; i++)
        control->max_freq_khz[i] = INT64_MAX;
    control->change.clock_ms = CHANGE_CLOCK_MS;
    control->change.cluster_ms = CHANGE_CLUSTER_MS;
    begin_slowdown(&control->slowdown);
    begin_trust(&control->trust);
    retarget(control, deadline_ms, now_s);
}

static int fastest_row(const struct control *control)
{
    return table_decide(0.0, 1.0, control->max_power_mw, control->max_freq_khz);
}

static void look(const struct control *control, struct outlook *outlook)
{
    look_out(outlook, &control->slowdown, &control->change, control->max_power_mw, control->max_freq_khz);
}

static void plan_fastest(struct control *control)
{
    control->plan.first = control->plan.then = fastest_row(control);
    control->plan.until_ms = control->plan.cost = INFINITY;
}

/* The base, or a row for this one frame that has less time: on its cluster, if that is enough. */
static struct plan fit(const struct control *control, const struct outlook *outlook, double remaining_ms)
{
    struct plan plan = plan_again(outlook, &control->base, remaining_ms);

    if (plan.cost == INFINITY)
        plan = single_row(outlook, remaining_ms, table_rows[control->base.first].cluster);
    return plan.cost < INFINITY ? plan : single_row(outlook, remaining_ms, -1);
}

/* The share of its deadline that a frame which has just ended takes from the next one. */
static double left_behind(const struct control *control, double latency_ms, int is_late)
{
    double share;

    if (!is_late)
        return 0.0;
    if (control->behind > 0.0 || latency_ms <= control->deadline_ms)
        return MOST_BEHIND; /* it began late, nobody knows by how much */
    share = latency_ms / control->deadline_ms - 1.0;
    return share < MOST_BEHIND ? share : MOST_BEHIND;
}

static void note_part(struct control *control, double after_ms)
{
    double before_ms = 0.0;
    struct part *part = &control->parts[control->part_count];

    if (control->part_count == MOST_PARTS)
        return;
    for (int i = 0; i < control->part_count; i++)
        before_ms += control->parts[i].ms;
    part->row = control->row;
    part->ms = after_ms - before_ms > 0.0 ? after_ms - before_ms : 0.0;
    control->part_count++;
}

static void learn_frame(struct control *control, int is_late)
{
    const int was_begun = control->runs, was_behind = control->behind > 0.0, fastest = fastest_row(control);
    const double fastest_ms =
        table_rows[fastest].latency_ms * control->slowdown.of_cluster[table_rows[fastest].cluster];
    double latency_ms = 0.0, share = 0.0;
    int is_delayed;

    for (int i = 0; i < control->part_count; i++)
        latency_ms += control->parts[i].ms;
    control->runs = 0;
    control->reports_begins = was_begun;
    control->behind = left_behind(control, latency_ms, is_late);
    for (int i = 0; i < control->part_count; i++)
        if (control->parts[i].row < 0) /* at the kernel's clock a frame says nothing about the table */
            return;
    for (int i = 0; i < control->part_count; i++) {
        const int row = control->parts[i].row;
        const double high_ms = table_rows[row].latency_high_ms, bound_ms = bound_at(&control->slowdown, row);

        share += control->parts[i].ms / (high_ms > bound_ms ? high_ms : bound_ms);
    }
    watch(&control->trust, share, 1.0, control->now_s);
    is_delayed = is_late && !was_behind && !was_begun && latency_ms <= control->deadline_ms;
    learn(&control->slowdown, control->parts, control->part_count,
          is_delayed && control->parts[control->part_count - 1].row != fastest,
          (was_begun ? control->remaining_ms : control->deadline_ms) / fastest_ms);
}

void take_frame(struct control *control, double latency_ms, double now_s)
{
    const int is_late = latency_ms > (control->runs ? control->remaining_ms : control->deadline_ms);

    control->frames++;
    control->late += is_late;
    control->now_s = now_s;
    note_part(control, latency_ms);
    learn_frame(control, is_late);
    control->part_count = 0;
    decide(control, now_s);
}

void begin_frame(struct control *control, double remaining_ms, double now_s)
{
    struct outlook outlook;

    control->runs = control->part_count = 0;
    control->remaining_ms = remaining_ms;
    if (!control->has_base || !is_trusted(&control->trust, now_s)) {
        decide(control, now_s);
    } else {
        if (!(control->behind > 0.0)) {
            const double delay_ms = control->deadline_ms - remaining_ms;

            control->delay_ms += ((delay_ms > 0.0 ? delay_ms : 0.0) - control->delay_ms) / DELAY_MEMORY;
        }
        look(control, &outlook);
        control->plan = fit(control, &outlook, remaining_ms);
        control->row = control->plan.first;
    }
    control->runs = 1;
    control->is_changed = 0;
}

double change_at_ms(const struct control *control)
{
    return control->runs && !control->is_changed && control->row >= 0 ? control->plan.until_ms : INFINITY;
}

void change_row(struct control *control, double after_ms)
{
    note_part(control, after_ms);
    control->is_changed = 1;
    control->row = control->plan.then;
}

void retarget(struct control *control, double deadline_ms, double now_s)
{
    control->deadline_ms = deadline_ms;
    control->has_base = 0;
    decide(control, now_s);
}

/* Keep to the plan of the frame that runs; another row where a cap forbids that. */
static void go_on(struct control *control)
{
    const int row = control->is_changed ? control->plan.then : control->plan.first;
    struct outlook outlook;

    look(control, &outlook);
    if (!outlook.is_allowed[row]) {
        control->plan = single_row(&outlook, control->deadline_ms, -1);
        control->is_changed = 0;
    }
    control->row = control->is_changed ? control->plan.then : control->plan.first;
}

/* Whether to leave what runs, at its cost, for what is wanted: at once where it is too slow, else after calm frames. */
static int leaves(struct control *control, double cost, double wanted_cost)
{
    int is_left = cost == INFINITY;

    if (!is_left && wanted_cost < cost) {
        control->saved += 1.0 - wanted_cost / cost;
        is_left = ++control->calm >= CALM_FRAMES && control->saved >= CALM_SAVED;
        if (!is_left)
            return 0;
    }
    control->calm = 0;
    control->saved = 0.0;
    return is_left;
}

void decide(struct control *control, double now_s)
{
    const double time_ms = control->deadline_ms - (control->reports_begins ? control->delay_ms : 0.0);
    struct outlook outlook;
    struct plan wanted;
    double cost = INFINITY;

    if (!is_trusted(&control->trust, now_s)) {
        control->row = -1;
        control->has_base = 0;
        plan_fastest(control);
        return;
    }
    if (control->runs) {
        go_on(control);
        return;
    }
    look(control, &outlook);
    wanted = best_plan(&outlook, time_ms, control->reports_begins);
    if (control->has_base && (control->reports_begins || control->base.first == control->base.then))
        cost = plan_again(&outlook, &control->base, time_ms).cost;
    if (leaves(control, cost, wanted.cost))
        control->base = wanted;
    control->has_base = 1;
    control->plan = control->base;
    if (control->behind > 0.0)
        control->plan = fit(control, &outlook, control->deadline_ms * (1.0 - control->behind));
    control->row = control->plan.first;
}

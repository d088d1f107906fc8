#include "control.h"

#include <math.h>
#include <string.h>

void begin_control(struct control *control, double deadline_ms, double now_s)
{
    memset(control, 0, sizeof *control);
    control->max_power_mw = INFINITY;
    for (int i = 0; i < TABLE_CLUSTERS; i++)
        control->max_freq_khz[i] = INT64_MAX;
    control->slowdown = control->margin = 1.0;
    begin_trust(&control->trust);
    retarget(control, deadline_ms, now_s);
}

static int choose(const struct control *control, double deadline_ms)
{
    return table_decide(deadline_ms, control->slowdown, control->max_power_mw, control->max_freq_khz);
}

/* The middle one of the last ratios, the lower of two: one outlier is no slower device. */
static double median_low(const double *ratios, unsigned long seen)
{
    const int count = seen < FILTERED ? (int)seen : FILTERED;
    double sorted[FILTERED];

    for (int i = 0, at; i < count; i++) {
        for (at = i; at > 0 && sorted[at - 1] > ratios[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = ratios[i];
    }
    return sorted[(count - 1) / 2];
}

void take_frame(struct control *control, double latency_ms, double now_s)
{
    const int is_late = latency_ms > control->deadline_ms;

    control->frames++;
    control->late += is_late;
    control->is_behind = is_late;
    if (control->row >= 0) { /* at the kernel's clock a frame says nothing about the table */
        const double bound_ms = table_rows[control->row].latency_high_ms;

        watch(&control->trust, latency_ms, bound_ms * (control->slowdown > 1.0 ? control->slowdown : 1.0), now_s);
        control->ratios[control->seen++ % FILTERED] = latency_ms / bound_ms;
        control->slowdown = table_next_slowdown(control->slowdown, median_low(control->ratios, control->seen), 1.0);
        if (!is_late || control->row != choose(control, 0.0)) /* nothing could have helped at the fastest */
            control->margin = table_next_margin(control->margin, is_late);
    }
    decide(control, now_s);
}

void retarget(struct control *control, double deadline_ms, double now_s)
{
    control->deadline_ms = deadline_ms;
    control->row = -1;
    control->calm = 0;
    decide(control, now_s);
}

void decide(struct control *control, double now_s)
{
    const table_row *row = control->row < 0 ? NULL : &table_rows[control->row];
    double remaining_ms;

    if (!is_trusted(&control->trust, now_s)) {
        control->row = -1;
        control->calm = 0;
        return;
    }
    if (row && (row->power_mw > control->max_power_mw || row->freq_khz > control->max_freq_khz[row->cluster]))
        control->row = -1; /* too hot to stay there for some more frames */
    remaining_ms = control->deadline_ms * (control->is_behind ? CATCH_UP : 1.0);
    control->row = table_next_row(control->row, choose(control, remaining_ms / control->margin), &control->calm);
}

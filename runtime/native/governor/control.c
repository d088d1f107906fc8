#include "control.h"

#include <math.h>
#include <string.h>

void begin_control(struct control *control, double deadline_ms)
{
    memset(control, 0, sizeof *control);
    control->deadline_ms = deadline_ms;
    control->max_power_mw = INFINITY;
    for (int i = 0; i < TABLE_CLUSTERS; i++)
        control->max_freq_khz[i] = INT64_MAX;
    control->slowdown = 1.0;
    control->row = -1;
    decide(control);
}

void take_frame(struct control *control, double latency_ms)
{
    control->frames++;
    control->late += latency_ms > control->deadline_ms;
    control->slowdown =
        table_next_slowdown(control->slowdown, latency_ms, table_rows[control->row].latency_high_ms);
    decide(control);
}

void decide(struct control *control)
{
    const table_row *row = control->row < 0 ? NULL : &table_rows[control->row];
    const int wanted = table_decide(control->deadline_ms, control->slowdown, control->max_power_mw,
                                    control->max_freq_khz);

    if (row && (row->power_mw > control->max_power_mw || row->freq_khz > control->max_freq_khz[row->cluster]))
        control->row = -1; /* too hot to stay there for some more frames */
    control->row = table_next_row(control->row, wanted, &control->calm);
}

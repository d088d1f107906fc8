/* What a frame would take from now on, and the row or the two rows that cost least: runtime.choose.decision.outlook. */
#ifndef OUTLOOK_H
#define OUTLOOK_H

#include "slowdown.h"

/* For how long a change stops a frame: between two clocks of a cluster, and between two clusters. */
struct change_cost {
    double clock_ms, cluster_ms;
};

/* The row first until until_ms after a frame's beginning, then the row then; both are one where until_ms is infinite.
 * The cost is infinite where the frame would not be in time. */
struct plan {
    int first, then;
    double until_ms, cost;
};

struct outlook {
    const struct slowdown *slowdown;
    const struct change_cost *change;
    char is_allowed[TABLE_ROWS];
    double expected_ms[TABLE_ROWS], bound_ms[TABLE_ROWS];
};

void look_out(struct outlook *outlook, const struct slowdown *slowdown, const struct change_cost *change,
              double max_power_mw, const int64_t *max_freq_khz);

/* What a frame may take at a row: of all but those that may be late. */
double bound_at(const struct slowdown *slowdown, int row);

/* The cheapest row that is in time, of one cluster or (-1) of all; else the fastest. */
struct plan single_row(const struct outlook *outlook, double remaining_ms, int cluster);

/* The same, or two rows where they save more than OUTLOOK_GAIN. */
struct plan best_plan(const struct outlook *outlook, double remaining_ms, int is_mixing);

/* The same rows for a frame with so much time. */
struct plan plan_again(const struct outlook *outlook, const struct plan *plan, double remaining_ms);

#endif

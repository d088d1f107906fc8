/* What changing clocks and cores takes on this machine, measured: runtime.govern.governor.change_times. */
#ifndef CHANGES_H
#define CHANGES_H

#include "outlook.h"

enum { CHANGES_KEPT = 15, CHANGES_LEAST = 3 };

struct change_times {
    double ms[2][CHANGES_KEPT]; /* of clocks; of moves to another cluster */
    int count[2];
};

/* Take note of a change, and keep its usual cost in cost. */
void note_change(struct change_times *times, double took_ms, int is_move, struct change_cost *cost);

#endif

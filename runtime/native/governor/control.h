/* What to run at, from what frames took: arithmetic only. */
#ifndef CONTROL_H
#define CONTROL_H

#include "table.h"

struct control {
    double deadline_ms, max_power_mw;
    int64_t max_freq_khz[TABLE_CLUSTERS];
    double slowdown;
    int row, calm; /* row -1: none yet */
    unsigned long frames, late;
};

void begin_control(struct control *control, double deadline_ms);

/* Learn from a frame, and decide. */
void take_frame(struct control *control, double latency_ms);

/* Decide anew after the deadline or a cap has changed. */
void decide(struct control *control);

#endif

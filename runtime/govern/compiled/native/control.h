/* What to run at, from what frames took: runtime.choose.decision.controller, which it equals frame by frame. */
#ifndef CONTROL_H
#define CONTROL_H

#include "table.h"
#include "trust.h"

struct control {
    double deadline_ms, max_power_mw;
    int64_t max_freq_khz[TABLE_CLUSTERS];
    double slowdown, margin;
    double ratios[FILTERED]; /* of the last frames, latency over the bound of their row */
    unsigned long seen;      /* frames that are in ratios, or were */
    int is_behind;           /* the last frame was late */
    struct trust trust;
    int row, calm; /* row -1: none, the kernel chooses */
    unsigned long frames, late;
};

void begin_control(struct control *control, double deadline_ms, double now_s);

/* Learn from a frame, and decide. */
void take_frame(struct control *control, double latency_ms, double now_s);

/* Decide for another deadline; a looser one is followed at once, too. */
void retarget(struct control *control, double deadline_ms, double now_s);

/* Decide anew, as after a cap has changed. */
void decide(struct control *control, double now_s);

#endif

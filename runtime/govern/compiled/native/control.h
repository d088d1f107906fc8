/* What to run at, from what frames took: runtime.choose.decision.controller, which it equals frame by frame.
 *
 * Plain C99 without allocation, input or output, as are slowdown.c, outlook.c and trust.c, which it needs: an
 * application may have them without the governor. Compile with -ffp-contract=off.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "outlook.h"
#include "trust.h"

enum { MOST_PARTS = 8 };

struct control {
    double deadline_ms, max_power_mw;
    int64_t max_freq_khz[TABLE_CLUSTERS];
    struct change_cost change; /* within a frame; assumed until it is measured */
    struct slowdown slowdown;
    struct trust trust;
    struct plan base, plan; /* of frames that begin in time; of the next frame, or the one that runs */
    int has_base, calm;
    double saved; /* by what was wanted, in the calm frames, in costs of a frame */
    double behind;        /* share of its deadline that the last frame took from the next one */
    double delay_ms;      /* usual time between a frame's release and its beginning */
    double remaining_ms;  /* of the frame that runs, when it began */
    int runs, is_changed; /* a frame does; it is at the second row of its plan */
    int reports_begins;   /* the last frame was begun */
    struct part parts[MOST_PARTS]; /* of the frame that runs, but the last */
    int part_count;
    int row; /* -1: the kernel chooses */
    double now_s; /* of the last frame */
    unsigned long frames, late;
};

void begin_control(struct control *control, double deadline_ms, double now_s);

/* A frame begins, remaining_ms before its deadline: decide what it runs at first. */
void begin_frame(struct control *control, double remaining_ms, double now_s);

/* When the frame that runs is to change its row, after its beginning; INFINITY: not any more, or none runs. */
double change_at_ms(const struct control *control);

/* Go on at the plan's second row, so long after the frame's beginning. */
void change_row(struct control *control, double after_ms);

/* Learn from a frame that is done, and decide. */
void take_frame(struct control *control, double latency_ms, double now_s);

/* Decide for another deadline; a looser one is followed at once, too. */
void retarget(struct control *control, double deadline_ms, double now_s);

/* Decide anew, as after a cap has changed. */
void decide(struct control *control, double now_s);

#endif

/* How many times its table's latency a frame takes, typically and at most: runtime.choose.decision.slowdown. */
#ifndef SLOWDOWN_H
#define SLOWDOWN_H

#include "table.h"

/* What a frame did at a row; row -1: the kernel chose the clock. */
struct part {
    int row;
    double ms;
};

struct slowdown {
    double of_cluster[TABLE_CLUSTERS]; /* of a typical frame */
    double spread, reach;              /* the bound lies reach spreads above that */
    int is_known;                      /* frames have shown it; before that the table's own bounds hold */
    int frames;                        /* since then */
    int seen[TABLE_CLUSTERS];          /* the same, since it was moved to */
    int home;     /* cluster of the last frame */
    double jump;  /* the device's last change of level */
    double recent[SLOW_RECENT]; /* oldest first */
    int recent_count;
    double rooms[SLOW_WINDOW]; /* how far the last frames were off the typical one */
    int room_count, next_room;
    double cap; /* on the bound's, by those */
};

void begin_slowdown(struct slowdown *slowdown);

/* What all but the frames that may be late stay below, in typical frames. */
double upper_of(const struct slowdown *slowdown);

/* Learn from a frame that is done; is_missed: it was late, whatever it took; most: typical frames beyond which nothing
 * would have been in time. */
void learn(struct slowdown *slowdown, const struct part *parts, int count, int is_missed, double most);

#endif

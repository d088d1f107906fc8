/* Whether the table's promises may be acted on, by the frames that broke them: runtime.choose.decision.trust. */
#ifndef TRUST_H
#define TRUST_H

#include "table.h"

struct trust {
    char recent[TRUST_WINDOW]; /* whether each of the last frames lay outside, the oldest at next */
    int count, next, outside;
    double back_s, wait_s;
};

void begin_trust(struct trust *trust);

/* Take note of a frame and of the upper bound it had been given. */
void watch(struct trust *trust, double latency_ms, double bound_ms, double now_s);

int is_trusted(const struct trust *trust, double now_s);

#endif

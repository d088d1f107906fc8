#include "trust.h"

#include <math.h>
#include <string.h>

static const int most_outside[TRUST_WINDOW + 1] = TRUST_MOST_OUTSIDE;

void begin_trust(struct trust *trust)
{
    memset(trust, 0, sizeof *trust);
    trust->back_s = -INFINITY;
    trust->wait_s = TRUST_CALM_S;
}

void watch(struct trust *trust, double latency_ms, double bound_ms, double now_s)
{
    const char is_outside = !(latency_ms <= bound_ms * TRUST_TOLERANCE);

    if (trust->count == TRUST_WINDOW)
        trust->outside -= trust->recent[trust->next];
    else
        trust->count++;
    trust->recent[trust->next] = is_outside;
    trust->next = (trust->next + 1) % TRUST_WINDOW;
    trust->outside += is_outside;
    if (trust->outside > most_outside[trust->count]) {
        trust->count = trust->next = trust->outside = 0;
        trust->back_s = now_s + trust->wait_s;
        trust->wait_s = 2.0 * trust->wait_s < TRUST_LONGEST_S ? 2.0 * trust->wait_s : TRUST_LONGEST_S;
    } else if (now_s > trust->back_s + TRUST_LONGEST_S) {
        trust->wait_s = TRUST_CALM_S; /* it has held for so long that the past is forgotten */
    }
}

int is_trusted(const struct trust *trust, double now_s)
{
    return now_s >= trust->back_s;
}

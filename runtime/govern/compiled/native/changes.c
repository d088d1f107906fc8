#include "changes.h"

#include <string.h>

static double median(const double *ms, int count)
{
    double sorted[CHANGES_KEPT];

    for (int i = 0, at; i < count; i++) {
        for (at = i; at > 0 && sorted[at - 1] > ms[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = ms[i];
    }
    return 0.5 * (sorted[(count - 1) / 2] + sorted[count / 2]);
}

void note_change(struct change_times *times, double took_ms, int is_move, struct change_cost *cost)
{
    double *ms = times->ms[is_move];
    int *count = &times->count[is_move];

    if (*count == CHANGES_KEPT)
        memmove(ms, ms + 1, (CHANGES_KEPT - 1) * sizeof *ms);
    else
        ++*count;
    ms[*count - 1] = took_ms;
    if (*count >= CHANGES_LEAST)
        *(is_move ? &cost->cluster_ms : &cost->clock_ms) = median(ms, *count);
}

/* Time the native governor's own steps, linked to its sources: from a frame to the clock that was written.
 *
 * usage: decision_cost ROOT STATE FRAMES
 *
 * Frames alternate between fast and slow runs, so that the clock changes often. Prints one line a frame: what
 * deciding took and what following took, in ns, and whether the row changed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "steer.h"

static long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(int count, char **words)
{
    static struct steer steer;
    static struct control control;
    const int frames = count > 3 ? atoi(words[3]) : 0;
    long *times = malloc(sizeof *times * 2 * (size_t)(frames + 1));
    char *changed = malloc((size_t)frames + 1);

    if (frames < 1 || !times || !changed)
        return 2;
    strcpy(steer.root, words[1]);
    begin_control(&control, TABLE_DEADLINE_MS, 0.0);
    if (open_journal(&steer.journal, words[2]) || begin_steer(&steer, control.row))
        return 1;
    srand(1);
    for (int i = 0; i < frames; i++) {
        const double slow = i / 40 % 2 ? 2.5 : 0.4;
        const double bound_ms = table_rows[control.row < 0 ? 0 : control.row].latency_high_ms;
        const double latency_ms = bound_ms * slow * (1.0 + 0.1 * rand() / RAND_MAX);
        const int row = control.row;
        const long begin_ns = now_ns();

        take_frame(&control, latency_ms, i);
        times[2 * i] = now_ns();
        follow(&steer, control.row);
        times[2 * i + 1] = now_ns() - times[2 * i];
        times[2 * i] -= begin_ns;
        changed[i] = control.row != row;
    }
    for (int i = 0; i < frames; i++)
        printf("%ld %ld %d\n", times[2 * i], times[2 * i + 1], changed[i]);
    return end_steer(&steer) != 0;
}

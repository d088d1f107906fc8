/* Time what a compiled predictor needs for a decision: every setting asked, the cheapest in time taken.
 *
 * usage: decide_by_trees < doubles: settings, features, decisions, deadline_ms, then power_mw of each setting, then
 * per decision the features of each setting. Prints per decision the setting, the ns it took and its log latency.
 * The generated code is in adapter.h: static double predict_log(double *features).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "adapter.h"

static long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(void)
{
    double head[4], *power_mw, *features;

    if (fread(head, sizeof head, 1, stdin) != 1)
        return 1;
    const size_t settings = (size_t)head[0], width = (size_t)head[1], decisions = (size_t)head[2];
    power_mw = malloc(settings * sizeof *power_mw);
    features = malloc(settings * width * sizeof *features);
    if (!power_mw || !features || fread(power_mw, sizeof *power_mw, settings, stdin) != settings)
        return 1;
    for (size_t d = 0; d < decisions; d++) {
        double least_mj = INFINITY, log_ms = 0.0;
        size_t best = 0;
        long begin_ns;

        if (fread(features, sizeof *features, settings * width, stdin) != settings * width)
            return 1;
        begin_ns = now_ns();
        for (size_t s = 0; s < settings; s++) {
            const double predicted = predict_log(features + s * width), ms = exp(predicted);

            if (ms <= head[3] && ms * power_mw[s] < least_mj) {
                least_mj = ms * power_mw[s];
                best = s;
                log_ms = predicted;
            }
        }
        printf("%zu %ld %.17g\n", best, now_ns() - begin_ns, log_ms);
    }
    return 0;
}

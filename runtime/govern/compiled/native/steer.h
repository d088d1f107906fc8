/* Bring the machine to a row of the table, and back to how it was. */
#ifndef STEER_H
#define STEER_H

#include "cpufreq.h"
#include "journal.h"
#include "table.h"

enum { MOST_LOST = 3 };

struct steer {
    char root[PATH_SIZE];
    long pid; /* whose threads are moved; 0: nobody's */
    int is_dry;
    struct journal journal;
    struct clock clocks[TABLE_CLUSTERS];
    struct clock_state before[TABLE_CLUSTERS];
    int is_noted[TABLE_CLUSTERS];
    int row;  /* that the machine was set to; -1: none */
    int lost; /* how often others changed the clock; above MOST_LOST it is left to the kernel */
};

/* Find every clock of the table, put back what killed runs left, note how it is, and set the first row. */
int begin_steer(struct steer *steer, int row);

/* Bring the machine to a row, unless others keep it from being there; -1 leaves it to the kernel. */
void follow(struct steer *steer, int row);

/* Put everything back, and forget what is; -1 and said where something could not be. */
int end_steer(struct steer *steer);

#endif

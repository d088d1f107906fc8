/* The command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "files.h"

struct options {
    char root[PATH_SIZE]; /* above sys, without a slash at its end */
    const char *state, *socket;
    double deadline_ms;
    long pid;
    int dry_run;
};

/* Read the command line; ends the program where it cannot be understood, or asks for help. */
void read_options(struct options *options, int count, char **words);

#endif

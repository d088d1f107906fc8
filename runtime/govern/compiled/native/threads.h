/* The CPUs that the threads of the governed process may run on. */
#ifndef THREADS_H
#define THREADS_H

/* Let every thread of a process run on these CPUs only: all of them, or none; -1 and said where one cannot. */
int move_threads(long pid, const int *cpus, int cpu_count);

/* Let them run again where the process's first thread might before. */
void free_threads(long pid);

#endif

/* Take a share of one CPU away from everything of lower priority: a slow core out of a fast one.
 *
 * usage: steal CPU PRIORITY [OVERHEAD_NS]        PRIORITY of SCHED_FIFO, at least 2
 *
 * Says "ready OVERHEAD_NS" on stdout, then reads from stdin, as native 32-bit integers, how many millionths of the CPU the others may keep;
 * 1000000 (and the start) leaves them all of it. Ends at end of file, or when its parent dies.
 *
 * Others run while this program sleeps. It sleeps for about CHUNK_NS, looks how long that really was (a
 * timer comes late, a virtual machine later still), and spins until the sleep is the wanted share of sleep
 * + spin. So the share is right whatever the timer does. Chunks are of equal size for every share, because
 * what each loses weighs against its size, and differ at random by half of it, so that no work keeps step
 * with them. OVERHEAD_NS of each sleep goes into interrupts and switching tasks, not into the others' work;
 * unless it is given, it is measured first, against a child that works as fast as it can.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FULL = 1000000, CHUNK_NS = 1000000, MOST_OVERHEAD_NS = 300000 };

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *doing)
{
    fprintf(stderr, "steal: cannot %s: %s\n", doing, strerror(errno));
    exit(1);
}

static void take_over(int cpu, int priority)
{
    cpu_set_t set;
    struct sched_param param = {.sched_priority = priority};

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN); /* Ctrl-C is for the workload; the end of stdin ends this */
    if (sched_setaffinity(0, sizeof set, &set))
        fail("run on that CPU");
    if (mlockall(MCL_CURRENT | MCL_FUTURE))
        fail("lock its memory");
    if (sched_setscheduler(0, SCHED_FIFO, &param))
        fail("become SCHED_FIFO");
}

/* Return CHUNK_NS, half of it more or less. */
static int64_t next_chunk_ns(void)
{
    static uint32_t state = 2463534242u; /* Marsaglia, "Xorshift RNGs", 2003 */

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return CHUNK_NS / 2 + (int64_t)state * CHUNK_NS / 4294967296LL;
}

/* Sleep for a chunk, then spin until it was `kept` millionths of both. Return how long the sleep was in ns, or
 * -1 when an order arrived in it. */
static int64_t one_period(struct pollfd *orders, int64_t kept, int64_t overhead_ns)
{
    int64_t gone_ns = now_ns(), slept_ns, until_ns;
    struct timespec nap = {.tv_nsec = next_chunk_ns() + overhead_ns};
    int ready = ppoll(orders, orders ? 1 : 0, orders && kept == FULL ? NULL : &nap, NULL);

    if (ready < 0 && errno != EINTR)
        fail("wait");
    if (ready > 0)
        return -1;
    slept_ns = now_ns() - gone_ns;
    until_ns = gone_ns + overhead_ns + (slept_ns - overhead_ns) * FULL / kept;
    while (now_ns() < until_ns)
        ;
    return slept_ns;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Walk over as much memory as the inner loops of a network do, and count the steps: what an interruption
 * costs is caches and predictors gone cold, too. */
static void work(volatile uint64_t *count)
{
    enum { SIZE = 2048 * 1024, LINE = 64, STEP = 4096 };
    static volatile char memory[SIZE];

    memset((char *)memory, 1, SIZE);
    for (uint64_t sum = 0;;)
        for (size_t step = 0; step < SIZE; step += STEP) {
            for (size_t line = step; line < step + STEP; line += LINE)
                sum += memory[line] & sum;
            ++*count;
        }
}

/* Return how much a child does in a nanosecond of its own. */
static double full_speed(volatile uint64_t *count)
{
    struct timespec full = {.tv_nsec = 20000000};
    int64_t start_ns = now_ns();
    uint64_t before = *count;

    nanosleep(&full, NULL);
    return (double)(*count - before) / (now_ns() - start_ns);
}

/* Return what each sleep loses, in ns: its length less the time that the work done in it takes at full
 * speed, by a child's count. The median of a few rounds. */
static int64_t measure_overhead_ns(int priority)
{
    enum { ROUNDS = 9, PERIODS = 40 };
    int64_t found[ROUNDS], lost_ns;
    volatile uint64_t *count =
        mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child;

    if (count == MAP_FAILED || (child = fork()) < 0)
        fail("start a child to measure");
    if (child == 0) {
        struct sched_param below = {.sched_priority = priority - 1};
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (sched_setscheduler(0, SCHED_FIFO, &below)) /* so that nobody else gets in between */
            _exit(1);
        work(count);
    }
    full_speed(count); /* the child has started */
    for (int round = 0; round < ROUNDS; round++) {
        int64_t slept_ns = 0, worked;
        double before, after;

        before = full_speed(count);
        worked = *count;
        for (int i = 0; i < PERIODS; i++)
            slept_ns += one_period(NULL, FULL / 5, 0);
        worked = *count - worked;
        after = full_speed(count); /* what else the machine does slows both down */
        found[round] = before + after > 0 ? (slept_ns - 2 * worked / (before + after)) / PERIODS : 0;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    qsort(found, ROUNDS, sizeof *found, ascending);
    /* An inference engine loses about four times what the walk does (MobileNetV2 on LiteRT: see
     * tests/benchmarks/emulation.py), a loop in registers nearly nothing. */
    lost_ns = 4 * found[ROUNDS / 2];
    return lost_ns < 0 ? 0 : lost_ns > MOST_OVERHEAD_NS ? MOST_OVERHEAD_NS : lost_ns;
}

int main(int argc, char **argv)
{
    struct pollfd orders = {.fd = STDIN_FILENO, .events = POLLIN};
    int64_t kept = FULL, overhead_ns;
    int priority;

    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: steal CPU PRIORITY [OVERHEAD_NS]\n");
        return 2;
    }
    priority = atoi(argv[2]);
    take_over(atoi(argv[1]), priority);
    overhead_ns = argc == 4 ? atoll(argv[3]) : measure_overhead_ns(priority);
    printf("ready %lld\n", (long long)overhead_ns);
    if (fflush(stdout))
        fail("say that it is ready");
    for (;;) {
        uint32_t asked;

        if (one_period(&orders, kept, overhead_ns) >= 0)
            continue;
        if (read(STDIN_FILENO, &asked, sizeof asked) != sizeof asked)
            return 0;
        if (asked >= 1 && asked <= FULL)
            kept = asked; /* counts from now on */
    }
}

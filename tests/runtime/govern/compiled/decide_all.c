/* Answers questions from stdin, in the order they come: what the compiled decision says, as raw numbers. */
#include <stdio.h>

#include "table.h"

int main(void)
{
    int64_t kind;

    while (fread(&kind, sizeof kind, 1, stdin) == 1) {
        double given[3], slowdown;
        int64_t caps[TABLE_CLUSTERS], rows[2], decided;
        int calm;

        switch (kind) {
        case 0:
        case 1:
            if (fread(given, sizeof given, 1, stdin) != 1 || fread(caps, sizeof caps, 1, stdin) != 1)
                return 1;
            decided = table_decide(given[0], given[1], given[2], kind ? caps : NULL);
            fwrite(&decided, sizeof decided, 1, stdout);
            break;
        case 2:
            if (fread(given, sizeof given, 1, stdin) != 1)
                return 1;
            slowdown = table_next_slowdown(given[0], given[1], given[2]);
            fwrite(&slowdown, sizeof slowdown, 1, stdout);
            break;
        case 3:
            if (fread(given, sizeof given, 1, stdin) != 1)
                return 1;
            slowdown = table_next_margin(given[0], given[1] > 0.0);
            fwrite(&slowdown, sizeof slowdown, 1, stdout);
            break;
        default:
            if (fread(rows, sizeof rows, 1, stdin) != 1)
                return 1;
            calm = (int)(kind - 4);
            decided = table_next_row((int)rows[0], (int)rows[1], &calm) * 1000 + calm;
            fwrite(&decided, sizeof decided, 1, stdout);
        }
    }
    return 0;
}

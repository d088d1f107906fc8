/* Answers questions from stdin, in the order they come: what the compiled decision says, as raw numbers. */
#include <stdio.h>

#include "table.h"

int main(void)
{
    int64_t kind;

    while (fread(&kind, sizeof kind, 1, stdin) == 1) {
        double given[3];
        int64_t caps[TABLE_CLUSTERS], decided;

        if (fread(given, sizeof given, 1, stdin) != 1 || fread(caps, sizeof caps, 1, stdin) != 1)
            return 1;
        decided = table_decide(given[0], given[1], given[2], kind ? caps : NULL);
        fwrite(&decided, sizeof decided, 1, stdout);
    }
    return 0;
}

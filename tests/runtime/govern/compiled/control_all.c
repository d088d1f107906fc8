/* Plays frames, deadlines and caps from stdin to the native governor's control; prints what it decides, raw. */
#include <stdio.h>

#include "control.h"

enum { FRAME, DEADLINE, CAP, BEGIN, CHANGE };

int main(void)
{
    struct {
        int64_t kind;
        double value, now_s;
    } given;
    static struct control control;

    begin_control(&control, TABLE_DEADLINE_MS, 0.0);
    while (fread(&given, sizeof given, 1, stdin) == 1) {
        struct {
            double row, change_ms, upper, spread, of_cluster[TABLE_CLUSTERS];
        } shown;

        switch (given.kind) {
        case FRAME: take_frame(&control, given.value, given.now_s); break;
        case DEADLINE: retarget(&control, given.value, given.now_s); break;
        case BEGIN: begin_frame(&control, given.value, given.now_s); break;
        case CHANGE: change_row(&control, given.value); break;
        default:
            control.max_power_mw = given.value;
            decide(&control, given.now_s);
        }
        shown.row = control.row;
        shown.change_ms = change_at_ms(&control);
        shown.upper = upper_of(&control.slowdown);
        shown.spread = control.slowdown.spread;
        for (int i = 0; i < TABLE_CLUSTERS; i++)
            shown.of_cluster[i] = control.slowdown.of_cluster[i];
        fwrite(&shown, sizeof shown, 1, stdout);
    }
    return 0;
}

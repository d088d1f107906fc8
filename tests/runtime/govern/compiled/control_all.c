/* Plays frames, deadlines and caps from stdin to the native governor's control; prints what it decides, raw. */
#include <stdio.h>

#include "control.h"

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
            double row, slowdown, margin;
        } shown;

        if (given.kind == 0)
            take_frame(&control, given.value, given.now_s);
        else if (given.kind == 1)
            retarget(&control, given.value, given.now_s);
        else {
            control.max_power_mw = given.value;
            decide(&control, given.now_s);
        }
        shown.row = control.row;
        shown.slowdown = control.slowdown;
        shown.margin = control.margin;
        fwrite(&shown, sizeof shown, 1, stdout);
    }
    return 0;
}

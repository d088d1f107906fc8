#include "outlook.h"

#include <math.h>

/* What a frame of expected_ms costs at a row: energy in uJ, or else the row's place in the order. */
static double cost_at(int row, double expected_ms)
{
    return TABLE_IS_ENERGY ? (table_rows[row].power_mw + TABLE_OVER_MW) * expected_ms : (double)row;
}

static double expected_at(const struct slowdown *slowdown, int row)
{
    return table_rows[row].latency_ms * slowdown->of_cluster[table_rows[row].cluster];
}

double bound_at(const struct slowdown *slowdown, int row)
{
    return slowdown->is_known ? expected_at(slowdown, row) * upper_of(slowdown) : table_rows[row].latency_high_ms;
}

void look_out(struct outlook *outlook, const struct slowdown *slowdown, const struct change_cost *change,
              double max_power_mw, const int64_t *max_freq_khz)
{
    outlook->slowdown = slowdown;
    outlook->change = change;
    for (int i = 0; i < TABLE_ROWS; i++) {
        const table_row *row = &table_rows[i];

        outlook->is_allowed[i] = row->power_mw <= max_power_mw && !(row->freq_khz > max_freq_khz[row->cluster]);
        outlook->expected_ms[i] = expected_at(slowdown, i);
        outlook->bound_ms[i] = bound_at(slowdown, i);
    }
}

struct plan single_row(const struct outlook *outlook, double remaining_ms, int cluster)
{
    struct plan plan = {-1, -1, INFINITY, INFINITY};
    double least_ms = INFINITY;
    int fastest = -1;

    for (int i = 0; i < TABLE_ROWS; i++) {
        if (!outlook->is_allowed[i] || (cluster >= 0 && cluster != table_rows[i].cluster))
            continue;
        if (outlook->bound_ms[i] <= remaining_ms && cost_at(i, outlook->expected_ms[i]) < plan.cost) {
            plan.first = i;
            plan.cost = cost_at(i, outlook->expected_ms[i]);
        }
        if (outlook->bound_ms[i] < least_ms) {
            fastest = i;
            least_ms = outlook->bound_ms[i];
        }
    }
    if (plan.first < 0)
        plan.first = fastest < 0 ? TABLE_COOLEST : fastest;
    plan.then = plan.first;
    return plan;
}

/* The plan of two rows that is just in time. */
static struct plan mix(const struct outlook *outlook, int first, int then, double remaining_ms)
{
    struct plan plan = {first, then, 0.0, INFINITY};
    const double slow_ms = outlook->expected_ms[first], fast_ms = outlook->expected_ms[then];
    const double spread = outlook->slowdown->spread;
    const double change_ms = table_rows[first].cluster == table_rows[then].cluster ? outlook->change->clock_ms
                                                                                   : outlook->change->cluster_ms;
    const double spare_ms = remaining_ms - outlook->bound_ms[then];
    double own_ms, done, changed = 0.0, rest = 0.0;

    if (!(spare_ms > 0.0 && fast_ms < slow_ms))
        return plan;
    own_ms = spare_ms / (1.0 - fast_ms / slow_ms);
    done = own_ms / slow_ms;
    if (done <= 1.0 - 2.0 * spread) {
        changed = 1.0;
        rest = 1.0 - done;
    } else if (done < 1.0 + 2.0 * spread) {
        const double over = 1.0 + 2.0 * spread - done;

        changed = over / (4.0 * spread);
        rest = 0.5 * over * changed;
    }
    plan.cost = cost_at(first, slow_ms) * (1.0 - rest) + cost_at(then, fast_ms) * rest;
    plan.cost = plan.cost + changed * (cost_at(first, change_ms) + cost_at(then, change_ms));
    plan.until_ms = own_ms;
    return plan;
}

struct plan best_plan(const struct outlook *outlook, double remaining_ms, int is_mixing)
{
    struct plan found = single_row(outlook, remaining_ms, -1);
    double limit = found.cost * (1.0 - OUTLOOK_GAIN);

    if (!is_mixing || !outlook->slowdown->is_known || found.cost == INFINITY)
        return found;
    for (int first = 0; first < TABLE_ROWS; first++) {
        if (table_rows[first].mix < 0 || !outlook->is_allowed[first] || outlook->bound_ms[first] <= remaining_ms ||
            cost_at(first, outlook->expected_ms[first]) >= limit)
            continue;
        for (int then = 0; then < TABLE_ROWS; then++) {
            struct plan plan;

            if (table_rows[then].mix != table_rows[first].mix || !outlook->is_allowed[then] ||
                !(outlook->bound_ms[then] <= remaining_ms))
                continue;
            plan = mix(outlook, first, then, remaining_ms);
            if (plan.cost < limit) {
                found = plan;
                limit = plan.cost;
            }
        }
    }
    return found;
}

struct plan plan_again(const struct outlook *outlook, const struct plan *plan, double remaining_ms)
{
    struct plan again = {plan->first, plan->first, INFINITY, INFINITY};

    if (plan->then != plan->first) {
        if (outlook->is_allowed[plan->first] && outlook->is_allowed[plan->then])
            return mix(outlook, plan->first, plan->then, remaining_ms);
        again = *plan;
        again.cost = INFINITY;
    } else if (outlook->is_allowed[plan->first] && outlook->bound_ms[plan->first] <= remaining_ms) {
        again.cost = cost_at(plan->first, outlook->expected_ms[plan->first]);
    }
    return again;
}

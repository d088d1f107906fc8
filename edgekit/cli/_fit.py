"""How a fitted predictor is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.cli._output import note, print_table, say

if TYPE_CHECKING:
    from runtime.choose.fitting import FitResult

_FIRST_COLUMN = {"fit": "regressor", "transfer": "correction", "update": "predictor"}


def print_fit(result: FitResult) -> None:
    """Print the candidates' errors, the best first, and what the chosen one promises."""
    ranked = sorted(result.scores.items(), key=lambda item: item[1])
    rows = [(name, error_pct, "<- chosen" if name == result.chosen else "") for name, error_pct in ranked]
    print_table((_FIRST_COLUMN[result.made_by], "error %", ""), rows)
    say("\n" + _DESCRIBE[result.made_by](result))
    say(
        f"With {result.confidence:.0%} confidence a frame takes at most {result.interval_pct:.2g} % longer. "
        f"The bound is {result.interval_reason}."
    )
    for reason, count in result.left_out.items():
        note(f"{count} {'records' if result.made_by != 'update' else 'cases'} left out: {reason}")


def _describe_fit(result: FitResult) -> str:
    models = f" of {len(result.models)} models" if len(result.models) > 1 else ""
    return (
        f"Learnt from {result.n_records} {result.provenance} records{models}; errors by cross-validation "
        f"over {result.n_groups} groups ({result.grouped_by}).\n"
        f"On groups it never saw {result.chosen} is {result.holdout_mape_pct:.2g} % off."
    )


def _describe_transfer(result: FitResult) -> str:
    return (
        f"Transferred from {result.source} with {result.n_groups} {result.provenance} settings; errors of "
        f"each predicted from the others. Uncorrected, it is {result.scores['source']:.2g} % off."
    )


def _describe_update(result: FitResult) -> str:
    if not result.drifts:
        return f"The run's {result.n_records} cases agree with the predictor: nothing was corrected."
    return f"Corrected {result.drifts} times so far; now {result.holdout_mape_pct:.2g} % off on the run."


_DESCRIBE = {"fit": _describe_fit, "transfer": _describe_transfer, "update": _describe_update}

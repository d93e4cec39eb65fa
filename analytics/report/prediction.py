"""The tables of prediction: corrected performance, calibration, decision curves, ridge models."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

from analytics.report.document import stated
from analytics.report.models import SPECIFICATIONS, by_time, fits_of, terms_of
from analytics.report.text import OUTCOMES, Cells, Table, labelled, rounded
from analytics.stats.result import NotEstimable, Results

__all__ = ["prediction_tables"]

PROCEDURES = {"": "Maximum likelihood", "/firth": "Firth's penalty", "/ridge": "Ridge penalty"}
MEASURES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "auc": "AUC",
    "brier": "Brier score",
    "nagelkerke_r2": "Nagelkerke R²",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
    "calibration_in_the_large": "Intercept at slope 1",
}
LARGE = ("in_the_large", "in_the_large_low", "in_the_large_high")
SHARES = frozenset({"accuracy", "sensitivity", "specificity", "auc", "brier"})
Rows = list[tuple[str, ...]]
Fits = list[tuple[str, str]]


def prediction_tables(results: Results, specification: str) -> Iterator[Table]:
    """Print what a plan says of one specification as a prediction; nothing where it says nothing."""
    named = SPECIFICATIONS[specification]
    for code, title, family, made in (
        ("performance", "Performance corrected for optimism", "prediction", _performance),
        ("calibration", "Calibration", "calibration", _calibration),
        ("decision", "Decision curve, net benefit", "decision", _decision),
        ("ridge", "Ridge model", "ridge", _ridge),
    ):
        suffix = "/line" if family == "calibration" else ""
        times = {f"{outcome}{suffix}": shown for outcome, shown in OUTCOMES.items()}
        found = [(id.removesuffix(suffix), shown) for id, shown in fits_of(results, f"{family}/{specification}", times)]
        for end, at, fits in by_time(found):
            cells = Cells(results)
            rows = made(cells, fits)
            columns = ("", *(shown for _, shown in fits))
            yield Table(f"{code}_{specification}{end}", f"{title}: {named}{at}", columns, tuple(rows), cells.footnotes)


def _each(cells: Cells, fits: Fits, below: str, shown: Callable[[str], str]) -> list[str]:
    return [cells.optional(f"{id}{below}", shown) for id, _ in fits]


def _performance(cells: Cells, fits: Fits) -> Rows:
    rows: Rows = []
    for suffix, procedure in PROCEDURES.items():
        if any(cells.has(f"{id}{suffix}/auc") for id, _ in fits):
            rows.append((f"{procedure}, cases", *_each(cells, fits, suffix, cells.n)))
            rows.append(
                ("  Resamples without a model", *_each(cells, fits, suffix, lambda id: cells.count(id, "n_failed")))
            )
            for code, title in MEASURES.items():
                ends = (0.0, 1.0) if code in SHARES else (-math.inf, math.inf)
                shown = partial(cells.corrected, bounds=ends)
                rows.append((f"  {title}", *_each(cells, fits, f"{suffix}/{code}", shown)))
    cells.note(
        "Apparent → corrected (95 % interval): apparent less the mean of training minus test over the resamples."
    )
    cells.note(
        "Accuracy, sensitivity and specificity are shares at the cut-off of one half. The intervals are approximate."
    )
    cells.note("Limits of shares, AUC and Brier score beyond 0 and 1 are cut for print.")
    return rows


def _calibration(cells: Cells, fits: Fits) -> Rows:
    rows: Rows = []
    for suffix, procedure in PROCEDURES.items():
        line, curve = f"{suffix}/line", f"{suffix}/curve"
        if any(cells.has(f"{id}{line}") for id, _ in fits):
            rows += [
                (procedure, *("" for _ in fits)),
                ("  Intercept at slope 1", *_each(cells, fits, line, lambda id: cells.interval(id, LARGE))),
                (
                    "  Slope",
                    *_each(cells, fits, line, lambda id: cells.interval(id, ("slope", "slope_low", "slope_high"))),
                ),
                ("  Test of 0 and 1, p", *_each(cells, fits, line, lambda id: cells.p(id, "unreliability_p"))),
                ("  Spiegelhalter, p", *_each(cells, fits, line, lambda id: cells.p(id, "spiegelhalter_p"))),
                (
                    "  Curve's mean distance",
                    *_each(cells, fits, curve, lambda id: cells.number(id, "mean_distance", 3)),
                ),
                (
                    "  Curve's greatest distance",
                    *_each(cells, fits, curve, lambda id: cells.number(id, "greatest_distance", 3)),
                ),
            ]
    rows.append(("Shrinkage factor", *_each(cells, fits, "/shrinkage", lambda id: cells.number(id, "factor"))))
    cells.note(
        "Of the cases the model was fitted to: maximum likelihood has intercept 0 and slope 1 there by construction."
    )
    cells.note("The corrected slope stands in the table of performance. Shrinkage factor: (χ² − df) / χ² of the model.")
    return rows


def _decision(cells: Cells, fits: Fits) -> Rows:
    rows: Rows = []
    found = {
        float(entry.id.rpartition("_")[2]) for id, _ in fits for entry in cells.results.under(f"{id}/net_benefit_")
    }
    for threshold in sorted(found):
        shown = stated(rounded(threshold, 0, Fraction(100)), "plan/thresholds")
        rows.append((f"Threshold {shown} %, treat all", *(_all(cells, id, threshold) for id, _ in fits)))
        for suffix, procedure in PROCEDURES.items():
            below = f"{suffix}/net_benefit_{threshold:g}"
            rows.append((f"  {procedure}", *_each(cells, fits, below, cells.corrected)))
    cells.note("Net benefit TP/n − FP/n · t/(1 − t), apparent → corrected for optimism (95 % interval). Treat none: 0.")
    return rows


def _all(cells: Cells, id: str, threshold: float) -> str:
    """Net benefit of treating everybody: from the first procedure that has a model."""
    field = f"treat_all_{threshold:g}"
    for suffix in PROCEDURES:
        known = cells.results.entry(f"{id}{suffix}").values.get(field) if cells.has(f"{id}{suffix}") else None
        if known is not None and not isinstance(known, NotEstimable):
            return cells.number(f"{id}{suffix}", field)
    return ""


def _ridge(cells: Cells, fits: Fits) -> Rows:
    def odds(id: str) -> str:
        return cells.ratio(id, ("or", "or_ci_low", "or_ci_high"))

    rows: Rows = [
        (labelled(cells.results, name), *_each(cells, fits, f"/{name}", odds))
        for name in terms_of(cells.results, [id for id, _ in fits])
    ]
    rows.append(("Cases", *(cells.n(id) for id, _ in fits)))
    rows.append(("Penalty", *(cells.number(id, "penalty") for id, _ in fits)))
    rows.append(("Effective degrees of freedom", *(cells.number(id, "effective_df") for id, _ in fits)))
    cells.note("Odds ratio with the 95 % limits of the normal prior; penalty on standardised slopes by corrected AIC.")
    return rows

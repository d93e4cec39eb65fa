"""Figures of the report, drawn from results with matplotlib; the same results give the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from analytics.figures import agreement, alluvial, flow, odds, pain, pairs, prediction
from analytics.figures.sheet import Format, Sheet, saved, style

if TYPE_CHECKING:
    from analytics.stats.result import Results

__all__ = ["ALTS", "TITLES", "available", "draw", "sheets"]


class Kind(NamedTuple):
    """A figure: its title, what is seen in words, whether results allow it, and how it is drawn."""

    title: str
    alt: str
    ready: Callable[[Results], bool]
    make: Callable[[Results], Sheet]


KINDS: dict[str, Kind] = {
    "exclusion_flow": Kind(
        "Flow of the patients",
        "Boxes from patients assessed, with an arrow to those excluded by reason, to those included.",
        flow.ready,
        flow.make,
    ),
    "response_flow": Kind(
        "Pain reduction from 15 minutes to 1 month",
        "Ribbons from six classes of pain reduction at 15 minutes through success to the same at 1 month.",
        alluvial.ready,
        alluvial.make,
    ),
    "nrs_over_time": Kind(
        "Pain at baseline, 15 minutes and 1 month",
        "A box with median and quartiles for each time, the means joined by a line.",
        pain.over_time_ready,
        pain.over_time,
    ),
    "qq_change": Kind(
        "Normal Q-Q plots of the changes of pain",
        "One panel a pair of times: observed changes against those expected of a normal distribution.",
        pain.quantiles_ready,
        pain.quantiles,
    ),
    "kappa_forest": Kind(
        "Agreement of the readers with 95 % confidence intervals",
        "One line a finding: coefficient with its interval, over the bands of the words for agreement.",
        agreement.ready,
        agreement.make,
    ),
    "agreement_tables": Kind(
        "Grades of one reader against those of the other",
        "One small table of counts a finding, darker where more cases are; equal grades are framed.",
        pairs.tables_ready,
        pairs.tables,
    ),
    "bland_altman": Kind(
        "Differences between readers against their mean, with limits of agreement",
        "Dots of difference against mean, lines for bias and limits of agreement with bands for their intervals.",
        pairs.bland_altman_ready,
        pairs.bland_altman,
    ),
    "odds_ratios_15min": Kind(
        "Odds ratios of success at 15 minutes, by reader",
        "One line a finding and reader: odds ratio with its interval on a logarithmic scale, numbers beside it.",
        odds.at("success_15min"),
        odds.made("success_15min"),
    ),
    "odds_ratios_1month": Kind(
        "Odds ratios of success at 1 month, by reader",
        "One line a finding and reader: odds ratio with its interval on a logarithmic scale, numbers beside it.",
        odds.at("success_1month"),
        odds.made("success_1month"),
    ),
    "roc": Kind(
        "ROC curves of the models, by reader and time",
        "Sensitivity against 1 − specificity, one curve a reader; areas with intervals in the legend.",
        prediction.roc_ready,
        prediction.roc,
    ),
    "calibration": Kind(
        "Calibration of the models, by reader and time",
        "Observed share against predicted probability: tenths of the cases, smoothed curve, diagonal.",
        prediction.calibration_ready,
        prediction.calibration,
    ),
    "decision_curve": Kind(
        "Decision curves of the models, by reader and time",
        "Net benefit against threshold probability, beside treating everybody and treating nobody.",
        prediction.decision_ready,
        prediction.decision,
    ),
}
TITLES = {name: kind.title for name, kind in KINDS.items()}
ALTS = {name: kind.alt for name, kind in KINDS.items()}


def available(results: Results) -> list[str]:
    """Name the figures the results allow, in their order; nothing is drawn."""
    return [name for name, kind in KINDS.items() if kind.ready(results)]


def sheets(results: Results) -> dict[str, Sheet]:
    """Build every figure the results allow; call it inside `sheet.style`."""
    return {name: KINDS[name].make(results) for name in available(results)}


def draw(results: Results, format: Format = "svg") -> dict[str, bytes]:
    """Draw every figure the results allow.

    Parameters
    ----------
    results : Results
        What a plan computed.
    format : {"svg", "pdf", "png", "tiff"}
        PNG and TIFF have 600 pixels an inch; letters are outlines in SVG and embedded TrueType fonts in PDF.

    Returns
    -------
    dict of str to bytes
        By name, see `TITLES`. No date, no random identifier inside: the same results give the same bytes.
    """
    drawn = {}
    for name in available(results):
        with style():
            drawn[name] = saved(KINDS[name].make(results), format, KINDS[name].title)
    return drawn

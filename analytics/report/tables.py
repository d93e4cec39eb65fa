"""Which tables a report has and in which part of it they stand, built from the identifiers a plan computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from analytics.report import agreement, cohort, findings, layers, models, prediction, sensitivity
from analytics.report.models import SPECIFICATIONS
from analytics.report.text import Table
from analytics.stats.result import Results

__all__ = ["MAIN", "SUPPLEMENT", "Part", "tables"]

Made = Table | Iterable[Table] | None


@dataclass(frozen=True)
class Part:
    """A part of the report with the tables that belong to it."""

    code: str
    title: str
    builders: tuple[Callable[[Results], Made], ...]

    def tables(self, results: Results) -> list[Table]:
        """Build the tables the results allow."""
        made: list[Table] = []
        for build in self.builders:
            one = build(results)
            made += [one] if isinstance(one, Table) else one or []
        return made


def _specified(
    *builders: Callable[[Results, str], Iterable[Table]],
) -> tuple[Callable[[Results], Iterable[Table]], ...]:
    """Build tables of every specification of the models, one specification after the other."""

    def build(results: Results) -> Iterable[Table]:
        for specification in SPECIFICATIONS:
            for builder in builders:
                yield from builder(results, specification)

    return (build,)


MAIN = (
    Part("patients", "Patients", (cohort.flow, cohort.cohort)),
    Part("pain", "Pain and response", (cohort.response, cohort.over_time)),
    Part("findings", "Findings", (findings.prevalence,)),
    Part("agreement", "Agreement of the readers", (agreement.agreement, agreement.several)),
    Part("association", "Findings and success", (findings.univariate,)),
    Part("models", "Models of success", (models.odds_ratios, models.classification)),
)
SUPPLEMENT = (
    Part("imaging", "Imaging and reading", (cohort.fields, cohort.scanning, cohort.times, findings.completeness)),
    Part("by_success", "Findings by success", (findings.by_success, findings.multiplicity, sensitivity.risks)),
    Part("covariates", "Covariates", (sensitivity.characteristics,)),
    Part("crossed", "One reader against the other", (findings.crossed,)),
    Part(
        "agreement_more",
        "Agreement: further coefficients and intervals",
        (agreement.pairs, agreement.chance, agreement.bootstrap, agreement.bland_altman),
    ),
    Part("layers", "Repeat readings, places and adjudication", (layers.again, layers.places, layers.layers)),
    Part("fits", "Models: other specifications, fit, penalised coefficients", _specified(models.model_tables)),
    Part("predictions", "Models as predictions", _specified(prediction.prediction_tables)),
    Part("sensitivity", "Sensitivity analyses", (*_specified(sensitivity.model_tables), sensitivity.scores)),
)


def tables(results: Results) -> list[Table]:
    """Print every table the results allow.

    Parameters
    ----------
    results : Results
        What a plan computed; tables whose numbers it does not have are left out.

    Returns
    -------
    list of Table
        Rounded half up, p below 0.001 as such, percentages with their counts, quantities that do not exist as words
        with the reason in a footnote. The main tables come first.
    """
    return [table for part in (*MAIN, *SUPPLEMENT) for table in part.tables(results)]

"""Every public function of analytics.stats on degenerate input: no warning, no NaN, no foreign error.

The functions are found by looking, so one without a recipe here fails.
"""

from __future__ import annotations

import math
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from analytics.stats import (
    agreement,
    ancova,
    association,
    batch,
    bootstrap,
    calibration,
    change,
    clustered,
    cumulative,
    decision,
    describe,
    disagreement,
    exact,
    grades,
    groups,
    intra,
    kappa_score,
    link,
    logistic,
    ordinal,
    paired,
    pairwise,
    penalised,
    performance,
    prediction,
    profile,
    raters,
    reliability,
    result,
    risk,
    separation,
    square,
    sums,
    validation,
    words,
)
from analytics.stats.profile import Look
from analytics.stats.result import Entry, NotEstimable, Result
from tests.unit.stats.functions import public

NAN = math.nan
TEN = [0.0, 1, 0, 2, 3, 1, 0, 2, 1, 3]
MIXED = [1.0, 0, 0, 3, 2, 1, 1, 2, 0, 3]


@dataclass(frozen=True)
class World:
    """Two series of grades on a scale, and everything the functions want made of them."""

    a: Any
    b: Any
    codes: tuple[float, ...] = (0, 1, 2, 3)
    outcome: Any = None

    @cached_property
    def x(self) -> np.ndarray:
        return np.column_stack([np.asarray(self.a, dtype=float), np.asarray(self.b, dtype=float)])

    @cached_property
    def y(self) -> np.ndarray:
        given = np.asarray(self.b if self.outcome is None else self.outcome, dtype=float)
        return np.where(np.isfinite(given), given > 1, NAN) if self.outcome is None else given

    @property
    def n(self) -> int:
        return len(self.x)

    @property
    def names(self) -> list[str]:
        return [f"level {code}" for code in self.codes]

    @cached_property
    def table(self) -> np.ndarray:
        return np.asarray(association.cross_table(self.a, self.b, self.codes, self.codes))

    @cached_property
    def yes_no(self) -> np.ndarray:
        other = np.where(np.isfinite(self.x[:, 0]), self.x[:, 0] > 1, NAN)
        return association.cross_table(other, self.y, [0, 1], [0, 1])

    @cached_property
    def pairs(self) -> np.ndarray:
        return np.asarray(self.x[np.isfinite(self.x).all(axis=1)])

    @cached_property
    def design(self) -> logistic.Design:
        return logistic.prepare({"a": self.x[:, 0], "twice": self.x[:, 0] * 2, "b": self.x[:, 1][::-1]}, self.y)

    @cached_property
    def single(self) -> logistic.Design:
        return logistic.prepare({"a": self.x[:, 0]}, self.y)

    @cached_property
    def rows(self) -> np.ndarray:
        return bootstrap.resamples(self.n, 30, 1)

    @cached_property
    def drawn(self) -> np.ndarray:
        return bootstrap.resamples(self.single.n, 30, 1)

    @cached_property
    def p(self) -> np.ndarray:
        return self.x[:, 0] / 3

    @cached_property
    def known(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Outcome, predictions and weights as the measures of many resamples take them."""
        kept = np.isfinite(self.y) & np.isfinite(self.p)
        return self.y[kept], np.atleast_2d(self.p[kept]), np.ones((1, int(kept.sum())))

    @cached_property
    def setting(self) -> cumulative.Setting:
        kept = np.isfinite(self.x).all(axis=1)
        values, place = np.unique(self.x[kept, 1], return_inverse=True)
        own = self.x[kept, :1]
        return cumulative.Setting(place, own - own.mean() if own.size else own, int(values.size))

    @cached_property
    def sums(self) -> sums.Sums:
        return sums.chance_corrected(grades.graded(self.x, self.codes), self.codes, "fleiss")


WORLDS = {
    "ordinary": World(TEN, MIXED),
    "lists of whole numbers": World([0, 1, 2, 3, 1], [1, 1, 2, 3, 0]),
    "empty": World([], []),
    "all missing": World([NAN] * 6, [NAN] * 6),
    "never both": World([1, NAN, 2, NAN], [NAN, 1, NAN, 0]),
    "one case": World([2], [3]),
    "one case of many": World([NAN, 2, NAN], [1, 2, NAN]),
    "two cases": World([0, 3], [3, 0]),
    "two cases alike": World([2, 2], [2, 2]),
    "constant": World([2] * 10, [2] * 10),
    "one constant": World([2] * 10, MIXED),
    "the other constant": World(TEN, [2] * 10),
    "identical": World(TEN, TEN),
    "opposed": World(TEN, [3 - value for value in TEN]),
    "one class": World(TEN, MIXED, outcome=[1] * 10),
    "no event": World(TEN, MIXED, outcome=[0] * 10),
    "one event": World(TEN, MIXED, outcome=[0] * 9 + [1]),
    "separated": World(TEN, TEN),
    "nearly separated": World([0, 0, 1, 1, 1, 2, 2, 3], [0, 1, 1, 1, 2, 2, 3, 3]),
    "infinite values": World([math.inf, 1, 2, 0, -math.inf], [1, 2, 0, 3, 1]),
    "a scale of one level": World([1] * 6, [1] * 6, codes=(1,)),
    "a scale of no level": World([NAN] * 3, [NAN] * 3, codes=()),
    "a scale of two": World([0, 1, 1, 0, 1, 0], [0, 1, 0, 0, 1, 1], codes=(0, 1)),
    "hundreds alike but one": World([1] * 300 + [0], [1] * 300 + [3]),
}


def weightings(function: Callable[..., Any]) -> Callable[[World], list[Any]]:
    return lambda w: [function(w, weighting) for weighting in ("unweighted", "linear", "quadratic")]


def of_ratings(function: Callable[..., Any]) -> Callable[[World], list[Any]]:
    return weightings(lambda w, weighting: function(w.x, w.codes, weighting))


def of_table(function: Callable[..., Any]) -> Callable[[World], list[Any]]:
    return weightings(lambda w, weighting: function(w.table, w.codes, weighting))


def metrics(function: Callable[..., Any], *more: str) -> Callable[[World], list[Any]]:
    return lambda w: [function(w, metric) for metric in ("nominal", "ordinal", "interval", *more)]


def when_fitted(function: Callable[[cumulative.Setting, cumulative.Fitted], Any]) -> Callable[[World], Any]:
    """Call pieces of the proportional odds model on a maximum; without one `maximum` says why."""

    def recipe(w: World) -> Any:
        fit = cumulative.maximum(w.setting)
        return fit if isinstance(fit, str) else function(w.setting, fit)

    return recipe


def climbed(setting: cumulative.Setting, fit: cumulative.Fitted) -> Any:
    above, below = cumulative.borders(setting, [0])
    start = np.concatenate([fit.theta, np.zeros(above.shape[1] - fit.theta.size)])
    return cumulative.climb(setting, above, below, start, np.arange(start.size), gain=cumulative.SETTLED)


def profiles(function: Callable[..., Any], **given: float) -> Callable[[World], list[Any]]:
    """Walk profiles that fall, never fall, fall at once without a slope, and break down."""

    def falling(value: float, near: np.ndarray) -> Look:
        return Look(value**2, 2 * value, near)

    def flat(value: float, near: np.ndarray) -> Look:
        return Look(0.0, 0.0, near)

    def cliff(value: float, near: np.ndarray) -> Look:
        return Look(9.0, 0.0, near)

    def broken(value: float, near: np.ndarray) -> Look:
        return Look(NAN, NAN, near)

    return lambda w: [function(one, np.zeros(1), start=0.0, **given) for one in (falling, flat, cliff, broken)]


def optimism(w: World) -> list[Any]:
    made = (prediction.maximum_likelihood, prediction.firth, penalised.ridge_procedure)
    return [prediction.optimism(w.single.y, procedure(w.single), w.drawn) for procedure in made]


def procedures(function: Callable[[logistic.Design], prediction.Procedure]) -> Callable[[World], list[Any]]:
    return lambda w: [
        function(design)(batch.counts(bootstrap.resamples(design.n, 30, 1), design.n))
        for design in (w.design, w.single)
    ]


def of_design(w: World) -> list[Any]:
    return [(design.x, design.y) for design in (w.single, w.design)]


def fitted(w: World, firth: bool) -> batch.Fits:
    return batch.fit_many(w.single.x, w.single.y, batch.counts(w.drawn, w.single.n), firth=firth)


def sides(w: World) -> dict[str, change.Side]:
    return {"one": change.Side({"a": w.x[:, 0]}, w.y), "two": change.Side({"a": w.x[:, 1]}, w.y)}


RECIPES: dict[str, Callable[[World], Any]] = {
    "agreement.bias_prevalence": lambda w: agreement.bias_prevalence(w.yes_no),
    "agreement.brennan_prediger": of_table(agreement.brennan_prediger),
    "agreement.gwet": of_table(agreement.gwet),
    "agreement.kappa": of_table(agreement.kappa),
    "agreement.krippendorff": metrics(lambda w, metric: agreement.krippendorff(w.table, w.codes, metric)),
    "agreement.pabak": lambda w: agreement.pabak(w.yes_no),
    "agreement.percent_agreement": lambda w: agreement.percent_agreement(w.table),
    "agreement.specific_agreement": lambda w: agreement.specific_agreement(w.table, w.names),
    "ancova.ancova": lambda w: [
        ancova.ancova(w.x[:, 0], w.x[:, 1], finding, levels=levels, covariates=covariates, robust=robust)
        for finding, levels in ((w.y, {"no": 0.0, "yes": 1.0}), (w.x[:, 1], None), (w.x[:, 0], None))
        for covariates in (None, {"again": w.x[:, 1] * 2})
        for robust in (False, True)
    ],
    "association.adjust": lambda w: association.adjust(
        {"u": association.rank_sum(w.a, w.y).p, "c": association.contingency(w.yes_no).p}
    ),
    "association.contingency": lambda w: [association.contingency(w.yes_no), association.contingency(w.yes_no, [0, 1])],
    "association.cross_table": lambda w: w.table,
    "association.rank_sum": lambda w: association.rank_sum(w.a, w.y),
    "association.table_counts": lambda w: association.table_counts(w.table, w.names, w.names),
    "batch.counts": lambda w: batch.counts(w.rows, w.n),
    "batch.fit_many": lambda w: [fitted(w, firth).status for firth in (False, True)],
    "batch.merged": lambda w: batch.merged(w.single.x, w.single.y),
    "batch.probabilities": lambda w: batch.probabilities(w.single.x, fitted(w, True)),
    "bootstrap.bootstrap": lambda w: bootstrap.bootstrap(
        bootstrap.icc_a1_of(w.pairs), bootstrap.resamples(len(w.pairs), 30, 1), name="ICC"
    ),
    "bootstrap.icc_a1_of": lambda w: bootstrap.icc_a1_of(w.pairs)(bootstrap.resamples(len(w.pairs), 30, 1)),
    "bootstrap.auc_of": lambda w: bootstrap.auc_of(w.single.y, w.single.x[:, -1])(
        bootstrap.resamples(max(w.single.n, 1), 30, 1)[:, : w.single.n]
    ),
    "bootstrap.kappa_of": weightings(
        lambda w, weighting: bootstrap.kappa_of(on_scale(w)[:, 0], on_scale(w)[:, 1], w.codes, weighting)(
            bootstrap.resamples(len(on_scale(w)), 30, 1)
        )
    ),
    "bootstrap.resamples": lambda w: w.rows,
    "calibration.calibration_curve": lambda w: calibration.calibration_curve(w.y, w.p),
    "calibration.calibration_line": lambda w: calibration.calibration_line(w.y, w.p),
    "calibration.curve_at": lambda w: calibration.curve_at([0.2, 0.5])(*w.known),
    "calibration.shrinkage": lambda w: calibration.shrinkage(
        logistic.fit(w.single).summary.omnibus_chi2, logistic.fit(w.single).summary.omnibus_df, n=w.n
    ),
    "change.averaged": lambda w: change.averaged(list(w.pairs.T)),
    "change.compare": lambda w: [change.compare(sides(w), w.rows, firth=firth) for firth in (False, True)],
    "clustered.clustered": lambda w: [
        clustered.clustered(w.x, whose, w.codes, kind, "linear")
        for kind in clustered.NAMES
        for whose in (list(range(w.n)), [1] * w.n, [None] * w.n)
    ],
    "clustered.resampled": lambda w: [
        clustered.resampled(w.x, list(range(w.n)), w.codes, kind, replicates=30) for kind in clustered.NAMES
    ],
    "cumulative.borders": when_fitted(lambda setting, fit: cumulative.borders(setting, [0])),
    "cumulative.class_probabilities": when_fitted(
        lambda setting, fit: cumulative.class_probabilities(setting, [], fit.theta)
    ),
    "cumulative.climb": when_fitted(climbed),
    "cumulative.expected_information": when_fitted(
        lambda setting, fit: cumulative.expected_information(setting, [], fit.theta)
    ),
    "cumulative.look": when_fitted(
        lambda setting, fit: cumulative.look(setting, *cumulative.borders(setting, []), fit.theta)
    ),
    "cumulative.maximum": lambda w: cumulative.maximum(w.setting),
    "decision.decision_curve": lambda w: decision.decision_curve(w.y, w.p),
    "describe.blom_scores": lambda w: describe.blom_scores(w.a),
    "describe.describe": lambda w: [describe.describe(w.a), describe.describe(w.b)],
    "describe.level_counts": lambda w: describe.level_counts(w.a, w.codes, w.names),
    "disagreement.alpha": metrics(
        lambda w, metric: disagreement.alpha(grades.graded(w.x, w.codes), w.codes, metric).value(), "ratio"
    ),
    "disagreement.alpha_of": metrics(lambda w, metric: disagreement.alpha_of(w.x, metric).value(), "ratio"),
    "exact.rank_sum_two_sided": lambda w: exact.rank_sum_two_sided(np.arange(1, w.n + 1), w.y == 1),
    "exact.signed_rank_two_sided": lambda w: exact.signed_rank_two_sided(np.arange(1, w.n + 1), 1.0),
    "exact.table_probability": lambda w: exact.table_probability(w.yes_no),
    "grades.graded": lambda w: [grades.graded(w.x, w.codes, singles=singles).given for singles in (False, True)],
    "groups.kruskal_wallis": lambda w: groups.kruskal_wallis(w.a, w.b, w.codes, w.names),
    "intra.graded_again": lambda w: [intra.graded_again(w.x, w.codes, ordered=ordered) for ordered in (False, True)],
    "intra.measured_again": lambda w: intra.measured_again(w.x),
    "intra.repeatability": lambda w: intra.repeatability(w.x),
    "kappa_score.score_limits": of_table(
        lambda table, codes, weighting: kappa_score.score_limits(table, square.weights(codes, weighting))
    ),
    "link.softened": lambda w: link.softened(np.array([-800.0, -1.0, 0.0, float(w.n), 800.0])),
    "logistic.fit": lambda w: [
        (model.summary, model.terms) for model in (logistic.fit(w.design), logistic.fit(w.single))
    ],
    "logistic.prepare": lambda w: [w.design.x, w.design.y, logistic.prepare({}, w.y).refusal],
    "ordinal.proportional_odds": lambda w: [
        ordinal.proportional_odds(w.b, predictors)
        for predictors in ({}, {"a": w.a}, {"a": w.a, "twice": w.x[:, 0] * 2})
    ],
    "paired.mcnemar": lambda w: paired.mcnemar(np.where(np.isfinite(w.x[:, 0]), w.x[:, 0] > 1, NAN), w.y),
    "paired.signed_rank": lambda w: paired.signed_rank(w.a, w.b),
    "paired.spearman": lambda w: paired.spearman(w.a, w.b),
    "pairwise.pairwise": weightings(lambda w, weighting: pairwise.pairwise(w.x, w.codes, ["R1", "R2"], weighting)),
    "penalised.ridge": lambda w: [
        penalised.ridge(design, rule=rule) for design in (w.design, w.single) for rule in ("aic_c", "aic", "bic")
    ],
    "penalised.ridge_procedure": procedures(penalised.ridge_procedure),
    "performance.logit": lambda w: performance.logit(w.known[1]),
    "performance.net_benefits": lambda w: performance.net_benefits([0.2, 0.5])(*w.known),
    "performance.performance": lambda w: performance.performance(*w.known),
    "performance.recalibrate": lambda w: performance.recalibrate(*w.known),
    "prediction.each": lambda w: (
        prediction.each(lambda rows: NotEstimable("nothing is modelled here"), w.n)(np.ones((2, w.n))).why
    ),
    "prediction.firth": procedures(prediction.firth),
    "prediction.maximum_likelihood": procedures(prediction.maximum_likelihood),
    "prediction.optimism": optimism,
    "profile.crossing": profiles(profile.crossing, step=1.0),
    "profile.interpolated": profiles(profile.interpolated, se=1.0),
    "raters.brennan_prediger": of_ratings(raters.brennan_prediger),
    "raters.conger": of_ratings(raters.conger),
    "raters.fleiss": of_ratings(raters.fleiss),
    "raters.fleiss_by_level": lambda w: raters.fleiss_by_level(w.x, w.codes, w.names),
    "raters.gwet": of_ratings(raters.gwet),
    "raters.krippendorff": metrics(lambda w, metric: raters.krippendorff(w.x, metric), "ratio"),
    "raters.percent_agreement": lambda w: raters.percent_agreement(w.x, w.codes),
    "reliability.anova": lambda w: reliability.anova(w.x),
    "reliability.bland_altman": lambda w: reliability.bland_altman(w.a, w.b),
    "reliability.icc": lambda w: [reliability.icc(w.x, form) for form in reliability.NAMES],
    "reliability.icc_family": lambda w: reliability.icc_family(w.x),
    "reliability.pairs": lambda w: reliability.pairs(w.x),
    "result.spelled": lambda w: [
        result.spelled(value) for value in (math.inf, -math.inf, 5e-324, w.n, "none", NotEstimable("no number"))
    ],
    "result.number": lambda w: [result.number(value, "there is no such number") for value in (NAN, math.inf, w.n)],
    "risk.quantile": lambda w: [risk.quantile(level) for level in (0.01, 0.95, 0.999)],
    "risk.risks": lambda w: risk.risks(w.yes_no),
    "separation.firth": lambda w: [
        separation.firth(x, y, [str(j) for j in range(x.shape[1])]) for x, y in of_design(w)
    ],
    "separation.refused": lambda w: separation.refused("there is no such fit", ["a"], n=w.n),
    "separation.separation": lambda w: [separation.separation(x, y) for x, y in of_design(w)],
    "square.square": lambda w: square.square(w.table),
    "square.weights": weightings(lambda w, weighting: square.weights(w.codes, weighting)),
    "square.yes_no": lambda w: square.yes_no(w.yes_no),
    "sums.chance_corrected": lambda w: [w.sums.value(), *w.sums.two_parts()],
    "sums.error": lambda w: sums.error(w.sums.terms, w.sums.of) if math.isfinite(w.sums.of(w.sums.total)) else 0.0,
    "sums.form": lambda w: sums.form(np.ones((w.n, 2)), np.eye(2)),
    "sums.icc": lambda w: [sums.icc(w.x, absolute=absolute).value() for absolute in (True, False)],
    "sums.in_parts": lambda w: sums.in_parts(lambda rows: rows.sum(axis=1), np.ones((w.n, 2))),
    "sums.interval": lambda w: sums.interval(0.5, 0.1, w.n),
    "sums.nothing": lambda w: sums.nothing(grades.graded(w.x, w.codes)).two_parts(),
    "sums.percent": lambda w: sums.percent(grades.graded(w.x, w.codes)).value(),
    "sums.ratio": lambda w: sums.ratio(np.ones(2), np.array([2.0, 0.0])),
    "sums.two_sided": lambda w: [sums.two_sided(0.5, se, w.n) for se in (0.0, 0.1)],
    "validation.classify": lambda w: [validation.classify(w.y, w.p), validation.classify(w.y, np.zeros(w.n))],
    "validation.hosmer_lemeshow_blocks": lambda w: [
        validation.hosmer_lemeshow_blocks(w.y, p) for p in (w.p, np.full(w.n, 0.3))
    ],
    "validation.hosmer_lemeshow_quantile": lambda w: [
        validation.hosmer_lemeshow_quantile(w.y, p) for p in (w.p, np.full(w.n, 0.3))
    ],
    "validation.proportion": lambda w: [validation.proportion(hits, w.n) for hits in {0, w.n // 2, w.n}],
    "validation.roc": lambda w: validation.roc(w.y, w.a),
    "validation.unclassified": lambda w: validation.unclassified("there is no such model", n=w.n),
    "words.exactly": lambda w: [words.exactly(value, Fraction(1, 60)) for value in (-0.001, 0.0, 5e-324, float(w.n))],
    "words.half_up": lambda w: [words.half_up(value, 2) for value in (-0.001, 0.0, 1e300, 5e-324, float(w.n))],
    "words.icc_band": lambda w: [words.icc_band(value) for value in (-3.0, 0.0, 1.0)],
    "words.kappa_band": lambda w: [words.kappa_band(value) for value in (-1.0, 0.0, 1.0)],
    "words.kappa_limits": of_table(
        lambda table, codes, weighting: words.kappa_limits(
            Entry.of("k", agreement.kappa(table, codes, weighting)), "full"
        )
    ),
    "words.kappa_refused": of_table(
        lambda table, codes, weighting: words.kappa_refused(Entry.of("k", agreement.kappa(table, codes, weighting)))
    ),
    "words.p_words": lambda w: [words.p_words(p) for p in (0.0, 5e-324, 1.0)],
}
# What these give holds NaN by their docstrings: one value a case, resample or fit, where single ones may not exist.
MANY = {
    "batch.probabilities",
    "bootstrap.auc_of",
    "bootstrap.icc_a1_of",
    "bootstrap.kappa_of",
    "calibration.curve_at",
    "describe.blom_scores",
    "penalised.ridge_procedure",
    "performance.net_benefits",
    "performance.performance",
    "performance.recalibrate",
    "prediction.firth",
    "prediction.maximum_likelihood",
    "sums.ratio",
}
# Tools that need two units say so by a ValueError of their own; the statistics refuse before they call them.
REFUSING = {"sums.error", "sums.interval"}


def on_scale(w: World) -> np.ndarray:
    return w.pairs if len(w.codes) else w.pairs[:0]


def numbers(value: Any) -> Iterator[tuple[str, Any]]:
    """Every number and reason inside what a function gave."""
    if isinstance(value, Result):
        assert all(value.notes), value
        for name, one in vars(value).items():
            yield from ((f"{name} {path}", number) for path, number in numbers(one))
        yield from value.values().items()
    elif isinstance(value, np.ndarray):
        yield from (("array", float(one)) for one in value.ravel())
    elif isinstance(value, Mapping):
        yield from (pair for one in value.values() for pair in numbers(one))
    elif isinstance(value, list | tuple | set):
        yield from (pair for one in value for pair in numbers(one))
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, NotEstimable):
        yield from (pair for one in vars(value).values() for pair in numbers(one))
    elif not isinstance(value, str | bool | type(None)):
        yield "", value


def own(error: ValueError) -> bool:
    """Whether analytics.stats raised it on purpose."""
    raised = traceback.extract_tb(error.__traceback__)[-1]
    return "analytics/stats" in raised.filename and str(raised.line).startswith("raise")


def test_every_public_function_has_a_recipe_and_every_recipe_a_function() -> None:
    assert sorted(public()) == sorted(RECIPES)
    assert RECIPES.keys() >= MANY | REFUSING


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_degenerate_input(name: str) -> None:
    for world, data in WORLDS.items():
        with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
            warnings.simplefilter("error")
            try:
                found = list(numbers(RECIPES[name](data)))
            except ValueError as error:
                if not own(error) or name not in REFUSING:
                    raise
                continue
        for path, value in found:
            if isinstance(value, NotEstimable):
                assert len(value.why) > 5, (world, path)
            else:
                assert isinstance(value, int | float | str | np.number | Decimal), (world, path, value)
                assert name in MANY or isinstance(value, str) or not math.isnan(value), (world, path)


def test_a_table_of_another_shape_is_refused_in_words() -> None:
    for function in (agreement.pabak, agreement.bias_prevalence):
        with pytest.raises(ValueError, match="two levels"):
            function([[3]])
    with pytest.raises(ValueError, match="square"):
        agreement.percent_agreement([[1, 2, 3]])

"""Optimism of a prediction model by Harrell's bootstrap, the whole modelling procedure repeated inside the loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.stats import batch
from analytics.stats.link import BLOCK
from analytics.stats.logistic import Design
from analytics.stats.performance import Measures, performance
from analytics.stats.result import LEVEL, NotEstimable, Result, Value

__all__ = ["Corrected", "Optimism", "Predictions", "Procedure", "each", "firth", "maximum_likelihood", "optimism"]

Array = NDArray[np.float64]
Ints = NDArray[np.intp]
SOURCE = "Harrell et al. 1996; Efron 1983"
AT_ONCE = 2_000_000  # resampled cases held in memory at a time
FEWEST = 20  # resamples with a value
MOST_FAILED = 0.5  # share of resamples without a model beyond which nothing is corrected
Each = Callable[[Ints], ArrayLike | NotEstimable]


@dataclass(frozen=True)
class Predictions:
    """What a modelling procedure predicts for every case, one row a resample.

    Attributes
    ----------
    p : ndarray of float, shape (fits, cases)
        Probabilities for all cases, also those a resample left out.
    why : tuple of str, length fits
        Empty where the procedure gave a model, else why it did not.
    """

    p: Array
    why: tuple[str, ...]


# How often each case is in each resample, shape (fits, cases), to the predictions of the models made from them.
Procedure = Callable[[batch.Counts], Predictions]


@dataclass(frozen=True, kw_only=True)
class Corrected(Result):
    """One measure: on the cases the model was made from, and what it would be on new ones.

    Attributes
    ----------
    apparent : Value
        On the cases the model was made from.
    training, test : Value
        Mean over the resamples: on the resample itself, and of the same model on the original cases.
    optimism, corrected : Value
        ``training - test``, and ``apparent - optimism``.
    ci_low, ci_high : Value
        Where the performance of this model on new cases lies: the apparent value less the quantiles of
        ``training - test``.
    replicates_used : Value
        Resamples in which the measure exists on both sides.
    """

    apparent: Value
    training: Value
    test: Value
    optimism: Value
    corrected: Value
    ci_low: Value
    ci_high: Value
    replicates_used: Value


@dataclass(frozen=True, kw_only=True)
class Optimism(Result):
    """All measures of one modelling procedure, and how many resamples gave no model."""

    replicates: Value
    n_failed: Value
    measures: Mapping[str, Corrected]

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "measures")

    def values(self) -> dict[str, Value]:
        """Return the counts, then every measure as ``<measure>_<field>``."""
        named = super().values()
        for name, one in self.measures.items():
            named |= {f"{name}_{field}": value for field, value in one.values().items()}
        return named


def maximum_likelihood(design: Design) -> Procedure:
    """Make the procedure that drops constant predictors and fits by maximum likelihood; a separated resample fails."""
    return _fitted(design, firth=False)


def firth(design: Design) -> Procedure:
    """Make the procedure that drops constant predictors and fits with Firth's penalty, which survives separation."""
    return _fitted(design, firth=True)


def _fitted(design: Design, *, firth: bool) -> Procedure:
    def procedure(counts: batch.Counts) -> Predictions:
        if design.refusal:
            return Predictions(np.full(counts.shape, np.nan), (design.refusal,) * counts.shape[0])
        fits = batch.fit_many(design.x, design.y, counts, firth=firth)
        return Predictions(batch.probabilities(design.x, fits), explained(fits))

    return procedure


def explained(fits: batch.Fits) -> tuple[str, ...]:
    """Say in words why fits failed; an empty word where they did not."""
    return tuple(batch.WORDS.get(int(status), "") for status in fits.status)


def each(fit: Each, cases: int) -> Procedure:
    """Make a procedure of a function that models one resample: selection, imputation, tuning, whatever belongs to it.

    Parameters
    ----------
    fit : callable
        Row numbers of a resample, with repeats, shape (cases,), to the probabilities of all original cases, shape
        (cases,), or `NotEstimable`. Called once a resample.
    cases : int
        How many cases there are.
    """

    def procedure(counts: batch.Counts) -> Predictions:
        p, why = np.full(counts.shape, np.nan), []
        for place, drawn in enumerate(counts):
            found = fit(np.repeat(np.arange(cases), drawn.astype(int)))
            why.append(found.why if isinstance(found, NotEstimable) else "")
            if not isinstance(found, NotEstimable):
                p[place] = np.asarray(found, dtype=float)
        return Predictions(p, tuple(why))

    return procedure


def optimism(
    outcome: ArrayLike,
    procedure: Procedure,
    rows: Ints,
    *,
    measures: Measures = performance,
    times: ArrayLike | None = None,
    level: float = LEVEL,
    seed: int | None = None,
) -> Optimism:
    """Correct a model's performance for having been made from the same cases.

    Parameters
    ----------
    outcome : array_like of float, shape (cases,)
        0 or 1, complete (`Design.y`).
    procedure : callable
        Everything that was done to get the model, e.g. `maximum_likelihood`, `firth`, `penalised.ridge_procedure`, or
        `each` of a function of one's own. It is repeated in every resample.
    rows : ndarray of int, shape (replicates, cases)
        Resampled row numbers, e.g. from `bootstrap.resamples`.
    measures : callable
        `performance.performance`, `performance.net_benefits`, or one of the same form.
    times : array_like of float, shape (cases,), optional
        How many cases each row of ``outcome`` stands for, where equal ones were taken together (`batch.merged`).
    level : float
        Of the intervals.
    seed : int, optional
        Printed with the method.

    Returns
    -------
    Optimism
        Harrell et al. 1996, Stat Med 15:361; Harrell 2015, section 5.3: the model of each resample is judged on
        the resample (training) and on the original cases (test); the mean difference is taken from the apparent
        value. Resamples without a model are left out and counted by reason: they are the most overfitted ones, so the
        optimism is then understated; where they are more than half, nothing is corrected. Intervals: a resample is to
        the study as the study is to new cases, so the quantiles of ``training - test`` (Efron 1983's excess error) are
        taken from the apparent value; approximate, see docs/statistics.md for their simulated coverage.
    """
    y = np.asarray(outcome, dtype=float)
    own_times = np.ones(y.size) if times is None else np.asarray(times, dtype=float)
    everybody = own_times[None, :]
    replicates = int(rows.shape[0])
    seeded = "" if seed is None else f", seed {seed}"
    method = f"optimism by bootstrap, every modelling step inside, {replicates} resamples of cases{seeded}"
    frame: dict[str, Any] = {"n": int(own_times.sum()), "method": method, "source": SOURCE}
    apparent = procedure(everybody)
    refusal = _refusal(y, apparent.why[0])
    if refusal:
        return Optimism.refused(refusal, replicates=replicates, measures={}, **frame)
    own = {name: float(value[0]) for name, value in measures(y, apparent.p, everybody).items()}
    training, test, why = _resampled(y, everybody, procedure, rows, measures, tuple(own))
    failed = Counter(word for word in why if word)
    known: dict[str, Any] = {"replicates": replicates, "n_failed": failed.total()}
    notes = _notes(failed, replicates)
    refused = ""
    if failed.total() > MOST_FAILED * replicates:
        refused = "more than half of the resamples gave no model"
    corrected = {name: _corrected(own[name], training[name], test[name], refused, level, notes, frame) for name in own}
    return Optimism(**frame, **known, notes=notes, measures=corrected)


def _refusal(y: Array, why: str) -> str:
    if y.size == 0:
        return "no case is complete"
    if not np.isin(y, (0.0, 1.0)).all():
        return "the outcome has values other than 0 and 1"
    return f"the procedure gives no model: {why}" if why else ""


def _notes(failed: Mapping[str, int], replicates: int) -> tuple[str, ...]:
    if not failed:
        return ()
    reasons = ", ".join(f"{word} {count}" for word, count in sorted(failed.items()))
    total = sum(failed.values())
    return (f"{total} of {replicates} resamples gave no model ({reasons}); without them the optimism is understated.",)


def _resampled(
    y: Array, everybody: Array, procedure: Procedure, rows: Ints, measures: Measures, names: tuple[str, ...]
) -> tuple[dict[str, Array], dict[str, Array], list[str]]:
    """Judge each resample's model on the resample and on the original cases."""
    training: dict[str, list[Array]] = {name: [] for name in names}
    test: dict[str, list[Array]] = {name: [] for name in names}
    why: list[str] = []
    chunk = max(1, AT_ONCE // max(1, y.size))
    for start in range(0, rows.shape[0], chunk):
        counts = batch.counts(rows[start : start + chunk], y.size)
        made = procedure(counts)
        why += made.why
        good = np.flatnonzero([not word for word in made.why])
        step = max(1, BLOCK // max(1, y.size))
        for some in (good[at : at + step] for at in range(0, good.size, step)):
            p = made.p[some]
            for found, w in ((training, counts[some]), (test, np.broadcast_to(everybody, p.shape))):
                values = measures(y, p, w)
                for name in names:
                    found[name].append(values[name])
    joined = [{name: np.concatenate(found[name] or [np.empty(0)]) for name in names} for found in (training, test)]
    return joined[0], joined[1], why


def _corrected(
    apparent: float,
    training: Array,
    test: Array,
    refused: str,
    level: float,
    notes: tuple[str, ...],
    frame: Mapping[str, Any],
) -> Corrected:
    both = np.isfinite(training) & np.isfinite(test)
    known: dict[str, Any] = {**frame, "notes": notes, "replicates_used": int(both.sum())}
    if not np.isfinite(apparent):
        return Corrected.refused("the measure does not exist for this model", **known)
    known["apparent"] = apparent
    if refused or int(both.sum()) < FEWEST:
        return Corrected.refused(refused or "too few resamples have a value", **known)
    trained, tested = float(training[both].mean()), float(test[both].mean())
    gap = trained - tested
    tail = (1 - level) / 2
    low, high = np.quantile(training[both] - test[both], [tail, 1 - tail])
    return Corrected(
        **known,
        training=trained,
        test=tested,
        optimism=gap,
        corrected=apparent - gap,
        ci_low=apparent - float(high),
        ci_high=apparent - float(low),
    )

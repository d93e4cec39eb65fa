"""Ridge logistic regression whose penalty is chosen by a stated rule, alone and as a procedure for the bootstrap."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.stats import batch
from analytics.stats.link import BLOCK, softened
from analytics.stats.logistic import Design
from analytics.stats.prediction import Predictions, Procedure, explained
from analytics.stats.result import LEVEL, Result, Value
from analytics.stats.risk import quantile

__all__ = ["GRID", "Ridge", "RidgeTerm", "Rule", "ridge", "ridge_procedure"]

Array = NDArray[np.float64]
Rule = Literal["aic_c", "aic", "bic"]
GRID = tuple(2.0**power for power in range(-4, 11))  # 1/16 to 1024
SOURCE = "le Cessie & van Houwelingen 1992; Gray 1992; Hurvich & Tsai 1989"
ROUGHLY = 1e-4  # last step of the fits among which a penalty is chosen; what is left is about its square
SLACK = 0.1  # of the degrees of freedom lost: they come back with a smaller penalty, but the estimates change as well


@dataclass(frozen=True, kw_only=True)
class RidgeTerm(Result):
    """One coefficient, pulled toward 0; its limits are those of the normal prior the penalty stands for."""

    b: Value
    se: Value
    odds_ratio: Value
    or_ci_low: Value
    or_ci_high: Value

    PRINTED: ClassVar[Mapping[str, str]] = MappingProxyType({"odds_ratio": "or"})


@dataclass(frozen=True, kw_only=True)
class Ridge(Result):
    """A logistic model fitted with a ridge penalty.

    Attributes
    ----------
    penalty : Value
        Chosen from the grid.
    effective_df : Value
        Degrees of freedom that are left, the intercept not counted.
    lr_chi2 : Value
        Twice the log likelihood at the penalised estimates against the model without predictors.
    criterion : Value
        ``lr_chi2`` less the rule's price of the degrees of freedom: the greatest of the grid.
    fitted : ndarray or None
        Probabilities of the complete cases.
    """

    n_events: Value
    penalty: Value
    effective_df: Value
    lr_chi2: Value
    criterion: Value
    terms: Mapping[str, RidgeTerm]
    fitted: Array | None = field(default=None)

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "terms", "fitted")
    SHOWS_N: ClassVar[bool] = True


class _Chosen(NamedTuple):
    fits: batch.Fits
    place: NDArray[np.intp]  # in the grid
    df: Array
    chi2: Array
    criterion: Array


def ridge(design: Design, *, rule: Rule = "aic_c", grid: Sequence[float] = GRID, level: float = LEVEL) -> Ridge:
    """Fit a logistic model with a ridge penalty.

    Parameters
    ----------
    design : Design
        What `logistic.prepare` gave; collinear predictors and more columns than cases are no obstacle, nor is
        separation.
    rule : {"aic_c", "aic", "bic"}
        How the penalty is chosen: Akaike's criterion corrected for small samples, as it stands, or Schwarz's.
    grid : sequence of float
        Positive penalties to choose from.
    level : float
        Of the intervals.

    Returns
    -------
    Ridge
        Maximum of ``LL - penalty/2 sum_j var(x_j) b_j^2`` (le Cessie & van Houwelingen 1992, Appl Stat 41:191; R
        rms::lrm), the intercept free. Effective degrees of freedom ``trace I (I + P)^-1`` (Gray 1992, JASA 87:942),
        rule ``chi2 - 2 df (1 + (df+1)/(n-df-1))`` for ``aic_c`` (rms::pentrace). Standard errors from ``(I + P)^-1``:
        the estimates are biased toward 0 on purpose, so the limits have no coverage in the usual sense.
    """
    frame: dict[str, Any] = {"n": design.n, "method": f"ridge logistic regression, penalty by {rule}", "source": SOURCE}
    refusal = _refusal(design)
    names = (*design.names, *design.constant)
    chosen = None if refusal else _choose(design, np.ones((1, design.n)), rule, grid)
    if chosen is not None and chosen.fits.status[0] != batch.FITTED:
        refusal = "the penalised fit did not converge"
    if refusal or chosen is None:
        terms = {name: RidgeTerm.refused(refusal, **frame) for name in names}
        return Ridge.refused(refusal, n_events=design.events, terms=terms, **frame)
    place = int(chosen.place[0])
    b, penalty = chosen.fits.b[0], float(grid[place])
    edge = f"The penalty is at the {'lower' if place == 0 else 'upper'} end of the grid."
    notes = (edge,) if len(grid) > 1 and place in (0, len(grid) - 1) else ()
    p = np.asarray(special.expit(design.x @ b), dtype=np.float64)
    kept = chosen.fits.varies[0]
    se = np.full(b.size, np.nan)
    se[kept] = _standard_errors(design.x[:, kept], p, penalty * _variances(design)[0][kept])
    z = quantile(level)
    terms = {name: _term(float(b[j]), float(se[j]), z, frame) for j, name in enumerate(design.names)}
    constant = {name: RidgeTerm.refused("does not vary among the complete cases", **frame) for name in design.constant}
    return Ridge(
        **frame,
        notes=notes,
        n_events=design.events,
        penalty=penalty,
        effective_df=float(chosen.df[0]),
        lr_chi2=float(chosen.chi2[0]),
        criterion=float(chosen.criterion[0]),
        terms=terms | constant,
        fitted=p,
    )


def ridge_procedure(design: Design, *, rule: Rule = "aic_c", grid: Sequence[float] = GRID) -> Procedure:
    """Make the procedure that chooses the penalty anew in every resample and fits with it.

    Parameters
    ----------
    design, rule, grid
        As for `ridge`.
    """
    refusal = _refusal(design)

    def procedure(counts: batch.Counts) -> Predictions:
        if refusal:
            return Predictions(np.full(counts.shape, np.nan), (refusal,) * counts.shape[0])
        fits = _choose(design, counts, rule, grid).fits
        return Predictions(batch.probabilities(design.x, fits), explained(fits))

    return procedure


def _refusal(design: Design) -> str:
    if design.n == 0:
        return "no case is complete"
    if np.ptp(design.y) == 0:
        return "every complete case has the same outcome"
    return "" if design.x.shape[1] > 1 else "no predictor varies among the complete cases"


def _standard_errors(x: Array, p: Array, penalty: Array) -> Array:
    scale = np.abs(x).max(axis=0)
    information = (x / scale * (p * (1 - p))[:, None]).T @ (x / scale) + np.diag(penalty / scale**2)
    return np.asarray(np.sqrt(np.diag(np.linalg.pinv(information, hermitian=True))) / scale, dtype=np.float64)


def _term(b: float, se: float, z: float, frame: dict[str, Any]) -> RidgeTerm:
    if math.isnan(se):
        return RidgeTerm.refused("does not vary among the complete cases beyond rounding", **frame)
    low, middle, high = (math.exp(value) if value < 709 else math.inf for value in (b - z * se, b, b + z * se))
    return RidgeTerm(**frame, b=b, se=se, odds_ratio=middle, or_ci_low=low, or_ci_high=high)


def _variances(design: Design, counts: Array | None = None) -> Array:
    """Variances of the predictors in each resample, 0 for the intercept."""
    w = np.ones((1, design.n)) if counts is None else counts
    n = w.sum(axis=1, keepdims=True)
    middle = design.x.mean(axis=0)
    away = design.x - middle
    found = (w @ away**2 - (w @ away) ** 2 / n) / np.maximum(n - 1, 1)
    found[:, 0] = 0.0
    return np.asarray(np.maximum(found, 0.0), dtype=np.float64)


def _choose(design: Design, counts: Array, rule: Rule, grid: Sequence[float]) -> _Chosen:
    """Fit every penalty of the grid to every resample, and keep the best by the rule.

    From the greatest penalty down each fit begins where the last two point to. The first pass is exact enough to
    choose; only what is kept is fitted to the end. Under a smaller penalty the chi-square is no more than under the
    smallest, and the degrees of freedom are no fewer: a resample ends where that can no longer win.
    """
    variances = _variances(design, counts)
    n = counts.sum(axis=1)
    shape = (len(grid), counts.shape[0])
    chi2, criterion, path = np.zeros(shape), np.full(shape, -np.inf), np.zeros((*shape, variances.shape[1]))
    before = last = np.zeros(variances.shape)
    smallest, *others = np.argsort(grid)
    left = np.arange(counts.shape[0])
    for place in (smallest, *others[::-1]):
        w, penalty = counts[left], grid[place] * variances[left]
        # Twice the last less the one before goes on in the direction of the path; it is only where Newton begins.
        fits = batch.fit_many(design.x, design.y, w, penalty=penalty, start=2 * last - before, settled=ROUGHLY)
        df, chi2[place, left] = _freedom(design, w, penalty, fits)
        fitted = fits.status == batch.FITTED
        criterion[place, left] = np.where(fitted, chi2[place, left] - _price(rule, df, n[left]), -np.inf)
        path[place, left] = np.where(np.isfinite(fits.b), fits.b, 0.0)
        if place == smallest:
            chi2[place, ~fitted] = np.inf
            continue
        before, last = (last if last.any() else path[place, left]), path[place, left]
        lost = fits.varies.sum(axis=1) - 1 - df
        reach = chi2[smallest, left] - _price(rule, df - SLACK * lost, n[left])
        on = ~(reach < criterion[:, left].max(axis=0))
        left, before, last = left[on], before[on], last[on]
        if not left.size:
            break
    best = criterion.argmax(axis=0)
    own = np.arange(counts.shape[0])
    penalty = np.asarray(grid)[best][:, None] * variances
    kept = batch.fit_many(design.x, design.y, counts, penalty=penalty, start=path[best, own])
    df_kept, chi2_kept = _freedom(design, counts, penalty, kept)
    return _Chosen(kept, best, df_kept, chi2_kept, chi2_kept - _price(rule, df_kept, n))


def _price(rule: Rule, df: Array, n: Array) -> Array:
    """Give what a rule takes from the chi-square for the degrees of freedom."""
    if rule == "aic_c":
        return np.asarray(2 * df * (1 + (df + 1) / np.maximum(n - df - 1, 1e-9)), dtype=np.float64)
    return 2 * df if rule == "aic" else df * np.log(n)


def _freedom(design: Design, counts: Array, penalty: Array, fits: batch.Fits) -> tuple[Array, Array]:
    """Effective degrees of freedom and likelihood-ratio chi-square of penalised fits."""
    scale = np.abs(design.x).max(axis=0)
    xs = design.x / scale
    columns = design.x.shape[1]
    upper = np.triu_indices(columns)
    place = np.zeros((columns, columns), dtype=np.intp)
    place[upper] = place.T[upper] = np.arange(upper[0].size)
    pairs = xs[:, upper[0]] * xs[:, upper[1]]
    step = max(1, BLOCK // design.n)
    found = [
        _freedom_of(design, (pairs, place), counts[part], penalty[part] / scale**2, fits.b[part], fits.varies[part])
        for part in (slice(at, at + step) for at in range(0, counts.shape[0], step))
    ]
    return np.concatenate([df for df, _ in found]), np.concatenate([chi2 for _, chi2 in found])


def _freedom_of(
    design: Design,
    products: tuple[Array, NDArray[np.intp]],
    w: Array,
    penalty: Array,
    b: Array,
    varies: NDArray[np.bool_],
) -> tuple[Array, Array]:
    eta = np.where(np.isfinite(b), b, 0.0) @ design.x.T
    p, soft = softened(eta)
    columns = design.x.shape[1]
    information = ((w * p * (1 - p)) @ products[0])[:, products[1]]
    # A column that does not vary in a resample has no penalty there: it is out, and gives no freedom.
    information = np.where(varies[:, :, None] & varies[:, None, :], information, 0.0)
    total = information.copy()
    diagonal = np.arange(columns)
    total[:, diagonal, diagonal] += np.where(varies, penalty, 1.0)
    try:
        share = np.linalg.solve(total, information)
    except np.linalg.LinAlgError:
        share = np.linalg.pinv(total, hermitian=True) @ information
    df = np.trace(share[:, 1:, 1:], axis1=1, axis2=2)
    n, events = w.sum(axis=1), w @ design.y
    null = special.xlogy(events, events / n) + special.xlogy(n - events, 1 - events / n)
    return df, 2 * (np.einsum("rn,rn->r", w, design.y * eta - soft) - null)

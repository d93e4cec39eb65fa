"""Binary logistic regression as SPSS and R print it: listwise cases, Wald and profile limits, and a polite refusal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analytics.stats.link import softened
from analytics.stats.profile import Look, crossing, interpolated
from analytics.stats.result import NotEstimable, Result, Value, Z
from analytics.stats.separation import separation

__all__ = ["INTERCEPT", "Design", "Model", "Summary", "Term", "fit", "prepare"]

Array = NDArray[np.float64]
INTERCEPT = "intercept"
SETTLED = 1e-14  # of log likelihood
METHOD = "binary logistic regression, maximum likelihood, listwise complete cases"
SEPARATED = "the outcome is separated ({kind}), so some maximum-likelihood estimates are infinite"


@dataclass(frozen=True)
class Design:
    """Complete cases ready for a model.

    Attributes
    ----------
    names : tuple of str
        Columns, the intercept first.
    x : ndarray, shape (n, columns)
        With the intercept column.
    y : ndarray, shape (n,)
        0 or 1.
    rows : ndarray of bool, shape (all cases,)
        Which of the given cases are in.
    constant : tuple of str
        Predictors left out because they do not vary among the complete cases.
    refusal : str
        Why no model can be fitted, or nothing.
    """

    names: tuple[str, ...]
    x: Array
    y: Array
    rows: NDArray[np.bool_]
    constant: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def n(self) -> int:
        """Number of complete cases."""
        return int(self.y.size)

    @property
    def events(self) -> int:
        """Number of cases with outcome 1."""
        return int(self.y.sum())


def prepare(predictors: Mapping[str, ArrayLike], outcome: ArrayLike) -> Design:
    """Choose the complete cases, drop constant predictors, and say whether a model is possible.

    Parameters
    ----------
    predictors : mapping of str to array_like of float, shape (cases,)
        NaN is missing; a case with any missing value leaves the model.
    outcome : array_like of float, shape (cases,)
        0, 1 or NaN.
    """
    y = np.asarray(outcome, dtype=float)
    columns = {name: np.asarray(column, dtype=float) for name, column in predictors.items()}
    rows = np.isfinite(y)
    for column in columns.values():
        rows &= np.isfinite(column)
    y = y[rows]
    varying = {name: column[rows] for name, column in columns.items() if y.size and np.ptp(column[rows]) > 0}
    constant = tuple(name for name in columns if name not in varying)
    x = np.column_stack([np.ones(y.size), *varying.values()])
    return Design((INTERCEPT, *varying), x, y, rows, constant, _refusal(x, y))


def _refusal(x: Array, y: Array) -> str:
    if y.size == 0:
        return "no case is complete"
    if np.ptp(y) == 0:
        return "every complete case has the same outcome"
    if x.shape[1] < 2:
        return "no predictor varies among the complete cases"
    if y.size < x.shape[1]:
        return f"there are {y.size} complete cases for {x.shape[1]} coefficients"
    scaled = x / np.abs(x).max(axis=0)
    if np.linalg.matrix_rank(scaled) < x.shape[1]:
        return "some predictors are exact combinations of others"
    return ""


@dataclass(frozen=True, kw_only=True)
class Summary(Result):
    """A fitted model as a whole."""

    n_events: Value
    separation: Value
    minus2ll: Value
    minus2ll_null: Value
    omnibus_chi2: Value
    omnibus_df: Value
    omnibus_p: Value
    nagelkerke_r2: Value
    cox_snell_r2: Value
    mcfadden_r2: Value
    aic: Value
    brier: Value

    SHOWS_N: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Term(Result):
    """One coefficient: Wald as SPSS, profile limits as R, likelihood-ratio test against the model without it."""

    b: Value
    se: Value
    wald: Value
    p_wald: Value
    odds_ratio: Value
    or_ci_low: Value
    or_ci_high: Value
    or_profile_low: Value
    or_profile_high: Value
    or_profile_exact_low: Value
    or_profile_exact_high: Value
    lr_chi2: Value
    p_lr: Value
    vif: Value

    PRINTED: ClassVar[Mapping[str, str]] = MappingProxyType({"odds_ratio": "or"})


@dataclass(frozen=True)
class Model:
    """A logistic model, fitted or refused.

    Attributes
    ----------
    summary : Summary
        Fit as a whole; `summary.notes` name dropped predictors and overfitting.
    terms : mapping of str to Term
        By name, the intercept first, dropped predictors last.
    fitted : ndarray or None
        Fitted probabilities of the complete cases, where maximum likelihood exists.
    """

    design: Design
    summary: Summary
    terms: Mapping[str, Term]
    fitted: Array | None = field(default=None)


@dataclass(frozen=True)
class _Fit:
    b: Array
    loglik: float
    p: Array
    converged: bool


def fit(design: Design) -> Model:
    """Fit a binary logistic model.

    Parameters
    ----------
    design : Design
        What `prepare` gave.

    Returns
    -------
    Model
        Newton to machine precision. Cox & Snell, Nagelkerke 1991 and McFadden R-squared; VIF from the covariance of the
        estimates (as R rms). A refused or separated model carries the reason in every number that does not exist.
    """
    notes = tuple(f"{name} was left out: it does not vary among the complete cases." for name in design.constant)
    frame: dict[str, Any] = {"n": design.n, "method": METHOD, "source": "Hosmer & Lemeshow 2000"}
    if design.refusal:
        return _without_estimates(design, design.refusal, NotEstimable(design.refusal), notes, frame)
    kind = separation(design.x, design.y)
    parameters = design.x.shape[1] - 1
    per_parameter = min(design.events, design.n - design.events) / parameters
    if per_parameter < 10:
        notes += (f"Only {per_parameter:.1f} cases of the rarer outcome per coefficient: the model is overfitted.",)
    if kind != "none":
        return _without_estimates(design, SEPARATED.format(kind=kind), kind, notes, frame)
    scale = np.abs(design.x).max(axis=0)
    xs = design.x / scale
    best = newton(xs, design.y, np.zeros(xs.shape[1]))
    if not best.converged:
        return _without_estimates(design, "the fit did not converge", kind, notes, frame)
    covariance = np.linalg.inv((xs * (best.p * (1 - best.p))[:, None]).T @ xs) / np.outer(scale, scale)
    constant = {name: Term.refused("does not vary among the complete cases", **frame) for name in design.constant}
    terms = {name: _term(j, xs, scale, design.y, best, covariance, frame) for j, name in enumerate(design.names)}
    return Model(design, _summary(design, best, kind, notes, frame), terms | constant, best.p)


def _without_estimates(design: Design, why: str, kind: Value, notes: tuple[str, ...], frame: dict[str, Any]) -> Model:
    known = {"n_events": design.events, "separation": kind}
    summary = Summary.refused(why, **known, notes=notes, **frame)
    return Model(design, summary, {name: Term.refused(why, **frame) for name in (*design.names, *design.constant)})


def newton(x: Array, y: Array, start: Array, offset: Array | float = 0.0, *, gain: float = 0.0) -> _Fit:
    """Maximise a likelihood that has a maximum; a ``gain`` ends the climb where a step promises less."""

    def look(b: Array) -> tuple[float, Array]:
        eta = x @ b + offset
        p, soft = softened(eta)
        return float((y * eta - soft).sum()), p

    b = start
    now, p = look(b)
    for _ in range(200):
        information = (x * (p * (1 - p))[:, None]).T @ x
        score = x.T @ (y - p)
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return _Fit(b, now, p, converged=False)
        # On a profile of nearly separated data the coefficients run away while the likelihood has long settled.
        if float(score @ step) < gain:
            return _Fit(b, now, p, converged=True)
        border = now - 1e-13 * abs(now)
        now, p = look(b + step)
        for _halving in range(30):
            if now >= border:
                break
            step = step / 2
            now, p = look(b + step)
        b = b + step
        if float(np.abs(step).max()) < 1e-11 * (1 + float(np.abs(b).max())):
            return _Fit(b, now, p, converged=True)
    return _Fit(b, now, p, converged=False)


def _summary(design: Design, best: _Fit, kind: str, notes: tuple[str, ...], frame: dict[str, Any]) -> Summary:
    n, events = design.n, design.events
    df = design.x.shape[1] - 1
    null = events * math.log(events / n) + (n - events) * math.log(1 - events / n)
    chi2 = 2 * (best.loglik - null)
    cox_snell = 1 - math.exp(-chi2 / n)
    return Summary(
        **frame,
        notes=notes,
        n_events=events,
        separation=kind,
        minus2ll=-2 * best.loglik,
        minus2ll_null=-2 * null,
        omnibus_chi2=chi2,
        omnibus_df=df,
        omnibus_p=float(special.chdtrc(df, chi2)),
        nagelkerke_r2=cox_snell / (1 - math.exp(2 * null / n)),
        cox_snell_r2=cox_snell,
        mcfadden_r2=1 - best.loglik / null,
        aic=-2 * best.loglik + 2 * (df + 1),
        brier=float(np.mean((design.y - best.p) ** 2)),
    )


def _term(j: int, xs: Array, scale: Array, y: Array, best: _Fit, covariance: Array, frame: dict[str, Any]) -> Term:
    b, se = float(best.b[j] / scale[j]), math.sqrt(float(covariance[j, j]))
    chi2: Value = NotEstimable("the intercept is not tested against a model without it")
    p_lr: Value = chi2
    vif: Value = NotEstimable("the intercept has no variance inflation")
    if j:
        without = newton(np.delete(xs, j, axis=1), y, np.delete(best.b, j), gain=SETTLED)
        chi2 = max(0.0, 2 * (best.loglik - without.loglik))
        p_lr = float(special.chdtrc(1, chi2))
        vif = _inflation(covariance, j)
    return Term(
        **frame,
        b=b,
        se=se,
        wald=(b / se) ** 2,
        p_wald=float(2 * special.ndtr(-abs(b / se))),
        odds_ratio=_exp(b),
        or_ci_low=_exp(b - Z * se),
        or_ci_high=_exp(b + Z * se),
        **_limits(j, xs, float(scale[j]), y, best, se),
        lr_chi2=chi2,
        p_lr=p_lr,
        vif=vif,
    )


def _exp(value: float) -> float:
    return math.exp(value) if value < 709 else math.inf


def _limits(j: int, xs: Array, scale: float, y: Array, best: _Fit, se: float) -> dict[str, Any]:
    """Profile-likelihood limits of an odds ratio, interpolated as R does and exact."""
    rest, near, start = np.delete(xs, j, axis=1), np.delete(best.b, j), float(best.b[j])

    def profile(value: float, others: Array) -> Look:
        there = newton(rest, y, others, xs[:, j] * value, gain=SETTLED)
        return Look(2 * (best.loglik - there.loglik), -2 * float(xs[:, j] @ (y - there.p)), there.b)

    low, high = interpolated(profile, near, start=start, se=se * scale)
    # R's limits are good to the fourth digit: the first look is a little beyond them.
    low_step, high_step = (
        sign * 2 * se * scale if isinstance(limit, NotEstimable) else 1.001 * (limit - start)
        for sign, limit in ((-1, low), (1, high))
    )
    exact_low = crossing(profile, near, start=start, step=low_step)
    exact_high = crossing(profile, near, start=start, step=high_step)
    named = {
        "or_profile_low": low,
        "or_profile_high": high,
        "or_profile_exact_low": exact_low,
        "or_profile_exact_high": exact_high,
    }
    return {name: limit if isinstance(limit, NotEstimable) else _exp(limit / scale) for name, limit in named.items()}


def _inflation(covariance: Array, j: int) -> float:
    """Variance inflation from the correlation of the estimates, the intercept left out (R rms::vif)."""
    slopes = covariance[1:, 1:]
    root = np.sqrt(np.diag(slopes))
    return float(np.linalg.inv(slopes / np.outer(root, root))[j - 1, j - 1])

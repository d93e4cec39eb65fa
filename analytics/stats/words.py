"""Numbers in words: half-up rounding on the decimal value, p-values, and the bands of kappa and ICC."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from analytics.stats.result import Entry, NotEstimable

__all__ = ["exactly", "half_up", "icc_band", "kappa_band", "kappa_limits", "kappa_refused", "p_words"]

EVERY_DIGIT = Context(prec=400)  # the greatest float has 309 digits before the point
# Landis & Koch 1977 in the half-open form the reference study prints; upper border of each band.
KAPPA_BANDS = (
    (Decimal("0.00"), "poor"),
    (Decimal("0.20"), "slight"),
    (Decimal("0.40"), "fair"),
    (Decimal("0.60"), "moderate"),
    (Decimal("0.80"), "substantial"),
)
# Koo & Li 2016, doi 10.1016/j.jcm.2016.02.012; upper border of each band.
ICC_BANDS = ((Decimal("0.49"), "poor"), (Decimal("0.74"), "moderate"), (Decimal("0.89"), "good"))


def half_up(value: float | Decimal, decimals: int) -> Decimal:
    """Round the decimal number that ``repr`` shows, ties away from zero.

    Parameters
    ----------
    value : float or Decimal
        Finite. 0.205 is meant as 0.205, although its binary neighbour lies below.
    decimals : int
        Digits after the point.

    Returns
    -------
    Decimal
        Never a negative zero.
    """
    rounded = exactly(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, EVERY_DIGIT)
    return abs(rounded) if rounded == 0 else rounded


def exactly(value: float | Decimal, times: Fraction = Fraction(1)) -> Decimal:
    """Give ``times`` the decimal number that ``repr`` shows, so that a tie stays one: 100 times 0.145 is 14.5."""
    meant = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    if times == 1:
        return meant
    return EVERY_DIGIT.divide(EVERY_DIGIT.multiply(meant, Decimal(times.numerator)), Decimal(times.denominator))


def p_words(p: float) -> str:
    """Print a p-value: ``< 0.001`` or three decimals, half up."""
    return "< 0.001" if p < 0.001 else str(half_up(p, 3))


def _band(value: float, bands: tuple[tuple[Decimal, str], ...], last: str) -> str:
    rounded = half_up(value, 2)
    return next((word for border, word in bands if rounded <= border), last)


def kappa_band(kappa: float) -> str:
    """Name the agreement of a kappa: rounded half up to two decimals first, then looked up (Landis & Koch 1977)."""
    return _band(kappa, KAPPA_BANDS, "almost perfect")


def kappa_refused(entry: Entry) -> str:
    """Name the field whose reason stands in place of a kappa; empty where the kappa can be printed.

    With one constant reader the formula gives 0 whatever the other did: no table, figure or sentence shows that zero.
    """
    if isinstance(entry.values["estimate"], NotEstimable):
        return "estimate"
    untested = isinstance(entry.values.get("z_approx_t"), NotEstimable)
    return "z_approx_t" if untested and entry.notes else ""


def kappa_limits(entry: Entry, plan: str) -> tuple[str, str, str]:
    """Name the estimate and the limits of it that are printed.

    Of Cohen's kappa the score interval, which keeps its level also where few cases are read differently. Where it does
    not exist its reason is printed: Wald's would be narrowest just there. Wald's where the plan does as the reference
    study did, and for every other coefficient.
    """
    as_published = plan in {"paper", "agreement_paper"}
    ending = "_score" if "ci_low_score" in entry.values and not as_published else ""
    return "estimate", f"ci_low{ending}", f"ci_high{ending}"


def icc_band(icc: float) -> str:
    """Name the reliability of an ICC: rounded half up to two decimals first, then looked up (Koo & Li 2016)."""
    return _band(icc, ICC_BANDS, "excellent")

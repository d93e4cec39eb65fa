from __future__ import annotations

import pytest

from analytics.stats.words import half_up, icc_band, kappa_band, p_words


@pytest.mark.parametrize(
    ("kappa", "band"),
    [
        (-0.3, "poor"),
        (0.004, "poor"),
        (0.2049, "slight"),
        (0.205, "fair"),
        (0.4, "fair"),
        (0.405, "moderate"),
        (0.61, "substantial"),
        (0.8049, "substantial"),
        (0.805, "almost perfect"),
        (1.0, "almost perfect"),
    ],
)
def test_kappa_bands_are_looked_up_after_rounding_half_up(kappa: float, band: str) -> None:
    assert kappa_band(kappa) == band


@pytest.mark.parametrize(
    ("icc", "band"),
    [(-0.2, "poor"), (0.4949, "poor"), (0.495, "moderate"), (0.745, "good"), (0.8949, "good"), (0.895, "excellent")],
)
def test_icc_bands(icc: float, band: str) -> None:
    assert icc_band(icc) == band


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [(12.5, 0, "13"), (0.205, 2, "0.21"), (2.675, 2, "2.68"), (-0.5, 0, "-1"), (-0.001, 2, "0.00"), (1e-7, 3, "0.000")],
)
def test_rounding_is_half_up_on_the_decimal_number(value: float, decimals: int, shown: str) -> None:
    assert str(half_up(value, decimals)) == shown


@pytest.mark.parametrize(("p", "shown"), [(0.0009999, "< 0.001"), (0.001, "0.001"), (0.0465, "0.047"), (1.0, "1.000")])
def test_p_values(p: float, shown: str) -> None:
    assert p_words(p) == shown

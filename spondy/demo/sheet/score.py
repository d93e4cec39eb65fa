"""How well people who saw the pictures only found what was planted: weighted kappa an item, ICC of the slip."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analytics.stats.agreement import kappa, percent_agreement
from analytics.stats.reliability import icc
from analytics.stats.result import NotEstimable

CODES = {
    "pfirrmann": range(1, 6), "modic_type1": range(2), "segment_degeneration": range(2), "weishaupt": range(4),
    "bartynski": range(4), "lee": range(4), "meyerding": range(6), "isthmic_bme": range(2), "edema": range(2),
    "cyst": range(2), "contrast_pattern": range(1, 4),
}  # fmt: skip
HEAD = "| Item | n | Same grade % | Kappa, linear weights | Kappa, quadratic weights |\n|---|---|---|---|---|"


def _read(path: Path) -> dict[str, dict[tuple[str, str], float]]:
    found: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (row["grade"] or "").strip():
                found[row["item"].strip()][row["case"].strip(), (row["side"] or "").strip()] = float(row["grade"])
    return found


def _number(value: object) -> str:
    return "-" if isinstance(value, NotEstimable) or not isinstance(value, float) else f"{value:.2f}"


def score(grades: Path, truth: Path) -> Iterator[str]:
    """Lines of a table: one an item, planted against found; then the slip in millimetres."""
    found, planted = _read(grades), _read(truth)
    yield HEAD
    for item, codes in CODES.items():
        levels = list(codes)
        both = sorted(set(found[item]) & set(planted[item]))
        table = np.zeros((len(levels), len(levels)), dtype=int)
        for key in both:
            table[levels.index(int(planted[item][key])), levels.index(int(found[item][key]))] += 1
        same = percent_agreement(table).percent_agreement
        linear, square = (kappa(table, levels, weighting).estimate for weighting in ("linear", "quadratic"))
        yield f"| {item} | {len(both)} | {_number(same)} | {_number(linear)} | {_number(square)} |"
    yield from _slip(found["slip_mm"], planted["slip_mm"])


def _slip(found: dict[tuple[str, str], float], planted: dict[tuple[str, str], float]) -> Iterator[str]:
    both = sorted(set(found) & set(planted))
    if len(both) < 3:
        return
    pairs = np.array([(planted[key], found[key]) for key in both])
    off = np.abs(pairs[:, 0] - pairs[:, 1])
    yield f"\nSlip: n = {len(both)}, ICC(A,1) {_number(icc(pairs).estimate)}, mean difference {off.mean():.1f} mm."


def confusions(grades: Path, truth: Path) -> Iterator[str]:
    """Lines that say how often each planted grade was found as which."""
    found, planted = _read(grades), _read(truth)
    for item, codes in CODES.items():
        yield f"\n{item}: planted (rows) as found (columns {', '.join(str(code) for code in codes)})"
        for code in codes:
            keys = [key for key, value in planted[item].items() if value == code and key in found[item]]
            yield f"{code:>3}: " + "  ".join(
                f"{sum(found[item][key] == other for key in keys):2d}" for other in codes
            )  # fmt: skip

"""A simulated study: outcomes with planted odds ratios, two readers with planted agreement, and their answers.

With 134 cases the margins are those the reference study printed (Kajdi 2025, Eur Radiol, Tables 1 and 2,
doi 10.1007/s00330-025-11903-8); findings whose prevalence it does not print have invented ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.protocol import Continuous, Item, Protocol, catalogue

__all__ = ["AGREEMENT", "CASES", "ODDS_RATIOS", "Study", "documents", "study"]

Array = NDArray[np.float64]
Codes = NDArray[np.int_]

CASES = 134
# Response classes from complete relief to more pain, at 15 minutes and at 1 month (Table 2).
CLASSES = ("eq100", "ge75_lt100", "ge50_lt75", "gt0_lt50", "eq0", "increased")
AT_15MIN = (16, 9, 31, 36, 32, 10)
AT_1MONTH = (38, 10, 25, 9, 52, 0)
BASELINE = (2, 7, 14, 21, 22, 20, 19, 13, 10, 6)  # NRS 1 to 10; mean 5.6, SD 2.2 before the classes bind
WOMEN = 54
VERTEBRAE = {"L3": 2, "L4": 14, "L5": 118}
AGE = (43.9, 16.2, 18, 86)  # mean, SD, ends
BMI = (26.1, 4.1, 16.5, 42.0)
SLIP_MM = (6.0, 3.8)
NO_SLIP = 12
WORN = 3
ENDPLATE_MM = (35.0, 1.6, 31.0, 39.0)
MEASURES = ("slip_mm", "endplate_mm")
FINDINGS: dict[str, dict[int, int]] = {
    "contrast_pattern": {1: 66, 2: 55, 3: 13},
    "segment_degeneration": {0: 63, 1: 71},
    "pfirrmann": {1: 8, 2: 20, 3: 40, 4: 44, 5: 22},
    "modic_type1": {0: 114, 1: 20},
    "weishaupt": {0: 22, 1: 44, 2: 46, 3: 22},
    "bartynski": {0: 62, 1: 40, 2: 24, 3: 8},
    "lee": {0: 30, 1: 42, 2: 36, 3: 26},
    "isthmic_bme": {0: 84, 1: 50},
    "soft_tissue_edema_cyst": {0: 82, 1: 52},
}
# Conditional odds ratios of success planted at 15 minutes and at 1 month, per step of the code.
ODDS_RATIOS: dict[str, tuple[float, float]] = {
    "isthmic_bme": (7.0, 2.7),
    "segment_degeneration": (0.6, 0.8),
    "soft_tissue_edema_cyst": (1.6, 1.3),
}
SHARED = 0.72  # correlation of the unexplained response at the two times
SLIP_ICC = 0.95
KAPPA = 0.8
PRINTED = ("contrast_pattern",)
"""Findings whose margin the reference study prints: both readers have it exactly."""
AGREEMENT = {
    "contrast_pattern": 0.86, "segment_degeneration": 0.74, "pfirrmann": 0.72, "modic_type1": 0.82, "weishaupt": 0.62,
    "bartynski": 0.66, "lee": 0.68, "meyerding": 0.92, "isthmic_bme": 0.94, "soft_tissue_edema_cyst": 0.84,
}  # fmt: skip
"""A kappa for each finding: that of isthmic oedema is the published one, the others are invented."""


@dataclass(frozen=True)
class Study:
    """Two tables in the layout of the reference data.

    Attributes
    ----------
    clinical : DataFrame
        One row a case.
    gradings : DataFrame
        One row a case and reader, levels as the protocol exports them.
    truth : DataFrame
        One row a case: the codes of what is there, `slip_mm` and `endplate_mm`; what the readers and the outcomes
        were drawn from.
    """

    clinical: pd.DataFrame
    gradings: pd.DataFrame
    truth: pd.DataFrame


def study(*, cases: int = CASES, kappa: float | Mapping[str, float] = 0.8, seed: int = 1) -> Study:
    """Simulate a whole study.

    Parameters
    ----------
    cases : int
        How many; margins are scaled to it, exact at 134.
    kappa : float or mapping
        Planted agreement of the two readers, 0 to 1, on every coded finding or by its code (`KAPPA` where it is not
        named): each reader copies the truth with probability ``sqrt(kappa)`` and otherwise draws from the truth's own
        margin, which makes the expected kappa this number. Findings in `PRINTED` are dealt out anew instead.
    seed : int
        The same seed gives the same study.
    """
    planted = dict(kappa) if isinstance(kappa, Mapping) else dict.fromkeys((*FINDINGS, "meyerding"), kappa)
    if cases < 2 or not all(0 <= value <= 1 for value in planted.values()):
        raise ValueError(f"A study has two cases or more and a kappa from 0 to 1, not {cases!r} and {kappa!r}.")
    rng = np.random.default_rng(seed)
    truth = _truth(rng, cases)
    names = [f"S{place:0{len(str(cases))}d}" for place in range(1, cases + 1)]
    clinical = _clinical(rng, names, truth)
    protocol = catalogue.latest("spondylolysis")
    rows = []
    for reader in ("R1", "R2"):
        coded = {item: values for item, values in truth.items() if item not in MEASURES}
        seen = {
            item: _read(rng, values, planted.get(item, KAPPA), dealt=item in PRINTED) for item, values in coded.items()
        }
        slip = _measured(rng, truth["slip_mm"])
        for place, name in enumerate(names):
            codes = {item: int(values[place]) for item, values in seen.items()} | {"slip_mm": float(slip[place])}
            exported = {item: protocol.exported(item, codes[item]) for item in codes}
            rows.append({"case_id": name, "reader": reader, **exported})
    findings = [item.code for item in protocol.items if not item.support]
    gradings = pd.DataFrame(rows, columns=["case_id", "reader", *findings], dtype=object)
    table = pd.DataFrame({"case_id": names, **truth})
    return Study(clinical, gradings.sort_values(["case_id", "reader"], ignore_index=True), table)


def _scaled(counts: tuple[int, ...], cases: int) -> list[int]:
    """Scale counts to another total by the largest remainders."""
    shares = [count * cases / sum(counts) for count in counts]
    whole = [math.floor(share) for share in shares]
    order = sorted(range(len(counts)), key=lambda place: whole[place] - shares[place])
    for place in order[: cases - sum(whole)]:
        whole[place] += 1
    return whole


def _dealt(rng: np.random.Generator, values: tuple[Any, ...], counts: tuple[int, ...], cases: int) -> NDArray[Any]:
    return rng.permutation(np.repeat(np.array(values), _scaled(counts, cases)))


def _truth(rng: np.random.Generator, cases: int) -> dict[str, Array]:
    found = {
        item: _dealt(rng, tuple(levels), tuple(levels.values()), cases).astype(float)
        for item, levels in FINDINGS.items()
    }
    slip = np.round(np.abs(rng.normal(*SLIP_MM, cases)), 1)
    slip[: _scaled((NO_SLIP, CASES - NO_SLIP), cases)[0]] = 0.0
    found["slip_mm"] = rng.permutation(slip)
    found["endplate_mm"] = _drawn(rng, cases, ENDPLATE_MM).round(1)
    # Exact quarters belong to the lower grade.
    found["meyerding"] = np.clip(np.ceil(4 * found["slip_mm"] / found["endplate_mm"]), 0, 5)
    found["modic_type1"] = _beside_worn_discs(rng, found["modic_type1"], found["pfirrmann"])
    return found


def _beside_worn_discs(rng: np.random.Generator, modic: Array, pfirrmann: Array) -> Array:
    """Deal the endplate changes to cases with worn discs, as far as there are such."""
    worn = rng.permutation(np.flatnonzero(pfirrmann >= WORN))
    fresh = rng.permutation(np.flatnonzero(pfirrmann < WORN))
    found = np.zeros_like(modic)
    found[np.concatenate([worn, fresh])[: int(modic.sum())]] = 1
    return found


def _read(rng: np.random.Generator, truth: Array, kappa: float, *, dealt: bool = False) -> Array:
    """Copy the truth or draw from its margin; ``dealt`` keeps the margin as it is."""
    seen = truth.copy()
    kept = _kept(kappa, truth.size) if dealt else math.sqrt(kappa)
    strayed = np.flatnonzero(rng.random(truth.size) >= kept)
    others = rng.permutation(strayed) if dealt else rng.integers(0, truth.size, strayed.size)
    seen[strayed] = truth[others]
    return seen


def _kept(kappa: float, cases: int) -> float:
    """Give the share of codes to keep, where what strays is dealt out anew, so that the expected kappa is this one.

    Some of the strayed get their own code back. With a share s kept of n cases, a strayed case gets its own with
    probability (1 - s^n) / (n (1 - s)) and else that of any other; the chance to copy the truth, beyond drawing from
    its margin, is then 1 - (n (1 - s) - (1 - s^n)) / (n - 1), and has to be the root of kappa.
    """
    wanted = (1 - math.sqrt(kappa)) * (cases - 1)
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        strays_more = cases * (1 - middle) - (1 - middle**cases) > wanted
        low, high = (middle, high) if strays_more else (low, middle)
    return high


def _measured(rng: np.random.Generator, truth: Array) -> Array:
    """Add a reader's error; no slip stays no slip."""
    spread = float(truth.std()) * math.sqrt((1 - SLIP_ICC) / SLIP_ICC)
    noisy = np.round(np.maximum(truth + rng.normal(0, spread, truth.size), 0.1), 1)
    return np.where(truth == 0, 0.0, noisy)


def _clinical(rng: np.random.Generator, names: list[str], truth: Mapping[str, Array]) -> pd.DataFrame:
    cases = len(names)
    early, late = _classes(rng, truth, cases)
    baseline = _baseline(rng, early, late)
    return pd.DataFrame(
        {
            "case_id": names,
            "age": _drawn(rng, cases, AGE).round().astype(int),
            "sex": _dealt(rng, ("F", "M"), (WOMEN, CASES - WOMEN), cases),
            "bmi": _drawn(rng, cases, BMI).round(1),
            "level": _dealt(rng, tuple(VERTEBRAE), tuple(VERTEBRAE.values()), cases),
            "nrs_baseline": baseline,
            "nrs_15min": [_followup(rng, b, CLASSES[c]) for b, c in zip(baseline, early, strict=True)],
            "nrs_1month": [_followup(rng, b, CLASSES[c]) for b, c in zip(baseline, late, strict=True)],
        }
    )


def _drawn(rng: np.random.Generator, cases: int, law: tuple[float, float, float, float]) -> Array:
    """Draw a bell between two ends, then bring mean and spread to the printed ones."""
    mean, spread, low, high = law
    x = rng.normal(0, 1, cases)
    for _ in range(20):
        x = np.clip((x - x.mean()) / max(float(x.std(ddof=1)), 1e-9), (low - mean) / spread, (high - mean) / spread)
    return mean + spread * x


def _classes(rng: np.random.Generator, truth: Mapping[str, Array], cases: int) -> tuple[Codes, Codes]:
    """Response classes of both times: a logistic score is ranked and cut at the class sizes.

    The score is the planted log odds plus logistic noise, so cutting it anywhere gives success with these conditional
    odds ratios.
    """
    noise = rng.normal(size=(3, cases))
    classes = []
    for time, sizes in enumerate((AT_15MIN, AT_1MONTH)):
        own = math.sqrt(SHARED) * noise[2] + math.sqrt(1 - SHARED) * noise[time]
        share = np.clip(_normal_cdf(own), 1e-12, 1 - 1e-12)
        score = np.log(share / (1 - share))
        for item, ratios in ODDS_RATIOS.items():
            score = score + math.log(ratios[time]) * truth[item]
        found = np.empty(cases, dtype=int)
        found[np.argsort(-score)] = np.repeat(np.arange(len(CLASSES)), _scaled(sizes, cases))
        classes.append(found)
    return classes[0], classes[1]


def _normal_cdf(x: Array) -> Array:
    return np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in x])


def _scores(baseline: int, response: str) -> list[int]:
    """Whole follow-up scores that put a baseline into a response class."""
    tests = {
        "eq100": lambda f: f == 0,
        "ge75_lt100": lambda f: f > 0 and 4 * f <= baseline,
        "ge50_lt75": lambda f: 4 * f > baseline and 2 * f <= baseline,
        "gt0_lt50": lambda f: 2 * f > baseline and f < baseline,
        "eq0": lambda f: f == baseline,
        "increased": lambda f: f > baseline,
    }
    return [score for score in range(11) if tests[response](score)]


def _baseline(rng: np.random.Generator, early: Codes, late: Codes) -> list[int]:
    """Draw each baseline among those that allow both of the case's classes."""
    drawn = []
    for a, b in zip(early, late, strict=True):
        allowed = [s for s in range(1, 11) if _scores(s, CLASSES[a]) and _scores(s, CLASSES[b])]
        odds = np.array([BASELINE[s - 1] for s in allowed], dtype=float)
        drawn.append(int(rng.choice(allowed, p=odds / odds.sum())))
    return drawn


def _followup(rng: np.random.Generator, baseline: int, response: str) -> int:
    return int(rng.choice(_scores(baseline, response)))


def documents(
    protocol: Protocol,
    gradings: pd.DataFrame,
    *,
    seed: int = 0,
    planted: Mapping[str, Mapping[str, float]] | None = None,
) -> Iterator[tuple[str, str, str, dict[str, object]]]:
    """Write the answers whose case values are the gradings.

    Parameters
    ----------
    protocol : Protocol
        The instrument.
    gradings : DataFrame
        ``case_id, reader`` and a column an item, as the protocol exports; a blank cell becomes "not assessable".
    seed : int
        Decides which side carries the case value, and the support items.
    planted : mapping, optional
        Cell to value of what the images of a case show: where the case value is the planted one, so are its places.

    Yields
    ------
    case, reader, form, answers
        A complete answers document for every form.
    """
    rng = np.random.default_rng(seed)
    reasons = [reason.code for reason in protocol.reasons if not reason.note]
    for row in gradings.to_dict("records"):
        there = (planted or {}).get(str(row["case_id"]), {})
        for form in protocol.forms:
            answers: dict[str, object] = {}
            for item in protocol.items_of(form.code):
                if item.code in row:
                    answers |= _answered(rng, protocol, item, row[item.code], reasons, there)
                elif item.required:
                    answers |= {f"{item.code}.{site.code}": _usual(rng, item) for site in item.sites if site.required}
            yield str(row["case_id"]), str(row["reader"]), form.code, answers


def _answered(
    rng: np.random.Generator,
    protocol: Protocol,
    item: Item,
    cell: object,
    reasons: list[str],
    there: Mapping[str, float],
) -> dict[str, object]:
    sites = [site.code for site in item.sites if site.counts]
    if cell is None or cell == "" or cell != cell:
        reason = reasons[int(rng.integers(len(reasons)))]
        return {f"{item.code}.{site}": {"not_assessable": reason} for site in sites}
    value = protocol.parsed(item.code, str(cell))
    shown = {site: there[f"{item.code}.{site}"] for site in sites if f"{item.code}.{site}" in there}
    worst = max(shown.values(), default=None)
    if len(shown) == len(sites) and worst == value:
        return {f"{item.code}.{site}": found for site, found in shown.items()}
    carriers = [site for site in sites if shown.get(site) == worst] or sites
    carrier = carriers[int(rng.integers(len(carriers)))]
    return {f"{item.code}.{site}": value if site == carrier else _milder(rng, item, value) for site in sites}


def _milder(rng: np.random.Generator, item: Item, value: float) -> float:
    """Choose a value of another site that does not change the case value."""
    if isinstance(item.scale, Continuous):
        return value
    allowed = [code for code in item.scale.codes if code <= value]
    # The other side mostly looks alike.
    return allowed[-1] if rng.random() < 0.5 else allowed[int(rng.integers(len(allowed)))]


def _usual(rng: np.random.Generator, item: Item) -> float:
    """Choose a support answer from the upper end of its scale."""
    if isinstance(item.scale, Continuous):
        return item.scale.low
    top = item.scale.codes[-2:]
    return top[-1] if rng.random() < 0.8 else top[0]

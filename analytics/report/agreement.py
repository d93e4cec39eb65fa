"""The tables of agreement: two readers, several, intervals by resampling, measurements."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from analytics.report.text import LIMITS_95, Cells, Table, items, readers_of
from analytics.stats.result import NotEstimable, Results
from analytics.stats.words import icc_band, kappa_band, kappa_limits, kappa_refused

__all__ = [
    "agreement",
    "bland_altman",
    "bootstrap",
    "chance",
    "icc_words",
    "kappa_cells",
    "kappa_fields",
    "kappa_words",
    "pairs",
    "scored",
    "several",
]

ESTIMATE = ("estimate", "ci_low", "ci_high")
WITHIN = (-1.0, 1.0)
SCORE = (
    "κ of two readers: score interval where it exists; it keeps its level also where few cases are read differently."
)
FEW = 10  # differing cases; from here on the intervals hold 93 to 95 % (docs/statistics.md, coverage)
# A count that no line of `estimates.csv` holds stands as a word.
IN_WORDS = (
    *("no case", "one case", "two cases", "three cases", "four cases"),
    *("five cases", "six cases", "seven cases", "eight cases", "nine cases"),
)
BANDS = (
    "Bands of the estimate and, where they differ, of its limits: kappa after Landis and Koch, ICC after Koo and Li, "
    "of the value rounded to two decimals."
)


def agreement(results: Results) -> Table | None:
    """Print the agreement of two readers."""
    if len(readers_of(results)) > 2:
        return None
    cells = Cells(results)
    rows: list[tuple[str, ...]] = []
    for item in items(results):
        prefix = f"agreement/{item['code']}"
        if cells.has(f"{prefix}/kappa_unweighted"):
            rows.append(_kappa_row(cells, item["title"], prefix))
        elif cells.has(f"{prefix}/icc_a1"):
            shown = cells.interval(f"{prefix}/icc_a1", ("estimate", "ci_low", "ci_high"), bounds=(-1, 1))
            rows.append(
                (
                    f"{item['title']}, {item['unit']}",
                    cells.count(f"{prefix}/pairs", "n_pairs"),
                    "",
                    f"ICC {shown}",
                    "",
                    icc_words(cells, f"{prefix}/icc_a1"),
                    "",
                    "",
                )
            )
    if not rows:
        return None
    cells.note(
        f"{LIMITS_95} Limits beyond −1 and 1 are cut for print. SE: asymptotic standard error, not assuming the null."
    )
    cells.note(BANDS)
    cells.note("ICC: two-way, absolute agreement, single measures.")
    columns = ("Finding", "Pairs", "Agreement", "Coefficient (95 % CI)", "SE", "Band", "Linear κ", "Quadratic κ")
    return Table("agreement", "Agreement on each finding", columns, tuple(rows), cells.footnotes)


def icc_words(cells: Cells, id: str) -> str:
    """Name the band of an ICC, and those of its limits where they differ."""
    return _words(cells, id, icc_band, ESTIMATE)


def kappa_words(cells: Cells, id: str) -> str:
    """Name the band of a kappa, and those of its limits where they differ."""
    return _words(cells, id, kappa_band, kappa_fields(cells.results, id))


def kappa_fields(results: Results, id: str) -> tuple[str, str, str]:
    """Name the fields of a kappa and the limits of it that are printed."""
    return kappa_limits(results.entry(id), str(results.plan.get("code")))


def scored(results: Results) -> bool:
    """Whether the plan prints score intervals of any kappa: of two readers, of pairs of several, of repeat readings."""
    return any(
        "/kappa_" in entry.id and kappa_fields(results, entry.id) != ESTIMATE
        for family in ("agreement/", "intra/", "sites/")
        for entry in results.under(family)
    )


def _words(cells: Cells, id: str, band: Callable[[float], str], fields: tuple[str, str, str]) -> str:
    values = [cells.results.value(id, field) for field in fields]
    words = [band(float(value)) for value in values if not isinstance(value, NotEstimable)]
    if len(words) == 3 and len(set(words)) > 1:
        return f"{words[0]} ({words[1]} to {words[2]})"
    return words[0] if words else ""


def several(results: Results) -> Table | None:
    """Print the agreement of more than two readers."""
    if len(readers_of(results)) < 3:
        return None
    cells = Cells(results)
    rows = []
    for item in items(results):
        prefix = f"agreement/{item['code']}"
        if cells.has(f"{prefix}/fleiss_unweighted"):
            rows.append(_several_row(cells, item["title"], prefix))
        elif cells.has(f"{prefix}/icc_a1"):
            icc = f"{prefix}/icc_a1"
            mean = f"{prefix}/icc_ak"
            shown = f"ICC {cells.interval(icc, ESTIMATE, bounds=WITHIN)}"
            average = f"mean of all: {cells.interval(mean, ESTIMATE, bounds=WITHIN)}" if cells.has(mean) else ""
            title, n = f"{item['title']}, {item['unit']}", cells.n(icc)
            rows.append((title, n, "", shown, icc_words(cells, icc), average, "", ""))
    if not rows:
        return None
    cells.note(f"{LIMITS_95} Limits beyond −1 and 1 are cut for print. Cases graded by two readers at least.")
    cells.note(BANDS)
    cells.note("Agreement: mean share of agreeing pairs of readers. Pairs: mean of Cohen's κ (lowest to highest).")
    columns = (
        "Finding",
        "Cases",
        "Agreement",
        "Fleiss' κ or ICC",
        "Band",
        "Conger's κ",
        "Fleiss' κ, quadratic",
        "Pairs",
    )
    return Table("agreement_several", "Agreement of all readers", columns, tuple(rows), cells.footnotes)


def _several_row(cells: Cells, title: str, prefix: str) -> tuple[str, ...]:
    fleiss = f"{prefix}/fleiss_unweighted"
    kappa = cells.results.value(fleiss, "estimate")
    shown = cells.interval(fleiss, ESTIMATE, bounds=WITHIN)
    quadratic = f"{prefix}/fleiss_quadratic"
    return (
        title,
        cells.n(fleiss),
        cells.percent(f"{prefix}/agreement", "percent_agreement"),
        shown if isinstance(kappa, NotEstimable) else f"κ {shown}",
        kappa_words(cells, fleiss),
        cells.interval(f"{prefix}/conger_unweighted", ESTIMATE, bounds=WITHIN),
        cells.interval(quadratic, ESTIMATE, bounds=WITHIN) if cells.has(quadratic) else "",
        cells.interval(f"{prefix}/pairs", ("mean", "lowest", "highest"), bounds=WITHIN),
    )


def pairs(results: Results) -> Table | None:
    """Print Cohen's kappa, or the ICC, of every pair of more than two readers."""
    names = [f"{first}-{second}" for first, second in combinations(readers_of(results), 2)]
    if len(names) < 2:
        return None
    cells = Cells(results)
    rows = []
    for item in items(results):
        ids = [f"agreement/{item['code']}/pairs/{name}" for name in names]
        kind = "icc_a1" if item["kind"] == "continuous" else "kappa_unweighted"
        if all(cells.has(f"{id}/{kind}") for id in ids):
            shown = [
                cells.interval(f"{id}/{kind}", ESTIMATE, bounds=WITHIN)
                if kind == "icc_a1"
                else kappa_cells(cells, f"{id}/{kind}")[0]
                for id in ids
            ]
            rows.append((f"{item['title']}{', ICC' if kind == 'icc_a1' else ''}", *shown))
    if not rows:
        return None
    cells.note(f"Cohen's κ, unweighted, and ICC(A,1) where named. {LIMITS_95}")
    columns = ("Finding", *(name.replace("-", "–") for name in names))
    return Table("agreement_pairs", "Agreement of each pair of readers", columns, tuple(rows), cells.footnotes)


def _kappa_row(cells: Cells, title: str, prefix: str) -> tuple[str, ...]:
    agreed = f"{prefix}/agreement"
    row = [title, cells.count(agreed, "n_pairs"), cells.percent(agreed, "percent_agreement")]
    shown, se, band = kappa_cells(cells, f"{prefix}/kappa_unweighted")
    row += [f"κ {shown}" if band else shown, se, band]
    for weighting in ("linear", "quadratic"):
        id = f"{prefix}/kappa_{weighting}"
        row.append(kappa_cells(cells, id)[0] if cells.has(id) else "")
    return tuple(row)


def kappa_cells(cells: Cells, id: str) -> tuple[str, str, str]:
    """Kappa with interval, its SE and its band; with one constant reader, the reason."""
    if field := kappa_refused(cells.results.entry(id)):
        return cells.reason(id, field), "", ""
    fields = kappa_fields(cells.results, id)
    shown = cells.interval(id, fields, bounds=WITHIN)
    if fields == ESTIMATE:
        shown += few(cells, f"{id.rpartition('/')[0]}/kappa_unweighted", "po")
    else:
        cells.note(SCORE)
    return shown, cells.number(id, "ase1"), kappa_words(cells, id)


def few(cells: Cells, id: str, agreeing: str) -> str:
    """Mark an interval of two readers that rests on few cases read differently, by the share of agreeing pairs."""
    share = cells.results.value(id, agreeing) if cells.has(id) else NotEstimable("not computed")
    if isinstance(share, NotEstimable):
        return ""
    differing = round(cells.results.entry(id).n * (1 - float(share)))
    if differing >= FEW:
        return ""
    cases = IN_WORDS[differing]
    return f" {cells.mark(f'rests on {cases} read differently; the interval is likely too narrow')}"


CHANCE = {
    "gwet_ac1/declared": "AC1",
    "gwet_ac2_quadratic/declared": "AC2, quadratic",
    "brennan_prediger_unweighted/declared": "Brennan–Prediger",
}
PLAIN = {"pabak": "PABAK", "krippendorff_nominal": "α nominal", "krippendorff_ordinal": "α ordinal"}


def chance(results: Results) -> Table | None:
    """Print the coefficients that correct for chance otherwise than kappa."""
    cells = Cells(results)
    rows = []
    for item in items(results):
        prefix = f"agreement/{item['code']}"
        if not cells.has(f"{prefix}/gwet_ac1/declared"):
            continue
        shown = [_chance_cell(cells, prefix, name) for name in CHANCE]
        shown += [
            cells.number(f"{prefix}/{name}", "estimate") if cells.has(f"{prefix}/{name}") else "" for name in PLAIN
        ]
        byrt = f"{prefix}/byrt"
        shown.append(
            f"{cells.number(byrt, 'bias_index')} / {cells.number(byrt, 'prevalence_index')}" if cells.has(byrt) else ""
        )
        rows.append((item["title"], *shown))
    if not rows:
        return None
    cells.note(f"{LIMITS_95} All coefficients on the declared scale, complete pairs only.")
    columns = ("Finding", *CHANCE.values(), *PLAIN.values(), "Bias / prevalence index")
    return Table("agreement_other", "Other coefficients of agreement", columns, tuple(rows), cells.footnotes)


def _chance_cell(cells: Cells, prefix: str, name: str) -> str:
    id = f"{prefix}/{name}"
    if not cells.has(id):
        return ""
    if isinstance(cells.results.value(id, "ci_low"), NotEstimable):
        return cells.interval(id, ESTIMATE, bounds=WITHIN)
    # Only the unweighted share of agreeing pairs counts cases.
    return cells.interval(id, ESTIMATE, bounds=WITHIN) + few(cells, f"{prefix}/gwet_ac1/declared", "pa")


NAMED = {
    "kappa_unweighted": "κ",
    "kappa_quadratic": "κ, quadratic",
    "fleiss_unweighted": "Fleiss' κ",
    "fleiss_quadratic": "Fleiss' κ, quadratic",
    "conger_unweighted": "Conger's κ",
    "conger_quadratic": "Conger's κ, quadratic",
    "icc_a1": "ICC",
}


def bootstrap(results: Results) -> Table | None:
    """Print the intervals from resampled cases."""
    cells = Cells(results)
    rows = []
    for item in items(results):
        for name, symbol in NAMED.items():
            id = f"bootstrap/{item['code']}/{name}"
            if cells.has(id):
                intervals = [_bootstrap_cell(cells, item["code"], name, kind) for kind in ("percentile", "bca_midrank")]
                undefined = cells.count(id, "n_undefined")
                rows.append((item["title"], symbol, cells.count(id, "replicates"), undefined, *intervals))
    if not rows:
        return None
    cells.note("95 % intervals from resampled cases. BCa: bias-corrected and accelerated, ties counted half.")
    columns = ("Finding", "Coefficient", "Resamples", "Without a value", "Percentile interval", "BCa interval")
    return Table("agreement_bootstrap", "Agreement: bootstrap intervals", columns, tuple(rows), cells.footnotes)


def _bootstrap_cell(cells: Cells, item: str, name: str, kind: str) -> str:
    id, low = f"bootstrap/{item}/{name}", f"{kind}_low"
    shown = cells.interval(id, ("estimate", low, f"{kind}_high"), bounds=WITHIN)
    if not name.startswith("kappa_") or isinstance(cells.results.value(id, low), NotEstimable):
        return shown
    return shown + few(cells, f"agreement/{item}/kappa_unweighted", "po")


def bland_altman(results: Results) -> Table | None:
    """Print the limits of agreement, of each pair where there are more than two readers."""
    cells = Cells(results)
    rows = []
    couples = list(combinations(readers_of(results), 2))
    for item in items(results):
        for first, second in couples:
            of_pair = f"pairs/{first}-{second}/" if len(couples) > 1 else ""
            id = f"agreement/{item['code']}/{of_pair}bland_altman"
            if cells.has(id):
                pair = f" ({first} − {second})" if of_pair else ""
                rows.append(_limits_row(cells, f"{item['title']}, {item['unit']}{pair}", id))
    if not rows:
        return None
    cells.note(f"Difference {'of the pair named' if len(couples) > 1 else ' − '.join(couples[0])}. {LIMITS_95}")
    columns = ("Measurement", "Pairs", "Bias", "SD of differences", "Lower limit", "Upper limit", "Proportional bias r")
    return Table("bland_altman", "Limits of agreement", columns, tuple(rows), cells.footnotes)


def _limits_row(cells: Cells, title: str, id: str) -> tuple[str, ...]:
    return (
        title,
        cells.n(id),
        cells.interval(id, ("bias", "bias_ci_low", "bias_ci_high")),
        cells.number(id, "sd_diff"),
        cells.interval(id, ("loa_low", "loa_low_ci_low", "loa_low_ci_high")),
        cells.interval(id, ("loa_high", "loa_high_ci_low", "loa_high_ci_high")),
        f"{cells.number(id, 'proportional_bias_r')} (p {cells.p(id, 'proportional_bias_p')})",
    )

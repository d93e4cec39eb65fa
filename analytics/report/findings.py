"""The tables of the findings: how often, in whom, with which test, and how one reader's grades stand to another's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analytics.report.text import OUTCOMES, Cells, Table, items, readers_of, sources_of
from analytics.stats.result import NotEstimable, Results

__all__ = ["by_success", "completeness", "crossed", "multiplicity", "prevalence", "univariate"]

SIDES = {"success": "success", "no_success": "no success"}


def completeness(results: Results) -> Table | None:
    """Print what was graded, not assessable and missing."""
    cells = Cells(results)
    readers = readers_of(results)
    rows = []
    for item in items(results):
        ids = [f"completeness/{reader}/{item['code']}" for reader in readers]
        if all(cells.has(id) for id in ids):
            counts = [cells.count(id, field) for id in ids for field in ("graded", "not_assessable", "not_graded")]
            rows.append((item["title"], *counts))
    if not rows:
        return None
    columns = ("Finding", *(f"{r}: {w}" for r in readers for w in ("graded", "not assessable", "not graded")))
    cells.note(f"Cases: {cells.cases()}.")
    return Table("completeness", "Graded, not assessable and missing findings", columns, tuple(rows), cells.footnotes)


def prevalence(results: Results) -> Table | None:
    """Print how often each reader found what."""
    cells = Cells(results)
    named = {w: t for w, t in sources_of(results).items() if any(True for _ in results.under(f"prevalence/{w}/"))}
    readers = list(named)
    rows: list[tuple[str, ...]] = []
    for item in items(results) if readers else ():
        ids = [f"prevalence/{reader}/{item['code']}" for reader in readers]
        if not all(cells.has(id) for id in ids):
            continue
        if item["kind"] == "continuous":
            means = [
                f"{cells.number(id, 'mean', 1)} ± {cells.number(id, 'sd', 1)} (n = {cells.count(id, 'n')})"
                for id in ids
            ]
            rows.append((f"{item['title']}, {item['unit']}, mean ± SD", *means))
            continue
        rows.append((item["title"], *(f"n = {cells.n(id)}" for id in ids)))
        for id in ids:
            cells.whole([(id, f"pct_{name}") for name in item["names"]])
        for name, label in zip(item["names"], item["labels"], strict=True):
            rows.append((f"  {label}", *(cells.share(id, f"n_{name}", f"pct_{name}") for id in ids)))
    if not rows:
        return None
    cells.note("Percentages are of the graded cases.")
    return Table("findings", "Findings of each reader", ("Finding", *named.values()), tuple(rows), cells.footnotes)


def by_success(results: Results) -> Iterator[Table]:
    """Print each finding among the cases with and without success, one table a time."""
    for outcome, time in OUTCOMES.items():
        cells = Cells(results)
        rows = [row for item in items(results) for row in _by_success(cells, item, outcome)]
        if rows:
            cells.note("Percentages are of the graded cases with, or without, success. Measurements: mean ± SD.")
            columns = ("Finding", *(f"{r}: {side}" for r in readers_of(results) for side in SIDES.values()))
            title = f"Findings by success at {time}"
            yield Table(f"findings_{outcome}", title, columns, tuple(rows), cells.footnotes)


def _by_success(cells: Cells, item: dict[str, Any], outcome: str) -> Iterator[tuple[str, ...]]:
    ids = [f"success/{reader}/{item['code']}/by/{outcome}" for reader in readers_of(cells.results)]
    if not all(cells.has(id) for id in ids):
        return
    places = [(id, side) for id in ids for side in SIDES]
    counted = [f"n = {cells.count(id, f'n_{side}')}" for id, side in places]
    if item["kind"] == "continuous":
        means = [f"{cells.number(id, f'mean_{side}', 1)} ± {cells.number(id, f'sd_{side}', 1)}" for id, side in places]
        yield (f"{item['title']}, {item['unit']}", *(f"{m} ({n})" for m, n in zip(means, counted, strict=True)))
        return
    yield (item["title"], *counted)
    for name, label in zip(item["names"], item["labels"], strict=True):
        yield (f"  {label}", *(cells.share(id, f"n_{name}_{side}", f"pct_{name}_{side}") for id, side in places))
    for id, side in places:
        cells.whole([(id, f"pct_{name}_{side}") for name in item["names"]])


def univariate(results: Results) -> Table | None:
    """Print the tests of each finding against success."""
    cells = Cells(results)
    named = {w: t for w, t in sources_of(results).items() if f"mwu/{w}/slip_mm/by/success_15min" in results}
    readers = list(named) or readers_of(results)
    rows = []
    for item in items(results):
        tests = {"mwu": "Mann-Whitney U", "chisq": "Pearson χ²"}
        kind = next((k for k in tests if cells.has(f"{k}/{readers[0]}/{item['code']}/by/success_15min")), None)
        if kind is None:
            continue
        row = [item["title"], tests[kind]]
        for outcome in OUTCOMES:
            for reader in readers:
                row.append(_univariate_p(cells, kind, reader, item["code"], outcome))
        rows.append(tuple(row))
    if not rows:
        return None
    columns = ("Finding", "Test", *(f"{OUTCOMES[o]}, {named.get(r, r)}" for o in OUTCOMES for r in readers))
    cells.note(
        "p, two-sided, uncorrected; in square brackets adjusted after Holm among the findings of one reader and time."
    )
    cells.note("Where expected counts are small, Fisher's exact p stands beside Pearson's.")
    return Table("univariate", "Tests of each finding with success", columns, tuple(rows), cells.footnotes)


def _univariate_p(cells: Cells, kind: str, reader: str, item: str, outcome: str) -> str:
    id = f"{kind}/{reader}/{item}/by/{outcome}"
    shown = cells.p(id)
    adjusted = f"multiplicity/{reader}/{outcome}/{item}"
    raw = cells.results.value(id, "p")
    if not isinstance(raw, NotEstimable) and cells.has(adjusted):
        shown += f" [{cells.p(adjusted, 'p_holm')}]"
    if kind == "chisq" and cells.results.entry(id).notes:
        shown += f" (Fisher {cells.p(id, 'fisher_p')})"
    return shown


def multiplicity(results: Results) -> Table | None:
    """Print every p as it is and adjusted for the number of tests of one reader and time."""
    cells = Cells(results)
    rows = []
    for outcome, time in OUTCOMES.items():
        for who, shown in sources_of(results).items():
            for item in items(results):
                id = f"multiplicity/{who}/{outcome}/{item['code']}"
                if cells.has(id):
                    adjusted = (cells.p(id, name) for name in ("p_raw", "p_bonferroni", "p_holm", "p_bh"))
                    rows.append((f"{item['title']}, {time}, {shown}", *adjusted))
    if not rows:
        return None
    cells.note("A family: all findings of one reader at one time. Findings without a p are left out of it.")
    columns = ("Finding, time, reader", "p", "Bonferroni", "Holm", "Benjamini–Hochberg")
    return Table("multiplicity", "Tests adjusted for their number", columns, tuple(rows), cells.footnotes)


def crossed(results: Results) -> Iterator[Table]:
    """Print one reader's grades against the other's, one table a finding."""
    for item in items(results):
        id = f"agreement/{item['code']}/table"
        if id not in results:
            continue
        cells = Cells(results)
        first, second = readers_of(results)
        rows = tuple(
            (f"{first}: {label}", *(cells.count(id, f"{name}|{other}") for other in item["names"]))
            for name, label in zip(item["names"], item["labels"], strict=True)
        )
        cells.note(f"Complete pairs: {cells.n(id)}.")
        columns = ("", *(f"{second}: {label}" for label in item["labels"]))
        yield Table(f"crossed_{item['code']}", item["title"], columns, rows, cells.footnotes)

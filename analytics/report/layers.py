"""The tables of the layers: repeat readings, places of a finding, adjudication, and what of them there is."""

from __future__ import annotations

from typing import Any

from analytics.report.agreement import icc_words, kappa_cells, kappa_fields, kappa_words
from analytics.report.document import marked, plain
from analytics.report.text import LIMITS_95, Cells, Table, items, readers_of
from analytics.stats.result import NotEstimable, Results

__all__ = ["again", "layers", "places"]

ESTIMATE = ("estimate", "ci_low", "ci_high")
WITHIN = (-1.0, 1.0)


def layers(results: Results) -> Table | None:
    """Say which layers of the data there are, and of which there is nothing."""
    if not any(True for _ in results.under("layers/")):
        return None
    cells = Cells(results)
    rows = [
        (f"Repeat readings, {reader}", _said(cells, f"layers/again/{reader}", "{cases_again} cases"))
        for reader in readers_of(results)
    ]
    words = "{decided} decided, {agreed} agreed by all readers, {open} open"
    settled = {item["title"]: _said(cells, f"layers/adjudicated/{item['code']}", words) for item in items(results)}
    if len(set(map(plain, settled.values()))) == 1:
        settled = {"every finding": next(iter(settled.values()))}
    rows += [(f"Adjudicated, {title}", said) for title, said in settled.items()]
    for item in items(results):
        id = f"layers/sites/{item['code']}"
        if not isinstance(results.value(id, "places"), NotEstimable):
            rows.append((f"Places, {item['title']}", _said(cells, id, "{places} places of a case")))
    cells.note("Adjudicated: the adjudicator's value, or the readers' where all gave the same and none was asked for.")
    return Table("layers", "Layers of the data", ("Layer", "What there is"), tuple(rows), cells.footnotes)


def _said(cells: Cells, id: str, words: str) -> str:
    """Fill the numbers of an entry into words; where there are none, say why."""
    values = cells.results.entry(id).values
    for name, value in values.items():
        if isinstance(value, NotEstimable):
            return f"none: {marked(value.why, id, name)}"
    return words.format(**{name: cells.count(id, name) for name in values})


def again(results: Results) -> Table | None:
    """Print the agreement of each reader with the own repeat readings."""
    cells = Cells(results)
    rows = [
        _again_row(cells, f"{item['title']}, {reader}", f"intra/{reader}/{item['code']}", item)
        for item in items(results)
        for reader in readers_of(results)
        if cells.has(
            f"intra/{reader}/{item['code']}/{'icc_a1' if item['kind'] == 'continuous' else 'kappa_unweighted'}"
        )
    ]
    if not rows:
        return None
    cells.note(f"Main round against the repeat. {LIMITS_95} Limits beyond −1 and 1 are cut for print.")
    cells.note(
        "Measurements: ICC(A,1); repeatability coefficient: in 95 % two measurements of a case lie no farther apart."
    )
    columns = (
        "Finding, reader",
        "Cases",
        "Agreement",
        "κ or ICC",
        "Band",
        "Quadratic κ",
        "AC1",
        "Repeatability coefficient",
    )
    return Table("agreement_again", "Intra-reader agreement: repeat readings", columns, tuple(rows), cells.footnotes)


def _again_row(cells: Cells, title: str, prefix: str, item: dict[str, Any]) -> tuple[str, ...]:
    if item["kind"] == "continuous":
        icc, repeat = f"{prefix}/icc_a1", f"{prefix}/repeatability"
        limits = ("coefficient", "coefficient_low", "coefficient_high")
        shown = cells.interval(icc, ESTIMATE, bounds=WITHIN)
        apart = f"{cells.interval(repeat, limits)} {item['unit']}"
        return (title, cells.n(icc), "", shown, icc_words(cells, icc), "", "", apart)
    return (
        title,
        *_graded(cells, prefix, "percent_agreement"),
        cells.interval(f"{prefix}/gwet_unweighted", ESTIMATE, bounds=WITHIN),
        "",
    )


def _graded(cells: Cells, prefix: str, share: str) -> tuple[str, str, str, str, str]:
    """Cases, percent agreement, kappa with band and quadratic kappa of one comparison of two columns."""
    kappa, quadratic = f"{prefix}/kappa_unweighted", f"{prefix}/kappa_quadratic"
    percent = cells.percent(f"{prefix}/{share}", "percent_agreement")
    if "z_approx_t" in cells.results.entry(kappa).values:
        shown, _, band = kappa_cells(cells, kappa)
    else:  # more than two rounds: Conger's
        shown, band = cells.interval(kappa, ESTIMATE, bounds=WITHIN), ""
    weighted = cells.optional(quadratic, lambda id: cells.interval(id, kappa_fields(cells.results, id), bounds=WITHIN))
    return cells.n(kappa), percent, shown, band, weighted


def places(results: Results) -> Table | None:
    """Print agreement at each place of a finding, and over all its places with limits over patients."""
    cells = Cells(results)
    rows: list[tuple[str, ...]] = []
    for item in items(results):
        found: dict[str, None] = {}
        for entry in results.under(f"sites/{item['code']}/"):
            found.setdefault(entry.id.split("/")[2])
        for place in found:
            rows.append(
                (
                    f"{item['title']}: {place.replace('_', ' ')}",
                    *_place_row(cells, f"sites/{item['code']}/{place}", item),
                )
            )
        if any(True for _ in results.under(f"clustered/{item['code']}/")):
            rows.append((f"{item['title']}: all places", *_pooled_row(cells, f"clustered/{item['code']}", item)))
    if not rows:
        return None
    cells.note(f"{LIMITS_95} All places: limits over patients, because places of one patient are not independent.")
    cells.note("Design effect: variance over patients divided by that of independent places.")
    cells.note("κ at a place: Cohen's, of more than two readers Fleiss'; over all places: Conger's.")
    columns = (
        "Finding: place",
        "Graded",
        "Agreement",
        "κ or ICC",
        "Band",
        "Quadratic κ",
        "Design effect",
        "Bootstrap over patients",
    )
    return Table("agreement_places", "Agreement at each place of a finding", columns, tuple(rows), cells.footnotes)


def _place_row(cells: Cells, prefix: str, item: dict[str, Any]) -> tuple[str, ...]:
    if item["kind"] == "continuous":
        id = f"{prefix}/icc_a1"
        return (
            cells.n(id),
            "",
            cells.interval(id, ESTIMATE, bounds=WITHIN),
            icc_words(cells, id),
            "",
            "",
            "",
        )
    if cells.has(f"{prefix}/kappa_unweighted"):
        return (*_graded(cells, prefix, "agreement"), "", "")
    id = f"{prefix}/fleiss_unweighted"
    shown, band = _kappa(cells, id)
    return cells.n(id), "", shown, band, _weighted(cells, f"{prefix}/fleiss_quadratic"), "", ""


def _pooled_row(cells: Cells, prefix: str, item: dict[str, Any]) -> tuple[str, ...]:
    id = f"{prefix}/{'icc_a1' if item['kind'] == 'continuous' else 'conger_unweighted'}"
    graded = f"{cells.count(id, 'n_sites')} of {cells.count(id, 'n_patients')} patients"
    if item["kind"] == "continuous":
        shown, band, percent = cells.interval(id, ESTIMATE, bounds=WITHIN), icc_words(cells, id), ""
    else:
        shown, band = _kappa(cells, id)
        percent = cells.percent(f"{prefix}/percent", "estimate", 100)
    drawn = f"{id}/bootstrap"
    interval = cells.interval(drawn, ("estimate", "percentile_low", "percentile_high"), bounds=WITHIN)
    return (
        graded,
        percent,
        shown,
        band,
        _weighted(cells, f"{prefix}/conger_quadratic"),
        cells.number(id, "design_effect"),
        interval,
    )


def _kappa(cells: Cells, id: str) -> tuple[str, str]:
    return cells.interval(id, ESTIMATE, bounds=WITHIN), kappa_words(cells, id)


def _weighted(cells: Cells, id: str) -> str:
    return cells.optional(id, lambda one: cells.interval(one, ESTIMATE, bounds=WITHIN))

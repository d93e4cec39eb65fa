"""Which tables a report has, built from the identifiers a plan computed."""

from __future__ import annotations

from collections.abc import Callable

from analytics.report import agreement, layers, prediction, sensitivity
from analytics.report.models import SPECIFICATIONS, model_tables
from analytics.report.text import LIMITS_95, OUTCOMES, TIMES, Cells, Table, items, readers_of, sources_of
from analytics.stats.result import NotEstimable, Results

__all__ = ["tables"]

CLINICAL = {
    "age": "Age, years",
    "bmi": "Body mass index, kg/m²",
    "nrs_baseline": "Pain before (NRS 0–10)",
    "nrs_15min": "Pain at 15 minutes (NRS 0–10)",
    "nrs_1month": "Pain at 1 month (NRS 0–10)",
    "ppr_15min": "Pain reduction at 15 minutes, %",
    "ppr_1month": "Pain reduction at 1 month, %",
}
RESPONSES = {
    "eq100": "Complete relief (100 %)",
    "ge75_lt100": "75 to < 100 %",
    "ge50_lt75": "50 to < 75 %",
    "responders": "Responders (≥ 50 %)",
    "gt0_lt50": "> 0 to < 50 %",
    "eq0": "No change",
    "increased": "Increased pain",
    "nonresponders": "Non-responders",
}


def tables(results: Results) -> list[Table]:
    """Print every table the results allow.

    Parameters
    ----------
    results : Results
        What a plan computed; tables whose numbers it does not have are left out.

    Returns
    -------
    list of Table
        Rounded half up, p below 0.001 as such, percentages with their counts, quantities that do not exist as words
        with the reason in a footnote.
    """
    made = [build(results) for build in BUILDERS]
    listed = [table for table in made if table is not None]
    for specification in SPECIFICATIONS:
        listed += model_tables(results, specification)
        listed += prediction.prediction_tables(results, specification)
        listed += sensitivity.model_tables(results, specification)
    listed += sensitivity.scores(results)
    return listed


def _completeness(results: Results) -> Table | None:
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
    return Table("completeness", "Graded cases", columns, tuple(rows), cells.footnotes)


def _cohort(results: Results) -> Table | None:
    cells = Cells(results)
    rows: list[tuple[str, ...]] = []
    for one in results.subject["characteristics"]:
        id = f"descriptive/{one['code']}"
        if cells.has(id):
            rows.append((one["title"], cells.n(id), "", "", ""))
            rows += [
                (f"  {label}", "", cells.share(id, f"n_{name}", f"pct_{name}"), "", "")
                for name, label in zip(one["names"], one["labels"], strict=True)
            ]
    for name, title in CLINICAL.items():
        id = f"descriptive/{name}"
        if cells.has(id):
            spread = f"{cells.number(id, 'mean', 1)} ± {cells.number(id, 'sd', 1)}"
            middle = cells.interval(id, ("median", "q25_type6", "q75_type6"), 1)
            ends = f"{cells.number(id, 'min', 1)} to {cells.number(id, 'max', 1)}"
            rows.append((title, cells.count(id, "n"), spread, middle, ends))
    if not rows:
        return None
    cells.note("Percentages are of the cases with a value. Quartiles as SPSS (HAVERAGE).")
    columns = ("Characteristic", "n", "Mean ± SD or count (%)", "Median (quartiles)", "Range")
    return Table("cohort", "The cases", columns, tuple(rows), cells.footnotes)


def _response(results: Results) -> Table | None:
    cells = Cells(results)
    times = [time for time in TIMES if cells.has(f"response/{time}")]
    if not times:
        return None
    rows = [
        (title, *(cells.share(f"response/{time}", f"n_{code}", f"pct_{code}") for time in times))
        for code, title in RESPONSES.items()
    ]
    columns = ("Pain reduction", *(f"{TIMES[time]} (n = {cells.count(f'response/{time}', 'n')})" for time in times))
    cells.note("Classes are decided on the scores, not on rounded percentages; a baseline of 0 has no reduction.")
    return Table("response", "Response to the injection", columns, tuple(rows), cells.footnotes)


def _over_time(results: Results) -> Table | None:
    cells = Cells(results)
    rows: list[tuple[str, ...]] = []
    for entry in results.under("wilcoxon/"):
        first, second = entry.id.removeprefix("wilcoxon/").split("-")
        label = f"{CLINICAL.get(first, first)} → {CLINICAL.get(second, second)}"
        less, more, equal = (cells.count(entry.id, name) for name in ("n_negative", "n_positive", "n_zero"))
        detail = f"{less} less, {more} more, {equal} equal"
        rows.append(
            (
                label,
                "Wilcoxon signed-rank",
                cells.n(entry.id),
                f"Z = {cells.number(entry.id, 'z')}; {detail}",
                cells.p(entry.id),
            )
        )
    for entry in results.under("mcnemar/"):
        detail = f"{cells.count(entry.id, 'gained')} gained, {cells.count(entry.id, 'lost')} lost"
        rows.append(
            (
                "Success at 15 minutes → 1 month",
                "McNemar, exact",
                cells.n(entry.id),
                detail,
                cells.p(entry.id, "p_exact"),
            )
        )
    for entry in results.under("spearman/"):
        first, second = entry.id.removeprefix("spearman/").split("-")
        shown = cells.interval(entry.id, ("rs", "ci_low_fieller", "ci_high_fieller"))
        label = f"{CLINICAL.get(first, first)} with {CLINICAL.get(second, second)}"
        rows.append((label, "Spearman", cells.n(entry.id), f"rs = {shown}", cells.p(entry.id)))
    if not rows:
        return None
    cells.note(f"Two-sided tests. {LIMITS_95} Spearman's after Fieller, Hartley and Pearson.")
    columns = ("Comparison", "Test", "n", "Statistic", "p")
    return Table("pain_over_time", "Pain over time", columns, tuple(rows), cells.footnotes)


def _prevalence(results: Results) -> Table | None:
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
        for name, label in zip(item["names"], item["labels"], strict=True):
            rows.append((f"  {label}", *(cells.share(id, f"n_{name}", f"pct_{name}") for id in ids)))
    if not rows:
        return None
    cells.note("Percentages are of the graded cases.")
    return Table("findings", "Findings of each reader", ("Finding", *named.values()), tuple(rows), cells.footnotes)


def _univariate(results: Results) -> Table | None:
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
    return Table("univariate", "Findings and success", columns, tuple(rows), cells.footnotes)


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


BUILDERS: tuple[Callable[[Results], Table | None], ...] = (
    _completeness,
    _cohort,
    _response,
    _over_time,
    _prevalence,
    agreement.agreement,
    agreement.several,
    agreement.pairs,
    agreement.chance,
    agreement.bootstrap,
    agreement.bland_altman,
    layers.again,
    layers.places,
    layers.layers,
    _univariate,
    sensitivity.risks,
    sensitivity.characteristics,
)

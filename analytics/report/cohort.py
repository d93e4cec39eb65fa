"""The tables of the patients: who was assessed, who they are, how the pain went, how they were scanned."""

from __future__ import annotations

from fractions import Fraction

from analytics.report.document import stated
from analytics.report.text import LIMITS_95, TIMES, Cells, Table, readers_of
from analytics.stats.result import Results

__all__ = ["cohort", "field_of", "fields", "flow", "over_time", "response", "scanning", "times"]

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
CLASSES = ("eq100", "ge75_lt100", "ge50_lt75", "gt0_lt50", "eq0", "increased")
SIDES = ("responders", "nonresponders")
TO_MINUTES = Fraction(1, 60)
FORMS = {"mr": "MRI form", "ct": "CT form"}
MIDDLE = ("median", "q25_type6", "q75_type6")


def flow(results: Results) -> Table | None:
    """Print who was assessed, left out and why, and included."""
    cells = Cells(results)
    if not cells.has("flow/assessed"):
        return None
    rows = [
        ("Assessed for eligibility", cells.count("flow/assessed", "n")),
        ("Excluded", cells.share("flow/excluded", "n", "percent")),
    ]
    reasons = results.subject["exclusions"]
    for one in reasons:
        letter = f"({one['code']}) " if one["code"] else ""
        rows.append((f"  {letter}{one['title']}", cells.share(f"flow/excluded/{one['code']}", "n", "percent")))
    rows.append(("Included", cells.share("flow/included", "n", "percent")))
    if reasons:
        cells.whole([(f"flow/excluded/{each['code']}", "percent") for each in reasons])
    cells.note("Excluded and included: of those assessed; reasons: of those excluded.")
    cells.note("A patient with several reasons is counted once, under the first that applies.")
    return Table("flow", "Patients assessed, excluded and included", ("", "Patients (%)"), tuple(rows), cells.footnotes)


def cohort(results: Results) -> Table | None:
    """Print the patients: characteristics, level, pain."""
    cells = Cells(results)
    rows: list[tuple[str, ...]] = []
    for one in results.subject["characteristics"]:
        id = f"descriptive/{one['code']}"
        if cells.has(id):
            rows.append((one["title"], cells.n(id), "", "", ""))
            cells.whole([(id, f"pct_{name}") for name in one["names"]])
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
    return Table("cohort", "Characteristics of the patients", columns, tuple(rows), cells.footnotes)


def response(results: Results) -> Table | None:
    """Print the responders by the six classes at both times."""
    cells = Cells(results)
    times = [time for time in TIMES if cells.has(f"response/{time}")]
    if not times:
        return None
    rows = [
        (title, *(cells.share(f"response/{time}", f"n_{code}", f"pct_{code}") for time in times))
        for code, title in RESPONSES.items()
    ]
    for time in times:
        for whole in (CLASSES, SIDES):
            cells.whole([(f"response/{time}", f"pct_{code}") for code in whole])
    columns = ("Pain reduction", *(f"{TIMES[time]} (n = {cells.count(f'response/{time}', 'n')})" for time in times))
    cells.note("Classes are decided on the scores, not on rounded percentages; a baseline of zero has no reduction.")
    return Table("response", "Response to the injection", columns, tuple(rows), cells.footnotes)


def over_time(results: Results) -> Table | None:
    """Print the tests and correlations of pain over time."""
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


def times(results: Results) -> Table | None:
    """Print how long a reading took, by form and reader."""
    cells = Cells(results)
    readers = readers_of(results)
    rows: list[tuple[str, ...]] = []
    for form in results.subject.get("forms", ()):
        for reader in readers:
            id = f"time/{reader}/{form}"
            if cells.has(id):
                ends = (cells.scaled(id, name, TO_MINUTES, 1) for name in ("min", "max"))
                middle = cells.interval(id, MIDDLE, 1, scale=TO_MINUTES)
                timed = f"{cells.n(id)} of {_of_times(cells, id)}"
                rows.append((f"{FORMS.get(form, form)}, {reader}", timed, middle, *ends))
    if not rows:
        return None
    cells.note("Minutes in which the reading was seen and worked on; pauses from a minute without input do not count.")
    columns = ("Form, reader", "Readings timed", "Median (quartiles), min", "Least, min", "Most, min")
    return Table("times", "Time of a reading", columns, tuple(rows), cells.footnotes)


def _of_times(cells: Cells, id: str) -> str:
    entry = cells.results.entry(id)
    if "of" in entry.values:
        return cells.count(id, "of")
    # A run kept from before the total was a number of its own: it is said, but no line of estimates.csv holds it.
    return stated(str(entry.n + int(str(entry.values["n_missing"]))), "study/readings")


def fields(results: Results) -> Table | None:
    """Print the patients by the field strength of their MRI."""
    cells = Cells(results)
    found = list(results.under("scanner/"))
    if not found:
        return None
    rows = [(stated(field_of(entry.id), "fixed/field"), cells.share(entry.id, "n", "percent")) for entry in found]
    cells.whole([(entry.id, "percent") for entry in found])
    cells.note(f"Of {cells.count(found[0].id, 'of')} patients with an MRI.")
    return Table(
        "fields", "Field strength of the MRI", ("Field strength", "Patients (%)"), tuple(rows), cells.footnotes
    )


def field_of(id: str) -> str:
    """Give the field strength of an entry's identifier in words."""
    name = id.removeprefix("scanner/").replace("_", " ")
    return name[:1].upper() + name[1:]


def scanning(results: Results) -> list[Table]:
    """Print how the images were made: one table a group of field strength, the CT last."""
    return [_protocol(results, group) for group in results.subject.get("groups", ())]


def _protocol(results: Results, group: str) -> Table:
    cells = Cells(results)
    slug = group.replace(" ", "_")
    series = [one for one in results.subject["series"] if one["group"] == group]
    ids = [f"series/{slug}/{one['role']}" for one in series]
    rows: list[tuple[str, ...]] = [
        ("Patients", *(cells.count(id, "cases") for id in ids)),
        ("Series", *(cells.n(id) for id in ids)),
    ]
    for one in results.subject["parameters"]:
        places = [f"{id}/{one['code']}" for id in ids]
        shown = [_stated(cells, place, one["decimals"]) if cells.has(place) else "" for place in places]
        if any(shown):
            rows.append((f"{one['title']}{', ' if one['unit'] else ''}{one['unit']}", *shown))
    cells.note("Median (range), one number where all are alike; n where not every series states it.")
    title = "CT" if group == "CT" else f"MRI, {stated(group, 'fixed/field')}"
    columns = ("", *(one["title"] for one in series))
    return Table(
        f"protocol_{slug.replace('.', '_')}", f"Scanning parameters: {title}", columns, tuple(rows), cells.footnotes
    )


def _stated(cells: Cells, id: str, decimals: int) -> str:
    middle, low, high = (cells.results.value(id, name) for name in ("median", "low", "high"))
    shown = cells.number(id, "median", decimals)
    if not low == middle == high:
        shown += f" ({cells.number(id, 'low', decimals)}–{cells.number(id, 'high', decimals)})"
    partly = cells.results.entry(id).n != cells.results.value(id, "of")
    return f"{shown}, n = {cells.n(id)}" if partly else shown

"""Which tables a report has, built from the identifiers a plan computed."""

from __future__ import annotations

from collections.abc import Callable

from analytics.report.models import OUTCOMES, SPECIFICATIONS, model_tables
from analytics.report.text import Cells, Table, items, readers_of
from analytics.stats.result import NotEstimable, Results
from analytics.stats.words import icc_band, kappa_band

__all__ = ["tables"]

TIMES = {"15min": "15 minutes", "1month": "1 month"}
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
LIMITS_95 = "Intervals are 95 % confidence intervals."


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
        listed += list(model_tables(results, specification))
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
    cells.note(f"Cases: {results.subject['cases']}.")
    return Table("completeness", "Graded cases", columns, tuple(rows), cells.footnotes)


def _cohort(results: Results) -> Table | None:
    cells = Cells(results)
    rows: list[tuple[str, ...]] = []
    for one in results.subject["characteristics"]:
        id = f"descriptive/{one['code']}"
        if cells.has(id):
            rows.append((one["title"], str(results.entry(id).n), "", "", ""))
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
                str(entry.n),
                f"Z = {cells.number(entry.id, 'z')}; {detail}",
                cells.p(entry.id),
            )
        )
    for entry in results.under("mcnemar/"):
        detail = f"{cells.count(entry.id, 'gained')} gained, {cells.count(entry.id, 'lost')} lost"
        rows.append(
            ("Success at 15 minutes → 1 month", "McNemar, exact", str(entry.n), detail, cells.p(entry.id, "p_exact"))
        )
    for entry in results.under("spearman/"):
        first, second = entry.id.removeprefix("spearman/").split("-")
        shown = cells.interval(entry.id, ("rs", "ci_low_fieller", "ci_high_fieller"))
        label = f"{CLINICAL.get(first, first)} with {CLINICAL.get(second, second)}"
        rows.append((label, "Spearman", str(entry.n), f"rs = {shown}", cells.p(entry.id)))
    if not rows:
        return None
    cells.note(f"Two-sided tests. {LIMITS_95} Spearman's after Fieller, Hartley and Pearson.")
    columns = ("Comparison", "Test", "n", "Statistic", "p")
    return Table("pain_over_time", "Pain over time", columns, tuple(rows), cells.footnotes)


def _prevalence(results: Results) -> Table | None:
    cells = Cells(results)
    readers = readers_of(results)
    rows: list[tuple[str, ...]] = []
    for item in items(results):
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
        rows.append((item["title"], *(f"n = {results.entry(id).n}" for id in ids)))
        for name, label in zip(item["names"], item["labels"], strict=True):
            rows.append((f"  {label}", *(cells.share(id, f"n_{name}", f"pct_{name}") for id in ids)))
    if not rows:
        return None
    cells.note("Percentages are of the graded cases.")
    return Table("findings", "Findings of each reader", ("Finding", *readers), tuple(rows), cells.footnotes)


def _agreement(results: Results) -> Table | None:
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
                    *_icc_words(cells, prefix),
                )
            )
    if not rows:
        return None
    cells.note(
        f"{LIMITS_95} Limits beyond −1 and 1 are cut for print. SE: asymptotic standard error, not assuming the null."
    )
    cells.note("Bands: kappa after Landis and Koch, ICC after Koo and Li, of the value rounded to two decimals.")
    cells.note("ICC: two-way, absolute agreement, single measures.")
    columns = ("Finding", "Pairs", "Agreement", "Coefficient (95 % CI)", "SE", "Band", "Linear κ", "Quadratic κ")
    return Table("agreement", "Agreement of the readers", columns, tuple(rows), cells.footnotes)


def _icc_words(cells: Cells, prefix: str) -> tuple[str, str, str]:
    values = [cells.results.value(f"{prefix}/icc_a1", field) for field in ("estimate", "ci_low", "ci_high")]
    words = [icc_band(float(value)) for value in values if not isinstance(value, NotEstimable)]
    if len(set(words)) == 1:
        return words[0], "", ""
    if len(words) == 3:
        return f"{words[0]} ({words[1]} to {words[2]})", "", ""
    return (words[0] if words else ""), "", ""


def _kappa_row(cells: Cells, title: str, prefix: str) -> tuple[str, ...]:
    agreed = cells.results.value(f"{prefix}/agreement", "percent_agreement")
    percent = cells.number(f"{prefix}/agreement", "percent_agreement", 1)
    row = [title, cells.count(f"{prefix}/agreement", "n_pairs")]
    row.append(percent if isinstance(agreed, NotEstimable) else f"{percent} %")
    shown, se, band = _kappa(cells, f"{prefix}/kappa_unweighted")
    row += [f"κ {shown}" if band else shown, se, band]
    for weighting in ("linear", "quadratic"):
        id = f"{prefix}/kappa_{weighting}"
        row.append(_kappa(cells, id)[0] if cells.has(id) else "")
    return tuple(row)


def _kappa(cells: Cells, id: str) -> tuple[str, str, str]:
    """Kappa with interval, its SE and its band; with one constant reader, the reason."""
    value, test = cells.results.value(id, "estimate"), cells.results.value(id, "z_approx_t")
    if isinstance(value, NotEstimable):
        return cells.reason(value.why), "", ""
    if isinstance(test, NotEstimable) and cells.results.entry(id).notes:
        return cells.reason(test.why), "", ""
    shown = cells.interval(id, ("estimate", "ci_low", "ci_high"), bounds=(-1, 1))
    return shown, cells.number(id, "ase1"), kappa_band(float(value))


CHANCE = {
    "gwet_ac1/declared": "AC1",
    "gwet_ac2_quadratic/declared": "AC2, quadratic",
    "brennan_prediger_unweighted/declared": "Brennan–Prediger",
}
PLAIN = {"pabak": "PABAK", "krippendorff_nominal": "α nominal", "krippendorff_ordinal": "α ordinal"}


def _chance(results: Results) -> Table | None:
    cells = Cells(results)
    rows = []
    for item in items(results):
        prefix = f"agreement/{item['code']}"
        if not cells.has(f"{prefix}/gwet_ac1/declared"):
            continue
        shown = [
            cells.interval(f"{prefix}/{name}", ("estimate", "ci_low", "ci_high"), bounds=(-1, 1))
            if cells.has(f"{prefix}/{name}")
            else ""
            for name in CHANCE
        ]
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


NAMED = {"kappa_unweighted": "κ", "kappa_quadratic": "κ, quadratic", "icc_a1": "ICC"}


def _bootstrap(results: Results) -> Table | None:
    cells = Cells(results)
    rows = []
    for item in items(results):
        for name, symbol in NAMED.items():
            id = f"bootstrap/{item['code']}/{name}"
            if cells.has(id):
                intervals = [
                    cells.interval(id, ("estimate", f"{kind}_low", f"{kind}_high"), bounds=(-1, 1))
                    for kind in ("percentile", "bca_midrank")
                ]
                undefined = cells.count(id, "n_undefined")
                rows.append((item["title"], symbol, cells.count(id, "replicates"), undefined, *intervals))
    if not rows:
        return None
    cells.note("95 % intervals from resampled cases. BCa: bias-corrected and accelerated, ties counted half.")
    columns = ("Finding", "Coefficient", "Resamples", "Without a value", "Percentile interval", "BCa interval")
    return Table("agreement_bootstrap", "Agreement: bootstrap intervals", columns, tuple(rows), cells.footnotes)


def _bland_altman(results: Results) -> Table | None:
    cells = Cells(results)
    rows = []
    for item in items(results):
        id = f"agreement/{item['code']}/bland_altman"
        if cells.has(id):
            rows.append(
                (
                    f"{item['title']}, {item['unit']}",
                    str(results.entry(id).n),
                    cells.interval(id, ("bias", "bias_ci_low", "bias_ci_high")),
                    cells.number(id, "sd_diff"),
                    cells.interval(id, ("loa_low", "loa_low_ci_low", "loa_low_ci_high")),
                    cells.interval(id, ("loa_high", "loa_high_ci_low", "loa_high_ci_high")),
                    f"{cells.number(id, 'proportional_bias_r')} (p {cells.p(id, 'proportional_bias_p')})",
                )
            )
    if not rows:
        return None
    cells.note(f"Difference reader 1 − reader 2. {LIMITS_95}")
    columns = ("Measurement", "Pairs", "Bias", "SD of differences", "Lower limit", "Upper limit", "Proportional bias r")
    return Table("bland_altman", "Limits of agreement", columns, tuple(rows), cells.footnotes)


def _univariate(results: Results) -> Table | None:
    cells = Cells(results)
    readers = readers_of(results)
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
    columns = ("Finding", "Test", *(f"{OUTCOMES[o]}, {r}" for o in OUTCOMES for r in readers))
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
    _agreement,
    _chance,
    _bootstrap,
    _bland_altman,
    _univariate,
)

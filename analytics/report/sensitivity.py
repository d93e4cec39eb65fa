"""The tables of sensitivity: risks, characteristics, covariance, proportional odds, odds ratios that change."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from analytics.report.models import SPECIFICATIONS, by_time, fits_of, terms_of
from analytics.report.text import LIMITS_95, OUTCOMES, TIMES, Cells, Table, items, labelled, sources_of
from analytics.stats.result import Results

__all__ = ["characteristics", "model_tables", "risks", "scores"]

RESPONSES = {f"response_{code}": title for code, title in TIMES.items()}
SCORES = {f"nrs_{code}": title for code, title in TIMES.items()}
CHARACTERISTICS = {"age": "Age", "sex": "Sex", "bmi": "Body mass index", "level": "Lytic vertebra"}
ODDS = ("or", "or_ci_low", "or_ci_high")
SLOPE = ("b", "ci_low", "ci_high")


def risks(results: Results) -> Table | None:
    """Print success with and without each finding of two levels, and every contrast of the two."""
    cells = Cells(results)
    rows = []
    for item in items(results):
        for outcome, time in OUTCOMES.items():
            for who, shown in sources_of(results).items():
                id = f"risk/{who}/{item['code']}/by/{outcome}"
                if cells.has(id):
                    rows.append((f"{item['title']}, {time}, {shown}", cells.n(id), *_risk_row(cells, id)))
    if not rows:
        return None
    cells.note(
        f"{LIMITS_95} Difference: Newcombe; ratio of risks: Koopman; odds ratio: Woolf. Success with and without: %."
    )
    columns = ("Finding, time, reader", "n", "With", "Without", "Risk difference, %", "Risk ratio", "Odds ratio")
    return Table("risks", "Success with and without each finding", columns, tuple(rows), cells.footnotes)


def _risk_row(cells: Cells, id: str) -> tuple[str, ...]:
    return (
        cells.scaled(id, "risk_with", 100, 1),
        cells.scaled(id, "risk_without", 100, 1),
        cells.interval(id, ("risk_difference", "risk_difference_low", "risk_difference_high"), 1, scale=100),
        cells.ratio(id, ("risk_ratio", "risk_ratio_koopman_low", "risk_ratio_koopman_high")),
        cells.ratio(id, ("odds_ratio", "odds_ratio_woolf_low", "odds_ratio_woolf_high")),
    )


def characteristics(results: Results) -> Table | None:
    """Print age, sex, body mass index and level against success and pain reduction."""
    cells = Cells(results)
    rows = []
    for name, title in CHARACTERISTICS.items():
        shown = [_against_success(cells, name, outcome) for outcome in OUTCOMES]
        shown += [_against_reduction(cells, name, f"ppr_{time}") for time in TIMES]
        if any(shown):
            rows.append((title, *shown))
    if not rows:
        return None
    cells.note(
        "Success: Mann-Whitney U for age and body mass index, Pearson χ² for sex and level; odds ratios of models with "
        "this characteristic alone."
    )
    cells.note("Pain reduction: Spearman, Mann-Whitney U for sex, Kruskal-Wallis for level.")
    columns = (
        "Characteristic",
        *(f"Success, {t}" for t in TIMES.values()),
        *(f"Reduction, {t}" for t in TIMES.values()),
    )
    return Table(
        "characteristics", "Characteristics, success and pain reduction", columns, tuple(rows), cells.footnotes
    )


def _against_success(cells: Cells, name: str, outcome: str) -> str:
    parts = []
    for kind, symbol in (("mwu", "U"), ("chisq", "χ²")):
        id = f"{kind}/{name}/by/{outcome}"
        if cells.has(id):
            parts.append(f"{symbol}: p {cells.equal(cells.p(id))}")
            if cells.results.entry(id).notes and kind == "chisq":
                parts.append(f"Fisher p {cells.equal(cells.p(id, 'fisher_p'))}")
    model = f"characteristics/{name}/{outcome}"
    for term in terms_of(cells.results, [model]) if cells.has(model) else []:
        odds = cells.odds(f"{model}/{term}", ODDS, "p_lr")
        parts.append(f"{term.rpartition('_')[2]}: OR {odds}" if name == "level" else f"OR {odds}")
    return " · ".join(parts)


def _against_reduction(cells: Cells, name: str, reduction: str) -> str:
    parts = []
    if cells.has(id := f"spearman/{name}-{reduction}"):
        shown = cells.interval(id, ("rs", "ci_low_fieller", "ci_high_fieller"))
        parts.append(f"rs {shown}; p {cells.equal(cells.p(id))}")
    if name == "sex" and cells.has(id := f"mwu/{reduction}/by/male"):
        parts.append(f"U: p {cells.equal(cells.p(id))}")
    if cells.has(id := f"kruskal/{reduction}/by/{name}"):
        if not cells.exists(id, "h"):
            parts.append(cells.reason(id, "h"))
        else:
            size = f"ε² {cells.number(id, 'epsilon_squared')}"
            parts.append(f"H({cells.count(id, 'df')}) {cells.number(id, 'h')}, {size}; p {cells.equal(cells.p(id))}")
            cells.noted(id)
    return " · ".join(parts)


def model_tables(results: Results, specification: str) -> Iterator[Table]:
    """Print the proportional-odds model of one specification and how its odds ratios change."""
    for end, at, fits in by_time(fits_of(results, f"ordinal/{specification}", RESPONSES)):
        yield _proportional_odds(results, f"{specification}{end}", f"{SPECIFICATIONS[specification]}{at}", fits)
    yield from _changes(results, specification)


def _proportional_odds(results: Results, code: str, named: str, fits: list[tuple[str, str]]) -> Table:
    cells = Cells(results)
    rows = [
        (
            labelled(results, name),
            *(cells.optional(f"{id}/{name}", lambda one: cells.odds(one, ODDS, "p_lr")) for id, _ in fits),
        )
        for name in terms_of(results, [id for id, _ in fits])
    ]
    rows.append(("Cases", *(cells.n(id) for id, _ in fits)))
    rows.append(("Test of proportionality (score), p", *(cells.p(id, "parallel_score_p") for id, _ in fits)))
    cells.note("Odds ratio of a better response class with Wald 95 % interval and likelihood-ratio p.")
    title = f"Six response classes, proportional odds: {named}"
    return Table(f"ordinal_{code}", title, ("Predictor", *(shown for _, shown in fits)), tuple(rows), cells.footnotes)


def _changes(results: Results, specification: str) -> Iterator[Table]:
    cells = Cells(results)
    rows: list[tuple[str, ...]] = []
    for title, prefix, first, second in _pairs(results, specification):
        start = f"{prefix}/{first}-{second}/"
        for entry in results.under(start):
            term = entry.id.removeprefix(start)
            rows.append(
                (
                    f"{title}: {labelled(results, term)}",
                    cells.n(entry.id),
                    cells.number(f"{prefix}/{first}/{term}", "odds_ratio"),
                    cells.number(f"{prefix}/{second}/{term}", "odds_ratio"),
                    cells.ratio(entry.id, ("ratio", "ratio_low", "ratio_high")),
                )
            )
    if rows:
        cells.note(
            "Firth's odds ratios on the cases complete in all compared models; percentile 95 % limits of their ratio."
        )
        columns = ("Compared: predictor", "Cases", "First odds ratio", "Second odds ratio", "Second / first")
        title = f"Change of odds ratios: {SPECIFICATIONS[specification]}"
        yield Table(f"change_{specification}", title, columns, tuple(rows), cells.footnotes)


def _pairs(results: Results, specification: str) -> Iterator[tuple[str, str, str, str]]:
    """Give title, id, first and second side of every comparison: sources at one time, times of one source."""
    named = sources_of(results)
    for outcome, time in OUTCOMES.items():
        for below, wanted in (("", None), ("/with_adjudicated", "adjudicated")):
            prefix = f"change/{specification}/{outcome}{below}"
            for first, second in combinations(named, 2) if prefix in results else ():
                if wanted in (None, second):
                    yield f"{time}, {named[first]} → {named[second]}", prefix, first, second
    for who, shown in named.items():
        prefix = f"change/{specification}/{who}"
        if prefix in results:
            first, second = OUTCOMES
            yield f"{shown}, {OUTCOMES[first]} → {OUTCOMES[second]}", prefix, first, second


def scores(results: Results) -> Iterator[Table]:
    """Print the analyses of covariance of the follow-up score, and the response classes by each finding alone."""
    named = {item["code"]: str(item["title"]) for item in items(results)}
    covariance, classes = Cells(results), Cells(results)
    linear: list[tuple[str, ...]] = []
    ordered: list[tuple[str, ...]] = []
    places = [(who, shown) for who, shown in sources_of(results).items()]
    for code, title in named.items():
        for who, shown in places:
            if any(covariance.has(f"ancova/{who}/{code}/{score}") for score in SCORES):
                linear.append((f"{title}, {shown}", *_covariance_row(covariance, f"ancova/{who}/{code}")))
            if any(classes.has(f"ordinal/{who}/{code}/{one}") for one in RESPONSES):
                ordered.append((f"{title}, {shown}", *_classes_row(classes, f"ordinal/{who}/{code}")))
    for code, title in CHARACTERISTICS.items():
        if any(covariance.has(f"ancova/characteristics/{code}/{score}") for score in SCORES):
            linear.append((title, *_covariance_row(covariance, f"ancova/characteristics/{code}")))
        if any(classes.has(f"ordinal/characteristics/{code}/{one}") for one in RESPONSES):
            ordered.append((title, *_classes_row(classes, f"ordinal/characteristics/{code}")))
    if linear:
        covariance.note(f"Points of the follow-up score per step of the finding, at equal baseline. {LIMITS_95}")
        covariance.note("Findings without an order: adjusted mean of each level, and F test of all.")
        covariance.note("In square brackets the p of the interaction with the baseline score.")
        columns = ("Finding", *(f"Pain at {title}" for title in SCORES.values()))
        yield Table("ancova", "Analysis of covariance of the pain score", columns, tuple(linear), covariance.footnotes)
    if ordered:
        classes.note("Odds ratio of a better class with Wald 95 % interval and likelihood-ratio p.")
        classes.note("In square brackets the p of the score test of proportionality.")
        columns = ("Finding", *(f"Response at {title}" for title in RESPONSES.values()))
        yield Table("ordinal", "Response classes by each finding alone", columns, tuple(ordered), classes.footnotes)


def _covariance_row(cells: Cells, place: str) -> list[str]:
    shown = []
    for score in SCORES:
        id = f"{place}/{score}"
        if not cells.has(id):
            shown.append("")
            continue
        p, parallel = cells.p(id, "finding_p"), f"[{cells.p(id, 'parallel_p')}]"
        means = [entry.id for entry in cells.results.under(f"{id}/mean/")]
        if means:
            levels = ", ".join(f"{_level(cells, one)} {cells.number(one, 'mean')}" for one in means)
            shown.append(f"{levels}; p {cells.equal(p)} {parallel}")
        elif not cells.exists(id, "finding_p"):
            shown.append(cells.reason(id, "finding_p"))
        else:
            slope = cells.optional(f"{id}/finding", lambda one: cells.interval(one, SLOPE))
            shown.append(f"{slope}; p {cells.equal(p)} {parallel}")
    return shown


def _level(cells: Cells, id: str) -> str:
    """Name the level whose adjusted mean stands under an id like ``ancova/R1/<finding>/nrs_15min/mean/1``."""
    known = [*items(cells.results), *cells.results.subject["characteristics"]]
    of, name = set(id.split("/")), id.rpartition("/")[2]
    labels = (dict(zip(one["names"], one["labels"], strict=True)) for one in known if one["code"] in of)
    return str(next(labels, {}).get(name, name))


def _classes_row(cells: Cells, place: str) -> list[str]:
    shown = []
    for one in RESPONSES:
        id = f"{place}/{one}"
        terms = terms_of(cells.results, [id])
        if terms:
            odds = [(labelled(cells.results, term), cells.odds(f"{id}/{term}", ODDS, "p_lr")) for term in terms]
            said = " · ".join(f"{name.rpartition(': ')[2]} {text}" if len(odds) > 1 else text for name, text in odds)
            shown.append(f"{said} [{cells.p(id, 'parallel_score_p')}]")
        else:
            shown.append(cells.reason(id, "lr_p") if cells.has(id) and not cells.exists(id, "lr_p") else "")
    return shown

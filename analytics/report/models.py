"""The tables of the logistic models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analytics.report.text import OUTCOMES, TIMES, Cells, Table, labelled, sources_of
from analytics.stats.result import Results

__all__ = ["MAIN", "SPECIFICATIONS", "by_time", "classification", "fits_of", "model_tables", "odds_ratios", "terms_of"]

MAIN = "default"
MOST_COLUMNS = 4
APPARENT = (
    "Positive when the fitted probability exceeds one half; judged on the cases the model was fitted to, so optimistic."
)
SPECIFICATIONS = {
    "default": "all findings, grades as numbers",
    "reduced": "four findings",
    "bme_only": "isthmic oedema alone",
    "categorical": "all findings, grades as indicators",
}


def model_tables(results: Results, specification: str) -> Iterator[Table]:
    """Print coefficients, fit and penalised coefficients of one specification, readers and times side by side."""
    for code, named, fits in by_time(fits_of(results, f"logistic/{specification}", OUTCOMES)):
        place = (f"{specification}{code}", f"{SPECIFICATIONS[specification]}{named}")
        if specification != MAIN:
            yield _odds_ratios(results, place, fits)
        yield _fits(results, place, fits)
        if any(f"{id}/firth" in results for id, _ in fits):
            yield _firth(results, place, fits)


def odds_ratios(results: Results) -> Iterator[Table]:
    """Print the odds ratios of the main specification by reader and time."""
    for code, named, fits in by_time(fits_of(results, f"logistic/{MAIN}", OUTCOMES)):
        yield _odds_ratios(results, (f"{MAIN}{code}", f"{SPECIFICATIONS[MAIN]}{named}"), fits)


def classification(results: Results) -> Table | None:
    """Print how well the models of the main specification classify: one line a reader and time."""
    cells = Cells(results)
    rows = []
    for id, title in fits_of(results, f"logistic/{MAIN}", OUTCOMES):
        judged = f"{id}/classification"
        shares = (cells.interval(judged, (name, f"{name}_wilson_low", f"{name}_wilson_high"), 1) for name in SHARES)
        explained = cells.scaled(id, "nagelkerke_r2", 100, 1)
        rows.append((title, f"{cells.n(id)} / {cells.count(id, 'n_events')}", *shares, explained))
    if not rows:
        return None
    cells.note(f"Percentages with 95 % intervals after Wilson. {APPARENT}")
    cells.note("Explained variability: Nagelkerke's R².")
    columns = ("Model", "Cases / successes", *(f"{name}, %" for name in SHARES.values()), "Explained variability, %")
    return Table("classification", "Performance of the models", columns, tuple(rows), cells.footnotes)


def fits_of(results: Results, place: str, times: Mapping[str, str]) -> list[tuple[str, str]]:
    """Give id and title of everything that stands under ``<place>/<source>/<outcome>``."""
    return [
        (f"{place}/{who}/{outcome}", f"{title}, {shown}")
        for outcome, title in times.items()
        for who, shown in sources_of(results).items()
        if f"{place}/{who}/{outcome}" in results
    ]


def by_time(fits: list[tuple[str, str]]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Divide too many columns for a page into one table a time: end of its code, end of its title, columns."""
    if len(fits) <= MOST_COLUMNS:
        return [("", "", fits)] if fits else []
    parts = [
        (
            f"_{code}",
            f", {shown}",
            [(id, title.removeprefix(f"{shown}, ")) for id, title in fits if title.startswith(shown)],
        )
        for code, shown in TIMES.items()
    ]
    return [part for part in parts if part[2]]


def terms_of(results: Results, ids: list[str], prefix: str = "") -> list[str]:
    """Names of all terms of several models, in the order of the first that has them."""
    names: dict[str, None] = {}
    for id in ids:
        start = f"{id}/{prefix}"
        for entry in results.under(start):
            name = entry.id.removeprefix(start)
            if "/" not in name and ("b" in entry.values) and name != "intercept":
                names.setdefault(name)
    return list(names)


def _odds_ratios(results: Results, place: tuple[str, str], fits: list[tuple[str, str]]) -> Table:
    cells = Cells(results)
    fields = ("or", "or_ci_low", "or_ci_high")
    rows = []
    for name in terms_of(results, [id for id, _ in fits]):
        terms = [f"{id}/{name}" for id, _ in fits]
        shown = [cells.odds(term, fields, "p_wald") if cells.has(term) else "" for term in terms]
        rows.append((labelled(results, name), *shown))
    cells.note(
        "Odds ratio with Wald 95 % confidence interval and Wald p. Reference of the contrast pattern: peri-defect; "
        "grades and millimetres per step of one."
    )
    for id, title in fits:
        cells.noted(id, f"{title}: ")
    columns = ("Predictor", *(title for _, title in fits))
    title = f"Predictors of success: {place[1]}"
    return Table(f"model_{place[0]}", title, columns, tuple(rows), cells.footnotes)


SUMMARY: tuple[tuple[str, str, int], ...] = (
    ("Cases", "n", 0),
    ("Successes", "n_events", 0),
    ("Separation", "separation", 0),
    ("−2 log likelihood", "minus2ll", 2),
    ("Omnibus χ²", "omnibus_chi2", 2),
    ("Nagelkerke R²", "nagelkerke_r2", 3),
    ("Cox & Snell R²", "cox_snell_r2", 3),
)
SHARES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
}


def _fits(results: Results, place: tuple[str, str], fits: list[tuple[str, str]]) -> Table:
    cells = Cells(results)
    rows = [(title, *(cells.number(id, field, decimals) for id, _ in fits)) for title, field, decimals in SUMMARY]
    rows.append(("Omnibus p", *(cells.p(id, "omnibus_p") for id, _ in fits)))
    for name in ("tp", "fn", "tn", "fp"):
        rows.append((name.upper(), *(cells.count(f"{id}/classification", name) for id, _ in fits)))
    for name, title in SHARES.items():
        fields = (name, f"{name}_wilson_low", f"{name}_wilson_high")
        rows.append((f"{title}, %", *(cells.interval(f"{id}/classification", fields, 1) for id, _ in fits)))
    rows.append(("AUC", *(cells.interval(f"{id}/roc", ("auc", "delong_ci_low", "delong_ci_high")) for id, _ in fits)))
    cells.note(f"Classification: {APPARENT[0].lower()}{APPARENT[1:]}")
    cells.note("95 % intervals: Wilson for percentages, DeLong for the AUC.")
    title = f"Fit and classification: {place[1]}"
    return Table(f"fit_{place[0]}", title, ("", *(title for _, title in fits)), tuple(rows), cells.footnotes)


def _firth(results: Results, place: tuple[str, str], fits: list[tuple[str, str]]) -> Table:
    cells = Cells(results)
    fields = ("b", "b_profile_low", "b_profile_high")
    rows = []
    for name in terms_of(results, [id for id, _ in fits], "firth/"):
        terms = [f"{id}/firth/{name}" for id, _ in fits]
        shown = [cells.odds(term, fields, "p_plr", logarithms=True) if cells.has(term) else "" for term in terms]
        rows.append((labelled(results, name), *shown))
    cells.note(
        "Odds ratio with penalised profile 95 % limits and p of the penalised likelihood-ratio test; valid under "
        "separation."
    )
    columns = ("Predictor", *(title for _, title in fits))
    title = f"Firth-penalised sensitivity model: {place[1]}"
    return Table(f"firth_{place[0]}", title, columns, tuple(rows), cells.footnotes)

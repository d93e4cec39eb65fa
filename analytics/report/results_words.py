"""The Results in sentences: what was computed, with test, n, interval and level, and no more than that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analytics.report.agreement import icc_words, kappa_fields, kappa_words
from analytics.report.cohort import field_of
from analytics.report.document import marked
from analytics.report.models import MAIN, fits_of, terms_of
from analytics.report.prose import LEVEL, Prose, fixed, listed, see
from analytics.report.text import OUTCOMES, TIMES, items, labelled, readers_of
from analytics.stats.result import ALPHA, Results
from analytics.stats.words import kappa_refused

__all__ = ["SAID"]

TESTS = {"chisq": "chi-square", "mwu": "Mann-Whitney U"}
ESTIMATE = ("estimate", "ci_low", "ci_high")


def patients(results: Results) -> list[str]:
    """Say who was assessed, included and analysed, and who they are."""
    words = Prose(results)
    said = []
    if words.has("flow/assessed"):
        said.append(
            f"Of {words.count('flow/assessed', 'n')} patients assessed, {words.share('flow/excluded', 'n', 'percent')} "
            f"were excluded and {words.share('flow/included', 'n', 'percent')} included{see('flow', 'exclusion_flow')}."
        )
    if words.has("study/cases"):
        said.append(f"The analysis rests on {words.cases()} cases{see('cohort')}.")
    if words.has("descriptive/age"):
        ends = f"{words.count('descriptive/age', 'min')} to {words.count('descriptive/age', 'max')}"
        said.append(f"Mean age was {words.spread('descriptive/age')} years (range {ends}).")
    if words.has("descriptive/sex"):
        said.append(
            f"There were {words.share('descriptive/sex', 'n_F', 'pct_F')} women and "
            f"{words.share('descriptive/sex', 'n_M', 'pct_M')} men."
        )
    if words.has("descriptive/bmi"):
        said.append(f"Body mass index was {words.spread('descriptive/bmi')} kg/m².")
    level = next((one for one in results.subject["characteristics"] if one["code"] == "level"), None)
    if level and words.has("descriptive/level"):
        counted = [
            f"{name} in {words.share('descriptive/level', f'n_{name}', f'pct_{name}')}" for name in level["names"]
        ]
        said.append(f"The lytic vertebra was {listed(counted)}.")
    fields = list(results.under("scanner/"))
    if fields:
        named = [
            f"{fixed(field_of(one.id).replace('More', 'more'), 'field')} in {words.share(one.id, 'n', 'percent')}"
            for one in fields
        ]
        said.append(f"Field strength of the MRI was {listed(named)}{see('fields')}.")
    return [" ".join(said)] if said else []


def pain(results: Results) -> list[str]:
    """Say how the pain went: scores, responders, tests."""
    words = Prose(results)
    said = []
    scores = [f"descriptive/nrs_{time}" for time in ("baseline", *TIMES)]
    if all(words.has(id) for id in scores):
        before, *after = (words.spread(id) for id in scores)
        later = [f"{shown} at {time}" for shown, time in zip(after, TIMES.values(), strict=True)]
        said.append(f"The mean score was {before} before the injection, {listed(later)}{see('cohort')}.")
    for entry in results.under("wilcoxon/nrs_baseline-"):
        time = TIMES[entry.id.rpartition("nrs_")[2]]
        counted = (words.count(entry.id, name) for name in ("n_negative", "n_positive", "n_zero"))
        less, more, equal = counted
        said.append(
            f"From before to {time} it was lower in {less}, higher in {more} and equal in {equal} patients (Wilcoxon "
            f"signed-rank: Z = {words.number(entry.id, 'z')}, p {words.equal(words.p(entry.id))}, "
            f"n = {words.n(entry.id)})."
        )
    answered = [(code, title) for code, title in TIMES.items() if words.has(f"response/{code}")]
    for code, title in answered:
        id = f"response/{code}"
        shown = f"{words.count(id, 'n_responders')} of {words.count(id, 'n')} patients"
        said.append(
            f"At {title} {shown} ({words.percent(id, 'pct_responders')}) were responders, "
            f"{words.share(id, 'n_eq100', 'pct_eq100')} with complete relief."
        )
    if answered:
        said[-1] = f"{said[-1][:-1]}{see('response', 'response_flow')}."
    for entry in results.under("mcnemar/"):
        said.append(
            f"Success was gained by {words.count(entry.id, 'gained')} and lost by {words.count(entry.id, 'lost')} "
            f"patients between the two times (McNemar, exact: p {words.equal(words.p(entry.id, 'p_exact'))}, "
            f"n = {words.n(entry.id)})."
        )
    id = "spearman/nrs_15min-nrs_1month"
    if words.has(id):
        tested = f"; p {words.equal(words.p(id))}, n = {words.n(id)}"
        shown = words.between(id, ("rs", "ci_low_fieller", "ci_high_fieller"), tested)
        said.append(f"Spearman's correlation of the scores at the two times was {shown}.")
    return [" ".join(said)] if said else []


def findings(results: Results) -> list[str]:
    """Say how often each reader saw the findings of two levels."""
    words = Prose(results)
    said = []
    for item in items(results):
        ids = [f"prevalence/{reader}/{item['code']}" for reader in readers_of(results)]
        if len(item["names"]) == 2 and all(words.has(id) for id in ids):
            name, label = item["names"][1], item["labels"][1]
            seen = [
                f"{words.share(id, f'n_{name}', f'pct_{name}')} by {reader}"
                for id, reader in zip(ids, readers_of(results), strict=True)
            ]
            said.append(f"{item['title']}, “{_inside(label)}”: {listed(seen)}.")
    return [f"{' '.join(said)[:-1]}{see('findings')}."] if said else []


def _inside(title: str) -> str:
    return title[:1].lower() + title[1:]


def agreement(results: Results) -> list[str]:
    """Say where agreement was highest and lowest, and what it was on measurements."""
    words = Prose(results)
    graded: list[tuple[float, dict[str, Any], str]] = []
    said, unknown = [], []
    for item in items(results):
        for name in ("kappa_unweighted", "fleiss_unweighted"):
            id = f"agreement/{item['code']}/{name}"
            if words.has(id) and kappa_refused(results.entry(id)):
                unknown.append(_inside(item["title"]))
            elif (value := words.value(id, "estimate")) is not None:
                graded.append((value, item, id))
    if graded:
        graded.sort(key=lambda one: one[0])
        low, high = graded[0], graded[-1]
        said.append(
            f"Agreement on graded findings was highest for {_kappa(words, *high[1:])}"
            + (f", and lowest for {_kappa(words, *low[1:])}" if len(graded) > 1 else "")
            + f"{see('agreement', 'agreement_several', 'kappa_forest')}."
        )
    for item in items(results):
        id = f"agreement/{item['code']}/icc_a1"
        if words.value(id, "estimate") is not None:
            after = f"; n = {words.n(id)}; {icc_words(words, id)}"
            shown = words.between(id, ESTIMATE, after, bounds=(-1.0, 1.0))
            said.append(f"For {_inside(item['title'])} the intraclass correlation was {shown}.")
        limits = f"agreement/{item['code']}/bland_altman"
        if words.has(limits) and words.exists(limits, "bias"):
            said.append(
                f"The mean difference was {words.number(limits, 'bias')} {item['unit']}, the limits of agreement "
                f"{words.number(limits, 'loa_low')} to {words.number(limits, 'loa_high')} {item['unit']}"
                f"{see('bland_altman')}."
            )
    if unknown:
        said.append(f"Kappa was not estimable for {listed(unknown)}; the table gives the reason.")
    return [" ".join(said)] if said else []


def _kappa(words: Prose, item: dict[str, Any], id: str) -> str:
    after = f"; n = {words.n(id)}; {kappa_words(words, id)}"
    name = "Fleiss' kappa" if "/fleiss_" in id else "kappa"
    fields = kappa_fields(words.results, id)
    return f"{_inside(item['title'])}: {name} {words.between(id, fields, after, bounds=(-1.0, 1.0))}"


def association(results: Results) -> list[str]:
    """Say which findings went with success, by time and reader, each with its test, p and n."""
    words = Prose(results)
    said = []
    for outcome, time in OUTCOMES.items():
        rows = {item["code"]: _tested(words, item["code"], outcome) for item in items(results)}
        tested = {code: row for code, row in rows.items() if row}
        if not tested:
            continue
        some = "for one reader only" if len(readers_of(results)) == 2 else "for some readers only"
        everybody = len(readers_of(results))
        for all_of, phrase in ((True, "for every reader"), (False, some)):
            shown = [
                _associated(words, results, code, row, outcome)
                for code, row in tested.items()
                if _is(row, everybody, all_of)
            ]
            if shown:
                said.append(f"At {time} associated with success {phrase}, uncorrected: {'; '.join(shown)}.")
        if not any(p < ALPHA for row in tested.values() for _, p in row.values()):
            said.append(f"At {time} no finding was associated with success at the level chosen.")
    if not said:
        return []
    said[-1] = f"{said[-1][:-1]}{see('univariate')}."
    if any(True for _ in results.under("multiplicity/")):
        said.append(f"Adjusted values stand beside{see('multiplicity')}.")
    said.append("An association in observed data does not show that the finding causes success or failure.")
    return [" ".join(said)]


def _tested(words: Prose, item: str, outcome: str) -> dict[str, tuple[str, float]]:
    """Give the test of the univariate table and its p, by reader; a reader whose test has no p is not there."""
    found: dict[str, tuple[str, float]] = {}
    for reader in readers_of(words.results):
        for kind in ("mwu", "chisq"):
            id = f"{kind}/{reader}/{item}/by/{outcome}"
            if (p := words.value(id, "p")) is not None:
                found[reader] = (id, p)
                break
    return found


def _is(row: dict[str, tuple[str, float]], everybody: int, all_of: bool) -> bool:
    """Whether the tests of all readers, or of some, are below the level; who has no test speaks for nobody."""
    below = sum(p < ALPHA for _, p in row.values())
    return below == everybody if all_of else 0 < below < everybody


def _associated(words: Prose, results: Results, code: str, row: dict[str, tuple[str, float]], outcome: str) -> str:
    title = next(item["title"] for item in items(results) if item["code"] == code)
    tests = [
        f"{reader}: {TESTS[id.partition('/')[0]]}, p {words.equal(words.p(id))}, n = {words.n(id)}"
        + (
            f", Holm {words.p(adjusted, 'p_holm')}"
            if words.has(adjusted := f"multiplicity/{reader}/{outcome}/{code}")
            else ""
        )
        for reader, (id, _) in row.items()
    ]
    tests += [_untested(words, reader, code, outcome) for reader in readers_of(results) if reader not in row]
    return f"{_inside(title)} ({'; '.join(tests)})"


def _untested(words: Prose, reader: str, item: str, outcome: str) -> str:
    """Say that a reader has no test of a finding, and why where that is known."""
    ids = (f"{kind}/{reader}/{item}/by/{outcome}" for kind in ("mwu", "chisq"))
    why = next((words.reason(id, "p") for id in ids if words.has(id)), "")
    return f"{reader}: no test{f', {why}' if why else ''}"


def models(results: Results) -> list[str]:
    """Say of every model what it rests on, how it performs, and which odds ratios exclude one."""
    words = Prose(results)
    fits = fits_of(results, f"logistic/{MAIN}", OUTCOMES)
    paragraphs = [_model(words, id, title) for id, title in fits]
    if not paragraphs:
        return []
    caution = (
        "An odds ratio compares odds, not probabilities, and says nothing of cause. Readers' models rest on the same "
        "patients and are no independent replications. Performance was judged on the cases the models were fitted to "
        "and is therefore optimistic"
    )
    return [*paragraphs, f"{caution}{see('classification', 'performance_default', 'performance_default_15min')}."]


def _model(words: Prose, id: str, title: str) -> str:
    rests = f"{title}: the model rests on {words.n(id)} cases with {words.count(id, 'n_events')} successes"
    if not words.exists(id, "nagelkerke_r2"):
        return f"{rests}; {words.reason(id, 'nagelkerke_r2')}{see('model_default', 'firth_default')}."
    judged = f"{id}/classification"
    fields = ("accuracy", "accuracy_wilson_low", "accuracy_wilson_high")
    accuracy = words.between(judged, fields, decimals=1, unit=" %")
    explained = words.percent(id, "nagelkerke_r2", 100)
    said = [
        f"{rests}. It explained {explained} of the variability (Nagelkerke); accuracy was {accuracy}, sensitivity "
        f"{words.percent(judged, 'sensitivity')}, specificity {words.percent(judged, 'specificity')}."
    ]
    beyond = [
        f"{side} odds of success went with {listed([_term(words, id, name) for name in names])}"
        for side, names in _beyond_one(words, id).items()
        if names
    ]
    said.append(
        f"With the other findings in the model, {listed(beyond)}."
        if beyond
        else f"The {LEVEL} interval of every odds ratio holds one."
    )
    for note in words.results.entry(id).notes:
        said.append(marked(note, id, "notes"))
    return " ".join(said)


def _beyond_one(words: Prose, id: str) -> dict[str, list[str]]:
    """Give the predictors whose interval excludes one, by the side on which it lies."""
    found: dict[str, list[str]] = {"higher": [], "lower": []}
    for name in terms_of(words.results, [id]):
        low, high = words.value(f"{id}/{name}", "or_ci_low"), words.value(f"{id}/{name}", "or_ci_high")
        if low is not None and low > 1:
            found["higher"].append(name)
        elif high is not None and high < 1:
            found["lower"].append(name)
    return found


def _term(words: Prose, id: str, name: str) -> str:
    return f"{_inside(labelled(words.results, name))} ({words.odds_between(f'{id}/{name}', 'p_wald')})"


SAID: dict[str, Callable[[Results], list[str]]] = {
    "patients": patients,
    "pain": pain,
    "findings": findings,
    "agreement": agreement,
    "association": association,
    "models": models,
}

"""What each kind of step computes, and under which identifiers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from analytics import derive
from analytics.frames import Frames, Variable
from analytics.plans import modelling
from analytics.plans.by_success import by_success
from analytics.plans.parts import Array, NotPossible, Params, Part, Table
from analytics.stats import agreement, association, bootstrap, describe, paired, reliability
from analytics.stats.result import Entry, Result, Value

__all__ = ["CATEGORICAL", "KINDS", "MEASURED", "unordered"]


@dataclass(frozen=True, kw_only=True)
class Completeness(Result):
    """How many cases a reader graded, and why the others are missing."""

    graded: Value
    not_assessable: Value
    not_graded: Value


def completeness(table: Table, params: Params) -> list[Part]:
    """Count graded, not assessable and not graded cases."""

    def run() -> Iterator[Entry]:
        frames = table.frames
        for reader in frames.readers:
            for item in frames.items:
                graded = int(np.isfinite(frames.grades(reader, item.code)).sum())
                excused = sum(n for (r, i, _), n in frames.gaps.items() if (r, i) == (reader, item.code))
                counts = Completeness(
                    n=len(frames.cases),
                    method="counts of cases",
                    graded=graded,
                    not_assessable=excused,
                    not_graded=len(frames.cases) - graded - excused,
                )
                yield Entry.of(f"completeness/{reader}/{item.code}", counts)

    return [Part("Completeness", run)]


def describing(table: Table, params: Params) -> list[Part]:
    """Describe clinical measurements."""

    def run() -> Iterator[Entry]:
        for name in params["variables"]:
            yield Entry.of(f"descriptive/{name}", describe.describe(table.column(name)))

    return [Part("Description of the cases", run)]


def levels(table: Table, params: Params) -> list[Part]:
    """Count the levels of characteristics."""

    def run() -> Iterator[Entry]:
        for name in params["variables"]:
            one = table.frames.characteristics[name]
            yield Entry.of(f"descriptive/{name}", describe.level_counts(table.column(name), one.codes, one.names))

    return [Part("Description of the cases", run)]


def response(table: Table, params: Params) -> list[Part]:
    """Count the response classes."""

    def run() -> Iterator[Entry]:
        for time in params["times"]:
            classes = table.column(f"response_{time}")
            counted = describe.level_counts(classes, range(len(derive.RESPONSES)), derive.RESPONSES)
            reached = table.column(f"success_{time}")
            sides = describe.level_counts(reached, (1, 0), ("responders", "nonresponders"))
            both = {"n": counted.n, **counted.values(), **sides.values()}
            yield Entry(f"response/{time}", counted.n, "counts, percentages of cases with a defined response", both)

    return [Part("Response", run)]


def response_pairs(table: Table, params: Params) -> list[Part]:
    """Cross the response classes of two times."""

    def run() -> Iterator[Entry]:
        codes = range(len(derive.RESPONSES))
        first, second = params["first"], params["second"]
        counts = association.cross_table(
            table.column(f"response_{first}"), table.column(f"response_{second}"), codes, codes
        )
        yield Entry.of(
            f"response/{first}-{second}", association.table_counts(counts, derive.RESPONSES, derive.RESPONSES)
        )

    return [Part("Response", run)]


def signed_rank(table: Table, params: Params) -> list[Part]:
    """Compare scores at two times."""

    def run() -> Iterator[Entry]:
        for first, second in params["pairs"]:
            yield Entry.of(f"wilcoxon/{first}-{second}", paired.signed_rank(table.column(first), table.column(second)))

    return [Part("Pain over time", run)]


def mcnemar(table: Table, params: Params) -> list[Part]:
    """Compare success at two times."""

    def run() -> Iterator[Entry]:
        first, second = params["first"], params["second"]
        yield Entry.of(f"mcnemar/{first}-{second}", paired.mcnemar(table.column(first), table.column(second)))

    return [Part("Pain over time", run)]


def spearman(table: Table, params: Params) -> list[Part]:
    """Correlate two measurements."""

    def run() -> Iterator[Entry]:
        for first, second in params["pairs"]:
            yield Entry.of(f"spearman/{first}-{second}", paired.spearman(table.column(first), table.column(second)))

    return [Part("Pain over time", run)]


def prevalence(table: Table, params: Params) -> list[Part]:
    """Count each reader's grades, in all cases and by success."""

    def run() -> Iterator[Entry]:
        frames = table.frames
        for reader in table.readers(params):
            for item in frames.items:
                grades = frames.grades(reader, item.code)
                found: Result = (
                    describe.describe(grades)
                    if item.kind == "continuous"
                    else describe.level_counts(grades, item.codes, item.names)
                )
                yield Entry.of(f"prevalence/{reader}/{item.code}", found)
                yield from by_success(table, reader, item)

    return [Part("Findings", run)]


Categorical = Callable[[Variable, NDArray[np.int_]], Result]
CATEGORICAL: dict[str, Categorical] = {
    "table": lambda item, t: association.table_counts(t, item.names, item.names),
    "agreement": lambda item, t: agreement.percent_agreement(t),
    "specific_agreement": lambda item, t: agreement.specific_agreement(t, item.names),
    "kappa_unweighted": lambda item, t: agreement.kappa(t, item.codes, "unweighted"),
    "kappa_linear": lambda item, t: agreement.kappa(t, item.codes, "linear"),
    "kappa_quadratic": lambda item, t: agreement.kappa(t, item.codes, "quadratic"),
    "brennan_prediger_unweighted/declared": lambda item, t: agreement.brennan_prediger(t, item.codes, "unweighted"),
    "brennan_prediger_linear/declared": lambda item, t: agreement.brennan_prediger(t, item.codes, "linear"),
    "brennan_prediger_quadratic/declared": lambda item, t: agreement.brennan_prediger(t, item.codes, "quadratic"),
    "gwet_ac1/declared": lambda item, t: agreement.gwet(t, item.codes, "unweighted"),
    "gwet_ac2_linear/declared": lambda item, t: agreement.gwet(t, item.codes, "linear"),
    "gwet_ac2_quadratic/declared": lambda item, t: agreement.gwet(t, item.codes, "quadratic"),
    "krippendorff_nominal": lambda item, t: agreement.krippendorff(t, item.codes, "nominal"),
    "krippendorff_ordinal": lambda item, t: agreement.krippendorff(t, item.codes, "ordinal"),
    "krippendorff_interval": lambda item, t: agreement.krippendorff(t, item.codes, "interval"),
    "pabak": lambda item, t: agreement.pabak(t),
    "byrt": lambda item, t: agreement.bias_prevalence(t),
}
MEASURED: dict[str, Callable[[Array], Result]] = {
    "pairs": lambda x: reliability.pairs(x),
    "anova": reliability.anova,
    "icc_1": lambda x: reliability.icc(x, "icc_1"),
    "icc_a1": lambda x: reliability.icc(x, "icc_a1"),
    "icc_c1": lambda x: reliability.icc(x, "icc_c1"),
    "icc_1k": lambda x: reliability.icc(x, "icc_1k"),
    "icc_ak": lambda x: reliability.icc(x, "icc_ak"),
    "icc_ck": lambda x: reliability.icc(x, "icc_ck"),
    "bland_altman": lambda x: reliability.bland_altman(x[:, 0], x[:, 1]),
}


def agreeing(table: Table, params: Params) -> list[Part]:
    """Agreement of the readers, item by item, by the item's measurement level."""
    if len(table.frames.readers) > 2:
        from analytics.plans import several

        return several.agreeing(table, params)
    first, second = _two_readers(table.frames)

    def run(item: Variable) -> Iterator[Entry]:
        kind = table.kind(item, params)
        a, b = table.frames.grades(first, item.code), table.frames.grades(second, item.code)
        wanted = [*params[kind], *(params["binary"] if item.binary else [])]
        if kind == "continuous":
            ratings = np.column_stack([a, b])
            for name in wanted:
                yield Entry.of(f"agreement/{item.code}/{name}", MEASURED[name](ratings))
        else:
            counts = association.cross_table(a, b, item.codes, item.codes)
            for name in wanted:
                yield Entry.of(f"agreement/{item.code}/{name}", CATEGORICAL[name](item, counts))

    return [Part(f"Agreement: {item.title}", partial(run, item)) for item in table.frames.items]


def _two_readers(frames: Frames) -> tuple[str, str]:
    if len(frames.readers) != 2:
        raise NotPossible(f"This plan compares readers; it needs two, and there are {len(frames.readers)}.")
    return frames.readers[0], frames.readers[1]


def bootstrapping(table: Table, params: Params) -> list[Part]:
    """Bootstrap each item by case: kappa of coded items, of ordered ones also with quadratic weights, else ICC."""
    if len(table.frames.readers) > 2:
        from analytics.plans import several

        return several.bootstrapping(table, params)
    first, second = _two_readers(table.frames)

    def run(item: Variable) -> Iterator[Entry]:
        a, b = paired.complete(table.frames.grades(first, item.code), table.frames.grades(second, item.code))
        rows = bootstrap.resamples(max(a.size, 1), params["replicates"], table.seed)
        if item.kind == "continuous":
            made = {"icc_a1": bootstrap.icc_a1_of(np.column_stack([a, b]))}
        else:
            made = {"kappa_unweighted": bootstrap.kappa_of(a, b, item.codes)}
            if item.kind == "ordinal":
                made["kappa_quadratic"] = bootstrap.kappa_of(a, b, item.codes, "quadratic")
        for name, statistic in made.items():
            found = bootstrap.bootstrap(statistic, rows[:, : a.size], name=name, seed=table.seed)
            yield Entry.of(f"bootstrap/{item.code}/{name}", found)

    return [Part(f"Bootstrap: {item.title}", partial(run, item)) for item in table.frames.items]


def chisq(table: Table, params: Params) -> list[Part]:
    """Cross each coded finding, and characteristics, with success."""

    def run() -> Iterator[Entry]:
        for item in _chosen(table, params):
            for reader in table.readers(params):
                for outcome in params["outcomes"]:
                    grades = table.frames.grades(reader, item.code)
                    yield from _crossed(table, f"chisq/{reader}/{item.code}", item, grades, outcome, scores=item.codes)
        for name in params.get("characteristics", ()):
            for outcome in params["outcomes"]:
                one = table.frames.characteristics[name]
                yield from _crossed(table, f"chisq/{name}", one, table.column(name), outcome, scores=None)

    return [Part("Findings and success: tables", run)]


def _chosen(table: Table, params: Params) -> list[Variable]:
    """Coded items, or only those without an order."""
    return [
        item
        for item in table.frames.items
        if item.kind != "continuous" and (params["items"] == "coded" or unordered(table, item, params))
    ]


def unordered(table: Table, item: Variable, params: Params) -> bool:
    """Whether a finding has two levels or none above another."""
    return item.binary or table.kind(item, params) == "nominal"


def _crossed(
    table: Table, prefix: str, item: Variable, codes: Array, outcome: str, *, scores: tuple[int, ...] | None
) -> Iterator[Entry]:
    counts = association.cross_table(codes, table.column(outcome), item.codes, (0, 1))
    yield Entry.of(f"{prefix}/by/{outcome}", association.contingency(counts, scores))
    yield Entry.of(f"{prefix}/by/{outcome}/table", association.table_counts(counts, item.names, ("0", "1")))


def rank_sum(table: Table, params: Params) -> list[Part]:
    """Compare grades and measurements between success and failure."""

    def run() -> Iterator[Entry]:
        for item in table.frames.items:
            if unordered(table, item, params):
                continue
            for reader in table.readers(params):
                for outcome in params["outcomes"]:
                    found = association.rank_sum(table.frames.grades(reader, item.code), table.column(outcome))
                    yield Entry.of(f"mwu/{reader}/{item.code}/by/{outcome}", found)
        for name in params.get("measurements", ()):
            for outcome in params["outcomes"]:
                found = association.rank_sum(table.column(name), table.column(outcome))
                yield Entry.of(f"mwu/{name}/by/{outcome}", found)
        for name in params.get("by_sex", ()):
            yield Entry.of(f"mwu/{name}/by/male", association.rank_sum(table.column(name), table.column("sex")))

    return [Part("Findings and success: ranks", run)]


def multiplicity(table: Table, params: Params) -> list[Part]:
    """Adjust the univariate p-values of each reader and outcome as one family."""

    def run() -> Iterator[Entry]:
        for reader in table.readers(params):
            for outcome in params["outcomes"]:
                family = {
                    item.code: table.computed(
                        f"{'chisq' if unordered(table, item, params) else 'mwu'}/{reader}/{item.code}/by/{outcome}",
                        "p",
                    )
                    for item in table.frames.items
                }
                for code, adjusted in association.adjust(family).items():
                    yield Entry.of(f"multiplicity/{reader}/{outcome}/{code}", adjusted)

    return [Part("Adjustment for many tests", run, builds=True)]


def model(table: Table, params: Params) -> list[Part]:
    """Fit one specification for each reader and outcome."""
    known = {item.code for item in table.frames.items}
    if unknown := sorted({term["item"] for term in params["terms"]} - known):
        raise NotPossible(f"The plan's model names {', '.join(unknown)}, which the readings do not have.")

    def fit(reader: str, outcome: str) -> Iterator[Entry]:
        return modelling.fitted(
            f"logistic/{params['specification']}/{reader}/{outcome}",
            params["terms"],
            {item.code: item for item in table.frames.items},
            {item.code: table.frames.grades(reader, item.code) for item in table.frames.items},
            table.column(outcome),
            firth=params["firth"],
        )

    return [
        Part(f"Model {params['specification']}: {reader}, {outcome}", partial(fit, reader, outcome))
        for reader in table.readers(params)
        for outcome in params["outcomes"]
    ]


KINDS: dict[str, Callable[[Table, Params], list[Part]]] = {
    "completeness": completeness,
    "describe": describing,
    "levels": levels,
    "response": response,
    "response_pairs": response_pairs,
    "signed_rank": signed_rank,
    "mcnemar": mcnemar,
    "spearman": spearman,
    "prevalence": prevalence,
    "agreement": agreeing,
    "chisq": chisq,
    "rank_sum": rank_sum,
    "multiplicity": multiplicity,
    "model": model,
    "bootstrap": bootstrapping,
}

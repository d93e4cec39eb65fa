"""What other programs can compute again of a plan: which statistic of which columns, under which identifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from analytics.export.columns import Column
from analytics.frames import Frames, Variable
from analytics.plans import Plan
from analytics.stats.result import NotEstimable, Results

__all__ = ["Question", "Term", "questions"]

# Kind of question to the field that tells whether there is an answer.
ANSWERED = {
    "kappa_unweighted": "estimate",
    "kappa_linear": "estimate",
    "kappa_quadratic": "estimate",
    "icc_a1": "estimate",
    "chisq": "chi2",
    "mwu": "z",
    "wilcoxon": "z",
    "mcnemar": "p_exact",
    "spearman": "rs",
    "logistic": "minus2ll",
}


@dataclass(frozen=True)
class Term:
    """A predictor of a model: a column as it is, or whether it has one code; `varies` not where it was left out."""

    name: str
    column: str
    code: int | None = None
    varies: bool = True


@dataclass(frozen=True)
class Question:
    """One statistic.

    Attributes
    ----------
    id : str
        As in ``estimates.csv``.
    kind : str
        A key of `ANSWERED`.
    columns : tuple of str
        Readers' columns; or the two that are compared, the outcome last; of a model the outcome alone.
    codes : tuple of int
        Declared codes of coded columns.
    """

    id: str
    kind: str
    columns: tuple[str, ...]
    codes: tuple[int, ...] = ()
    terms: tuple[Term, ...] = ()


def questions(results: Results, frames: Frames, plan: Plan, columns: Sequence[Column]) -> list[Question]:
    """Give every statistic of the main tables that was computed and has a value.

    Parameters
    ----------
    results, frames, plan
        What was computed, of what, and after which plan.
    columns : sequence of Column
        What `wide` gave.
    """
    at: dict[tuple[str, str], str] = {}
    for column in columns:
        if column.item:
            at.setdefault((column.item, column.reader), column.name)  # the main round stands before its repeats
    asked = [*_agreement(frames, at), *_compared(frames, at, [column.name for column in columns])]
    asked += list(_models(results, frames, plan, at))
    return [question for question in asked if _answered(results, question)]


def _answered(results: Results, question: Question) -> bool:
    return question.id in results and _has(results, question.id, ANSWERED[question.kind])


def _has(results: Results, id: str, field: str) -> bool:
    return not isinstance(results.entry(id).values.get(field, NotEstimable("")), NotEstimable)


def _agreement(frames: Frames, at: dict[tuple[str, str], str]) -> Iterator[Question]:
    for item in frames.items:
        everyone = tuple(at[item.code, reader] for reader in frames.readers)
        if item.kind == "continuous":
            yield Question(f"agreement/{item.code}/icc_a1", "icc_a1", everyone)
            continue
        for first, second in combinations(frames.readers, 2):
            pair = "" if len(frames.readers) == 2 else f"pairs/{first}-{second}/"
            for weights in ("unweighted", "linear", "quadratic"):
                id = f"agreement/{item.code}/{pair}kappa_{weights}"
                both = (at[item.code, first], at[item.code, second])
                yield Question(id, f"kappa_{weights}", both, item.codes)


def _compared(frames: Frames, at: dict[tuple[str, str], str], names: Sequence[str]) -> Iterator[Question]:
    successes = [name for name in names if name.startswith("success_")]
    for (item, reader), name in at.items():
        for outcome in successes:
            codes = frames.item(item).codes
            yield Question(f"chisq/{reader}/{item}/by/{outcome}", "chisq", (name, outcome), codes)
            yield Question(f"mwu/{reader}/{item}/by/{outcome}", "mwu", (name, outcome))
    for name in ("age", "bmi", "sex", "level"):
        for outcome in successes:
            kind = "chisq" if name in frames.characteristics else "mwu"
            codes = frames.characteristics[name].codes if kind == "chisq" else ()
            yield Question(f"{kind}/{name}/by/{outcome}", kind, (name, outcome), codes)
    for first, second in combinations(names, 2):
        for kind in ("wilcoxon", "mcnemar", "spearman"):
            yield Question(f"{kind}/{first}-{second}", kind, (first, second))


def _models(results: Results, frames: Frames, plan: Plan, at: dict[tuple[str, str], str]) -> Iterator[Question]:
    for step in plan.steps:
        if step.kind != "model":
            continue
        for reader in dict.fromkeys(reader for _, reader in at):
            for outcome in step.params["outcomes"]:
                id = f"logistic/{step.params['specification']}/{reader}/{outcome}"
                terms = tuple(
                    replace(found, varies=_has(results, f"{id}/{found.name}", "b"))
                    for term in step.params["terms"]
                    for found in _terms(term, frames.item(term["item"]), at[term["item"], reader])
                    if f"{id}/{found.name}" in results
                )
                yield Question(id, "logistic", (outcome,), terms=terms)


def _terms(term: dict[str, object], item: Variable, column: str) -> Iterator[Term]:
    """Give the predictors one term of a plan may become; those that were left out have no entry."""
    if "level" in term:
        yield Term(str(term["name"]), column, item.codes[item.names.index(str(term["level"]))])
    elif term.get("indicators"):
        yield from (
            Term(f"{item.code}_{name}", column, code) for code, name in zip(item.codes, item.names, strict=True)
        )
    else:
        yield Term(str(term["name"]), column)

"""From coded findings to predictors, and from a fitted model to its entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.frames import Variable
from analytics.stats import logistic, separation, validation
from analytics.stats.result import Entry

__all__ = ["described", "fitted", "predictors"]

Array = NDArray[np.float64]


def predictors(
    terms: Sequence[Mapping[str, Any]], items: Mapping[str, Variable], grades: Mapping[str, Array], outcome: Array
) -> dict[str, Array]:
    """Code the predictors of a model.

    Parameters
    ----------
    terms : sequence of mapping
        ``name`` and ``item``; with ``level`` an indicator of that level, with ``indicators`` one for each code that
        occurs in the complete cases but the lowest, otherwise the code or measurement itself.
    items : mapping of str to Variable
        Items by code.
    grades : mapping of str to ndarray
        Case values by item, NaN where not graded.
    outcome : ndarray
        0, 1 or NaN; decides with the grades which cases are complete.
    """
    complete = np.isfinite(outcome)
    for term in terms:
        complete &= np.isfinite(grades[term["item"]])
    columns: dict[str, Array] = {}
    for term in terms:
        item, values = items[term["item"]], grades[term["item"]]
        if "level" in term:
            code = item.codes[item.names.index(term["level"])]
            columns[term["name"]] = _indicator(values, code)
        elif term.get("indicators"):
            occurring = [code for code in item.codes if np.any(values[complete] == code)]
            for code in occurring[1:]:
                columns[f"{item.code}_{item.names[item.codes.index(code)]}"] = _indicator(values, code)
            if not occurring[1:]:
                columns[item.code] = values  # constant: the model will say that it left it out
        else:
            columns[term["name"]] = values
    return columns


def _indicator(values: Array, code: int) -> Array:
    return np.where(np.isfinite(values), (values == code).astype(float), np.nan)


def fitted(
    id: str,
    terms: Sequence[Mapping[str, Any]],
    items: Mapping[str, Variable],
    grades: Mapping[str, Array],
    outcome: Array,
    *,
    firth: bool,
) -> Iterator[Entry]:
    """Fit one logistic model of coded findings and yield everything it gives."""
    return described(id, logistic.prepare(predictors(terms, items, grades, outcome), outcome), firth=firth)


def described(id: str, design: logistic.Design, *, firth: bool) -> Iterator[Entry]:
    """Fit one logistic model and yield everything it gives.

    Parameters
    ----------
    id : str
        Of the model; its terms and checks stand below.
    design : Design
        What `logistic.prepare` gave.
    firth : bool
        Whether the penalised model stands beside it.
    """
    found = logistic.fit(design)
    yield Entry.of(id, found.summary)
    for name, term in found.terms.items():
        yield Entry.of(f"{id}/{name}", term)
    yield from _validated(id, design, found)
    if firth:
        yield from _penalised(id, design, separated=found.summary.separation != "none")


def _validated(id: str, design: logistic.Design, found: logistic.Model) -> Iterator[Entry]:
    if found.fitted is None:
        why = found.summary.minus2ll.why if not isinstance(found.summary.minus2ll, int | float | str) else ""
        yield Entry.of(f"{id}/classification", validation.unclassified(why, n=design.n))
        yield Entry.of(f"{id}/roc", validation.Roc.refused(why, n=design.n, method=validation.ROC_METHOD))
        for name in ("quantile", "blocks"):
            refused = validation.Calibration.refused(why, n=design.n, method=f"Hosmer-Lemeshow, {name}", groups=())
            yield Entry.of(f"{id}/hosmer_lemeshow_{name}", refused)
        return
    y, p = design.y, found.fitted
    yield Entry.of(f"{id}/classification", validation.classify(y, p))
    yield Entry.of(f"{id}/roc", validation.roc(y, p))
    yield Entry.of(f"{id}/hosmer_lemeshow_quantile", validation.hosmer_lemeshow_quantile(y, p))
    yield Entry.of(f"{id}/hosmer_lemeshow_blocks", validation.hosmer_lemeshow_blocks(y, p))


def _penalised(id: str, design: logistic.Design, *, separated: bool) -> Iterator[Entry]:
    if design.refusal:
        names = (*design.names, *design.constant)
        refused = separation.refused(design.refusal, names, n=design.n)
    else:
        refused = separation.firth(design.x, design.y, design.names, separated=separated)
    yield Entry.of(f"{id}/firth", refused)
    for name, term in refused.terms.items():
        yield Entry.of(f"{id}/firth/{name}", term)

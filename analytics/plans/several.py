"""Agreement of more than two readers: one coefficient of all of them, and every pair with those of two readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations

import numpy as np

from analytics.frames import Variable
from analytics.plans.parts import Array, Params, Part, Table
from analytics.plans.steps import CATEGORICAL, MEASURED
from analytics.stats import association, clustered, pairwise, raters, reliability
from analytics.stats.result import Entry, Result

__all__ = ["agreeing", "bootstrapping", "compared"]

# What a plan asks of two readers, to what several readers get under which names.
OF_ALL: dict[str, dict[str, Callable[[Array, Variable], Result]]] = {
    "agreement": {"agreement": lambda x, item: raters.percent_agreement(x, item.codes)},
    "kappa_unweighted": {
        "fleiss_unweighted": lambda x, item: raters.fleiss(x, item.codes),
        "conger_unweighted": lambda x, item: raters.conger(x, item.codes),
    },
    "kappa_linear": {
        "fleiss_linear": lambda x, item: raters.fleiss(x, item.codes, "linear"),
        "conger_linear": lambda x, item: raters.conger(x, item.codes, "linear"),
    },
    "kappa_quadratic": {
        "fleiss_quadratic": lambda x, item: raters.fleiss(x, item.codes, "quadratic"),
        "conger_quadratic": lambda x, item: raters.conger(x, item.codes, "quadratic"),
    },
    "brennan_prediger_unweighted/declared": {
        "brennan_prediger_unweighted/declared": lambda x, item: raters.brennan_prediger(x, item.codes)
    },
    "brennan_prediger_linear/declared": {
        "brennan_prediger_linear/declared": lambda x, item: raters.brennan_prediger(x, item.codes, "linear")
    },
    "brennan_prediger_quadratic/declared": {
        "brennan_prediger_quadratic/declared": lambda x, item: raters.brennan_prediger(x, item.codes, "quadratic")
    },
    "gwet_ac1/declared": {"gwet_ac1/declared": lambda x, item: raters.gwet(x, item.codes)},
    "gwet_ac2_linear/declared": {"gwet_ac2_linear/declared": lambda x, item: raters.gwet(x, item.codes, "linear")},
    "gwet_ac2_quadratic/declared": {
        "gwet_ac2_quadratic/declared": lambda x, item: raters.gwet(x, item.codes, "quadratic")
    },
    "krippendorff_nominal": {"krippendorff_nominal": lambda x, _: raters.krippendorff(x, "nominal")},
    "krippendorff_ordinal": {"krippendorff_ordinal": lambda x, _: raters.krippendorff(x, "ordinal")},
    "krippendorff_interval": {"krippendorff_interval": lambda x, _: raters.krippendorff(x, "interval")},
}
BOTH_ONLY = frozenset({"bland_altman"})  # of two readers, so only in the pairs


def _ratings(table: Table, item: Variable) -> Array:
    return np.column_stack([table.frames.grades(reader, item.code) for reader in table.frames.readers])


def agreeing(table: Table, params: Params) -> list[Part]:
    """Agreement of all readers, and of every pair under ``pairs/<first>-<second>``."""

    def run(item: Variable) -> Iterator[Entry]:
        kind = table.kind(item, params)
        wanted = [*params[kind], *(params["binary"] if item.binary else [])]
        yield from compared(table, f"agreement/{item.code}", _ratings(table, item), item, wanted)

    return [Part(f"Agreement: {item.title}", partial(run, item)) for item in table.frames.items]


def compared(table: Table, id: str, x: Array, item: Variable, wanted: Sequence[str]) -> Iterator[Entry]:
    """Compare the columns of ``x``, one a reader: two by the coefficients of two, more by those of several, in pairs.

    Parameters
    ----------
    table, item
        Whose readers and scale.
    id : str
        Under which the coefficients stand.
    x : ndarray, shape (cases, readers)
        NaN is not graded.
    wanted : sequence of str
        Names of `steps.CATEGORICAL` or `steps.MEASURED`.
    """
    if x.shape[1] == 2:
        yield from _pair(id, x, item, wanted)
        return
    yield from _measured(id, x, wanted) if item.kind == "continuous" else _coded(table, id, x, item, wanted)
    for a, b in combinations(range(x.shape[1]), 2):
        pair = f"{id}/pairs/{table.frames.readers[a]}-{table.frames.readers[b]}"
        yield from _pair(pair, x[:, [a, b]], item, wanted)


def _measured(id: str, x: Array, wanted: Sequence[str]) -> Iterator[Entry]:
    family: dict[str, Result] = {str(form): one for form, one in reliability.icc_family(x).items()}
    for name in wanted:
        if name not in BOTH_ONLY:
            yield Entry.of(f"{id}/{name}", family[name] if name in family else MEASURED[name](x))


def _coded(table: Table, id: str, x: Array, item: Variable, wanted: Sequence[str]) -> Iterator[Entry]:
    for name in wanted:
        for own, computed in OF_ALL.get(name, {}).items():
            yield Entry.of(f"{id}/{own}", computed(x, item))
    if "specific_agreement" in wanted:
        for level, found in raters.fleiss_by_level(x, item.codes, item.names).items():
            yield Entry.of(f"{id}/fleiss_level/{level}", found)
    if "kappa_unweighted" in wanted:
        yield Entry.of(f"{id}/pairs", pairwise.pairwise(x, item.codes, table.frames.readers))
    if "kappa_quadratic" in wanted:
        quadratic = pairwise.pairwise(x, item.codes, table.frames.readers, "quadratic")
        yield Entry.of(f"{id}/pairs_quadratic", quadratic)


def _pair(id: str, two: Array, item: Variable, wanted: Sequence[str]) -> Iterator[Entry]:
    if item.kind == "continuous":
        for name in wanted:
            yield Entry.of(f"{id}/{name}", MEASURED[name](two))
        return
    counts = association.cross_table(two[:, 0], two[:, 1], item.codes, item.codes)
    for name in wanted:
        yield Entry.of(f"{id}/{name}", CATEGORICAL[name](item, counts))


def bootstrapping(table: Table, params: Params) -> list[Part]:
    """Bootstrap each item by case: Fleiss and Conger, of ordered items also with quadratic weights, else the ICC."""
    known = {"replicates": params["replicates"], "seed": table.seed}

    def run(item: Variable) -> Iterator[Entry]:
        x, id = _ratings(table, item), f"bootstrap/{item.code}"
        if item.kind == "continuous":
            yield Entry.of(f"{id}/icc_a1", clustered.resampled(x, None, (), "icc_a1", **known))
            return
        coefficients: tuple[clustered.Coefficient, ...] = ("fleiss", "conger")
        for coefficient in coefficients:
            plain = clustered.resampled(x, None, item.codes, coefficient, **known)
            yield Entry.of(f"{id}/{coefficient}_unweighted", plain)
            if item.kind == "ordinal":
                weighted = clustered.resampled(x, None, item.codes, coefficient, "quadratic", **known)
                yield Entry.of(f"{id}/{coefficient}_quadratic", weighted)

    return [Part(f"Bootstrap: {item.title}", partial(run, item)) for item in table.frames.items]

"""Consistency checks: what a reader is asked to look at again.

A check may warn; it never changes, fills or blocks an answer.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Literal, cast

from annotation.protocol.answers import Answers
from annotation.protocol.case import Case, Facts, Found, Measured
from annotation.protocol.instrument import Protocol, Rule
from annotation.protocol.kinds import KINDS

__all__ = ["KINDS", "Facts", "Measured", "Remark", "fits", "remarks"]

# Parameters that name items, one or several.
_ITEM_PARAMS = ("measure", "grade", "verdict", "item", "items", "features")


@dataclass(frozen=True, slots=True)
class Remark:
    """A check that fired; ``query`` asks the coordinator as well."""

    code: str
    text: str
    cells: tuple[str, ...]
    severity: Literal["warn", "info"]
    query: bool = False


def fits(protocol: Protocol, rule: Rule) -> None:
    """Refuse a rule that could not be carried out; ``ValueError`` with a sentence."""
    kind = KINDS.get(rule.kind)
    if kind is None:
        raise ValueError(f"Rule {rule.code}: there is no kind {rule.kind!r}.")
    expected = {one.name for one in fields(kind)}
    if set(rule.params) != expected:
        raise ValueError(f"Rule {rule.code}: kind {rule.kind} takes {sorted(expected)}, not {sorted(rule.params)}.")
    words = {name for _, name, _, _ in string.Formatter().parse(rule.text) if name is not None}
    if strangers := words - set(kind.words):
        raise ValueError(f"Rule {rule.code}: its sentence has no word for {sorted(strangers)}.")
    for name in _ITEM_PARAMS:
        for code in _codes_in(rule.params.get(name, ())):
            if rule.form not in (None, protocol.item(code).form):
                raise ValueError(f"Rule {rule.code} of form {rule.form} looks at {code}, which is on another form.")


def _codes_in(param: object) -> list[str]:
    if isinstance(param, Mapping):
        return [str(param["item"])]
    if isinstance(param, list | tuple):
        return [code for one in param for code in _codes_in(one)]
    return [str(param)]


def remarks(protocol: Protocol, form: str, answers: Answers, facts: Facts) -> tuple[Remark, ...]:
    """Every check of a form that fires.

    Parameters
    ----------
    protocol : Protocol
        The instrument, with the study's settings applied; checks that were switched off are not in it.
    form : str
        Form code.
    answers : Mapping
        One reader's answers to this form, partial or complete, that passed ``answers.check``.
    facts : Facts
        What is known about the case.

    Returns
    -------
    tuple of Remark
        At most one for each rule code, in the order of the rules.
    """
    case = Case(protocol, form, answers, facts)
    fired: list[Remark] = []
    for rule in protocol.rules:
        if rule.form not in (None, form):
            continue
        look = cast(Callable[..., Callable[[Case], Found | None]], KINDS[rule.kind])(**rule.params)
        if found := look(case):
            text = rule.text.format_map(found.words)
            fired.append(Remark(rule.code, text, found.cells, rule.severity, rule.query))
    return tuple(fired)

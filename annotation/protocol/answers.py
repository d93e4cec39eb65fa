"""The answers of one reading: the one checker, their one spelling, and the case value.

An answers document is a flat JSON object: ``"<item>.<site>"`` to a number, or to ``{"not_assessable": reason}`` with a
``"note"`` where the reason asks for one. An absent key is a question not answered. ``"comment"`` is free text that is
never analysed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from annotation.protocol.documents import LONGEST_COMMENT, LONGEST_NOTE, value_range
from annotation.protocol.instrument import NOT_ANSWERED, Item, Protocol
from annotation.protocol.scales import Continuous, Nominal, Ordinal, Scale, Value

__all__ = [
    "AnswerRow",
    "Answers",
    "Fault",
    "Invalid",
    "Missing",
    "canonical",
    "case_value",
    "case_values",
    "check",
    "progress",
    "rows",
]

Answers = Mapping[str, object]
COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document; the cell is empty where it concerns the whole."""

    cell: str
    message: str


class Invalid(ValueError):
    """Answers that cannot be stored, or not yet be submitted."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__(
            " ".join(f"{fault.cell}: {fault.message}" if fault.cell else fault.message for fault in faults)
        )


@dataclass(frozen=True, slots=True)
class Missing:
    """No value, and why: a reason of the protocol, or ``"not_answered"``."""

    reason: str


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One cell in the long form; neither value nor reason means that it was not answered."""

    item: str
    site: str
    value: Value | None
    reason: str | None


def check(protocol: Protocol, form: str, answers: object, *, complete: bool) -> None:
    """Refuse what no answers document of this form may contain.

    The only hard stops there are: missing answer, wrong type, out of range, missing reason. Agrees with
    ``protocol.schema(form, complete=complete)``.

    Parameters
    ----------
    protocol : Protocol
        The instrument, with the study's settings applied.
    form : str
        Form code.
    answers : object
        Anything that was parsed from JSON.
    complete : bool
        Whether every required cell has to be answered. "Not assessable" is an answer.

    Raises
    ------
    Invalid
        With every fault found, in the order of the form.
    """
    cells = protocol.cells(form)
    if not isinstance(answers, Mapping):
        raise Invalid((Fault("", f"Answers are an object of cells, not {type(answers).__name__}."),))
    scales = {cell.key: cell.item.scale for cell in cells}
    faults: list[Fault] = []
    for cell in cells:
        if cell.key in answers:
            message = _fault_of_answer(protocol, cell.item.scale, answers[cell.key])
        else:
            message = "Not answered." if complete and cell.required else None
        if message:
            faults.append(Fault(cell.key, message))
    for key, value in answers.items():
        if key == COMMENT:
            message = _fault_of_text(value, LONGEST_COMMENT)
        else:
            message = None if key in scales else f"Form {form} does not ask this."
        if message:
            faults.append(Fault(str(key), message))
    if faults:
        raise Invalid(tuple(faults))


def _fault_of_answer(protocol: Protocol, scale: Scale, answer: object) -> str | None:
    if isinstance(answer, Mapping):
        return _fault_of_excuse(protocol, answer)
    # JSON true is not level 1, although Python thinks so.
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return f"Expected a number or a reason, not {_shown(answer)}."
    match scale:
        case Nominal() | Ordinal():
            return None if answer in scale.codes else f"{_shown(answer)} is no level; expected {_listed(scale)}."
        case Continuous():
            if not scale.low <= answer <= scale.high:
                return f"{_shown(answer)} is out of range; expected {value_range(scale)}."
            if round(float(answer), scale.decimals) != answer:
                return f"{_shown(answer)} has more than {scale.decimals} decimal(s)."
            return None
        case _:
            assert_never(scale)


def _fault_of_excuse(protocol: Protocol, answer: Mapping[object, object]) -> str | None:
    if strangers := [str(key) for key in answer if key not in ("not_assessable", "note")]:
        return f"Unknown: {', '.join(strangers)}."
    if "not_assessable" not in answer:
        return "A reason is missing."
    known = {reason.code: reason for reason in protocol.reasons}
    code = answer["not_assessable"]
    if not isinstance(code, str) or code not in known:
        return f"{_shown(code)} is no reason; expected {', '.join(known)}."
    if "note" in answer and (message := _fault_of_text(answer["note"], LONGEST_NOTE)):
        return message
    if known[code].note and not re.search(r"\S", str(answer.get("note", ""))):
        return f"The reason {known[code].label!r} needs a note."
    return None


def _fault_of_text(value: object, longest: int) -> str | None:
    if not isinstance(value, str):
        return f"Expected text, not {_shown(value)}."
    if re.search("[\x00\ud800-\udfff]", value):
        return "A character in it is no text and cannot be kept."
    return None if len(value) <= longest else f"At most {longest} characters, not {len(value)}."


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _listed(scale: Nominal | Ordinal) -> str:
    return ", ".join(str(code) for code in scale.codes)


def canonical(protocol: Protocol, form: str, answers: Answers) -> dict[str, object]:
    """A checked document in its one spelling, so that equal answers are equal documents.

    JSON knows no difference between 4 and 4.0, so both pass the checker; here codes become whole numbers,
    measurements floats (never -0.0), notes and the comment lose blanks around them and vanish when nothing is left,
    and keys stand in the order of the form.

    Parameters
    ----------
    protocol, form, answers
        As for ``check``, which the answers have passed.

    Returns
    -------
    dict
        The document to store and to digest.
    """
    tidy: dict[str, object] = {
        cell.key: _canonical_answer(cell.item.scale, answers[cell.key])
        for cell in protocol.cells(form)
        if cell.key in answers
    }
    if comment := str(answers.get(COMMENT, "")).strip():
        tidy[COMMENT] = comment
    return tidy


def _canonical_answer(scale: Scale, answer: object) -> object:
    if isinstance(answer, Mapping):
        note = str(answer.get("note", "")).strip()
        return {"not_assessable": answer["not_assessable"], **({"note": note} if note else {})}
    if not isinstance(answer, int | float):
        raise TypeError(f"Not a checked answer: {answer!r}.")
    match scale:
        case Nominal() | Ordinal():
            return int(answer)
        case Continuous():
            return round(float(answer), scale.decimals) + 0.0
        case _:
            assert_never(scale)


def rows(protocol: Protocol, form: str, answers: Answers) -> Iterator[AnswerRow]:
    """The document in the long form.

    Parameters
    ----------
    protocol, form, answers
        As for ``check``, which the answers have passed.

    Yields
    ------
    AnswerRow
        One for each cell of the form, answered or not, in the order of the form.
    """
    for cell in protocol.cells(form):
        value = _understood(answers.get(cell.key))
        if isinstance(value, Missing):
            reason = None if value.reason == NOT_ANSWERED else value.reason
            yield AnswerRow(cell.item.code, cell.site.code, None, reason)
        else:
            yield AnswerRow(cell.item.code, cell.site.code, value, None)


def progress(protocol: Protocol, form: str, answers: Answers) -> tuple[int, int]:
    """Required cells that are answered, and required cells there are."""
    required = [cell.key for cell in protocol.cells(form) if cell.required]
    return sum(key in answers for key in required), len(required)


def case_values(protocol: Protocol, form: str, answers: Answers) -> dict[str, Value | Missing]:
    """The case value of every item of a form, by item code; see ``case_value``."""
    return {
        item.code: case_value(item, {site.code: answers.get(f"{item.code}.{site.code}") for site in item.sites})
        for item in protocol.items_of(form)
    }


def case_value(item: Item, values_by_site: Mapping[str, object]) -> Value | Missing:
    """What an item says about the case.

    Parameters
    ----------
    item : Item
        The item; only its sites that count are looked at, so neighbouring segments never enter.
    values_by_site : Mapping
        Site code to a number, to a ``Missing`` or the document's ``{"not_assessable": ...}``, or to ``None``.

    Returns
    -------
    int, float or Missing
        With ``combine="only"`` the one site's value. With ``"max"`` the highest value; where a site is missing the
        others decide only if one of them already holds the highest value there is, else the case is missing, for
        the reason of the first site that is.
    """
    known: list[Value] = []
    gaps: list[Missing] = []
    for site in item.sites:
        if site.counts:
            value = _understood(values_by_site.get(site.code))
            if isinstance(value, Missing):
                gaps.append(value)
            else:
                known.append(value)
    top = item.scale.high if isinstance(item.scale, Continuous) else item.scale.highest
    if gaps and (item.combine == "only" or top not in known):
        return gaps[0]
    return max(known)


def _understood(answer: object) -> Value | Missing:
    if isinstance(answer, Missing):
        return answer
    if isinstance(answer, Mapping):
        return Missing(str(answer["not_assessable"]))
    if isinstance(answer, bool) or not isinstance(answer, int | float) or math.isnan(answer):
        if answer is None:
            return Missing(NOT_ANSWERED)
        raise TypeError(f"Not an answer: {answer!r}.")
    return answer

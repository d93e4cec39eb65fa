"""Synthetic readings of any instrument, for demonstrations and tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, SupportsInt, assert_never
from typing import Protocol as Structure

from annotation.protocol.scales import Continuous, Nominal, Ordinal, Scale, Value

if TYPE_CHECKING:
    from annotation.protocol.instrument import Cell, Protocol

__all__ = ["Draws", "simulate"]

# Of a scale's range: where two readers who never agree on the exact number still end up.
_WIDEST_SCATTER = 0.05


class Draws(Structure):
    """What is asked of a source of chance; a numpy ``Generator`` is one."""

    def integers(self, low: int, high: int, /) -> SupportsInt:
        """A whole number from ``low`` to ``high - 1``."""
        ...

    def random(self) -> float:
        """A number from 0 to below 1."""
        ...


def simulate(
    protocol: Protocol,
    rng: Draws,
    form: str,
    *,
    truth: Mapping[str, object] | None = None,
    agreement: float = 0.8,
    unassessable: float = 0.0,
) -> dict[str, object]:
    """A complete answers document that passes the checker.

    Parameters
    ----------
    protocol : Protocol
        The instrument.
    rng : Draws
        Source of chance; the same seed gives the same document.
    form : str
        Form code.
    truth : Mapping or None
        Another document of the same form to read with error. Without it every value is drawn evenly from its scale.
    agreement : float
        With ``truth``: chance (0 to 1) that a coded value is copied; otherwise it is drawn anew, so chance agreement
        comes on top. Measurements scatter around the truth, by less the higher the agreement.
    unassessable : float
        Chance (0 to 1) that a cell is answered "not assessable", with a reason that needs no note.

    Returns
    -------
    dict
        An answer for every cell of the form, also for those that are not required.
    """
    if not (0 <= agreement <= 1 and 0 <= unassessable <= 1):
        raise ValueError(f"Chances lie between 0 and 1, not {agreement!r} and {unassessable!r}.")
    reasons = [reason.code for reason in protocol.reasons if not reason.note]
    answers: dict[str, object] = {}
    for cell in protocol.cells(form):
        if reasons and rng.random() < unassessable:
            answers[cell.key] = {"not_assessable": reasons[int(rng.integers(0, len(reasons)))]}
        else:
            answers[cell.key] = _value(cell, rng, None if truth is None else truth.get(cell.key), agreement)
    return answers


def _value(cell: Cell, rng: Draws, true: object, agreement: float) -> Value:
    scale: Scale = cell.item.scale
    known = true if isinstance(true, int | float) and not isinstance(true, bool) else None
    match scale:
        case Nominal() | Ordinal():
            if known is not None and rng.random() < agreement:
                return scale.level(int(known)).code
            return scale.codes[int(rng.integers(0, len(scale.codes)))]
        case Continuous():
            spread = scale.high - scale.low
            if known is None:
                drawn = scale.low + spread * rng.random()
            else:
                # The sum of three even draws is close enough to a bell, and the interface needs nothing more.
                bell = rng.random() + rng.random() + rng.random() - 1.5
                drawn = known + bell * 2 * spread * _WIDEST_SCATTER * (1 - agreement)
            return round(min(max(drawn, scale.low), scale.high), scale.decimals) + 0.0
        case _:
            assert_never(scale)

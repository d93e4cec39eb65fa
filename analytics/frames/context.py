"""What stands around the readings: who was left out, how long reading took, how the images were made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Context", "LeftOut", "Parameter", "Scan", "Timed"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A reason for exclusion and the number of patients left out under it."""

    code: str
    title: str
    patients: int


@dataclass(frozen=True, slots=True)
class Timed:
    """Active seconds of one reading of the main round; None where the page told nothing."""

    reader: str
    form: str
    active_s: float | None


@dataclass(frozen=True, slots=True)
class Scan:
    """One series: case by number, role with title, group by field strength, and numbers by the parameter's code."""

    case: int
    role: str
    title: str
    modality: str
    group: str
    parameters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A scanning parameter as it is printed."""

    code: str
    title: str
    unit: str
    decimals: int


@dataclass(frozen=True)
class Context:
    """All of it; a part that is not known is empty, and `assessed` None.

    Attributes
    ----------
    assessed : int or None
        Patients assessed for eligibility.
    excluded : tuple of LeftOut
        In the protocol's order, reasons without patients too; every patient under one.
    times : tuple of Timed
        One a locked reading.
    scans : tuple of Scan
    parameters : tuple of Parameter
        What of a scan is printed, in order.
    groups : tuple of str
        Order of the groups.
    """

    assessed: int | None = None
    excluded: tuple[LeftOut, ...] = ()
    times: tuple[Timed, ...] = ()
    scans: tuple[Scan, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    groups: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        assessed: int,
        excluded: Iterable[tuple[str, str, int]],
        times: Iterable[tuple[str, str, float | None]],
        scans: Iterable[tuple[int, str, str, str, str, Mapping[str, float]]],
        parameters: Iterable[tuple[str, str, str, int]],
        groups: Iterable[str],
    ) -> Context:
        """Take plain rows over as the handover gives them."""
        return cls(
            assessed,
            tuple(LeftOut(*row) for row in excluded),
            tuple(Timed(*row) for row in times),
            tuple(Scan(*row) for row in scans),
            tuple(Parameter(*row) for row in parameters),
            tuple(groups),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the whole as JSON values, so that an analysis can be repeated without the database."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Context:
        """Read back what `to_document` gave."""
        return cls(
            document["assessed"],
            tuple(LeftOut(**one) for one in document["excluded"]),
            tuple(Timed(**one) for one in document["times"]),
            tuple(Scan(**one) for one in document["scans"]),
            tuple(Parameter(**one) for one in document["parameters"]),
            tuple(document["groups"]),
        )

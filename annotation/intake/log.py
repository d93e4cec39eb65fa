"""What came of a batch, in the words of `import_cohort --json`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from annotation.intake.clinical import ClinicalLog

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Problem:
    """A file that did not come in, by its neutral number in the batch."""

    name: str
    reason_code: str
    reason: str


@dataclass
class Log:
    """What came of a batch, as `import_cohort --json` writes it."""

    received: int = 0
    imported: int = 0
    duplicates: int = 0
    refused: list[Problem] = field(default_factory=list)
    quarantined: list[Problem] = field(default_factory=list)
    clinical: ClinicalLog = field(default_factory=ClinicalLog)
    studies: int = 0
    series: int = 0
    seconds: float = 0.0
    cases: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return asdict(self)

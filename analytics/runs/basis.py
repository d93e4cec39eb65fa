"""What went into a run, as short digests: enough to say later which readings, values and steps differ."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from annotation import handover

if TYPE_CHECKING:
    from analytics.plans import Plan

SHORT = 12


def basis_of(rows: Iterable[handover.Row], patients: Iterable[Mapping[str, Any]], plan: Plan) -> dict[str, Any]:
    """Digest each reading and each clinical value by itself, and keep the plan as it was carried out."""
    cells: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        cells[f"{row.case}/{row.reader}/{row.round}"].append(f"{row.item}.{row.site}={row.value}/{row.reason}")
    return {
        "readings": {name: _short("\n".join(sorted(lines))) for name, lines in sorted(cells.items())},
        "clinical": {
            f"{patient['case_id']}/{column}": _short(repr(value))
            for patient in patients
            for column, value in patient.items()
            if column != "case_id" and value is not None
        },
        "plan": plan.to_document(),
    }


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:SHORT]

"""The study's record as files of an export."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from annotation import handover


def record_of(key: int) -> dict[str, str]:
    """Write the stored random orders and the trail as CSV, by file name; readers have neutral names."""
    return {
        "order_ledger.csv": _csv(handover.Place._fields, handover.orders(key)),
        "trail.csv": _csv(handover.Happened._fields, handover.happened(key)),
    }


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()

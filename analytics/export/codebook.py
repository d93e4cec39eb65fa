"""What every column, code and missing code of the data files means."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

from analytics.export.columns import Column, absences, wide
from analytics.export.estimates import written
from analytics.frames import Frames
from annotation.protocol import Unknown, catalogue

__all__ = ["codebook_csv", "codebook_html", "codebook_rows", "missing_codes"]

HEAD = ("column", "label", "kind", "unit", "decimals", "code", "meaning", "word", "criteria", "reference", "note")


def missing_codes(frames: Frames) -> dict[str, int]:
    """Give every reason for a missing value its number in SPSS files: -99 upwards, or lower where a scale goes there.

    Parameters
    ----------
    frames : Frames
        Whose reasons, and whose lowest value: among the columns that are derived, too.
    """
    known = absences(frames)
    values = (value for column in wide(frames) for value in column.values)
    lowest = min((float(value) for value in values if math.isfinite(value)), default=0.0)
    base = -99
    while lowest <= base + len(known):
        base = 10 * base - 9  # -99, -999, ...
    return {code: base + place for place, code in enumerate(known)}


def codebook_rows(frames: Frames, columns: Sequence[Column]) -> list[dict[str, str]]:
    """Give one row a column and level, then one a missing code.

    Parameters
    ----------
    frames : Frames
        Of the study.
    columns : sequence of Column
        What `wide` gave.
    """
    asked = _asked(frames)
    rows = []
    for column in columns:
        about = {
            "column": column.name,
            "label": column.label,
            "kind": column.kind,
            "unit": column.unit,
            "decimals": str(column.decimals) if column.kind == "continuous" else "",
            "note": column.note,
        }
        for code, meaning in column.levels.items():
            level = {"code": str(code), "meaning": meaning, "word": column.words[code]}
            rows.append(dict.fromkeys(HEAD, "") | about | level | asked.get((column.item, str(code)), {}))
        if not column.levels:
            rows.append(dict.fromkeys(HEAD, "") | about | asked.get((column.item, ""), {}))
    numbers = missing_codes(frames)
    for why, words in absences(frames).items():
        number = str(numbers[why])
        rows.append(
            dict.fromkeys(HEAD, "")
            | {"column": "(missing)", "label": "Missing value", "code": number, "meaning": words, "word": why}
            | {"note": "the number in SPSS files; blank in CSV"}
        )
    return rows


def _asked(frames: Frames) -> dict[tuple[str, str], dict[str, str]]:
    """Give criteria and reference of each item and code, where the catalogue has the instrument."""
    try:
        protocol = catalogue.get(frames.protocol, frames.version)
    except Unknown:
        return {}
    return {
        (str(row["item"]), str(row["code"])): {
            "criteria": str(row["criteria"]),
            "reference": str(row["reference"]),
        }
        for row in protocol.codebook()
    }


def codebook_csv(rows: Sequence[Mapping[str, str]]) -> str:
    """Write the codebook as CSV."""
    return written(HEAD, ([row[name] for name in HEAD] for row in rows))


def codebook_html(rows: Sequence[Mapping[str, str]], title: str) -> str:
    """Write the codebook as one page without anything from outside."""
    head = "".join(f"<th scope='col'>{name}</th>" for name in HEAD)
    body = "\n".join("<tr>" + "".join(f"<td>{html.escape(row[name])}</td>" for name in HEAD) + "</tr>" for row in rows)
    said = html.escape(title)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Codebook: {said}</title>
<style>body{{font:14px/1.4 system-ui,sans-serif;margin:2rem}}table{{border-collapse:collapse}}
th,td{{border-bottom:1px solid #999;padding:.2rem .6rem;text-align:left;vertical-align:top}}
th{{position:sticky;top:0;background:#fff}}</style></head>
<body><h1>Codebook: {said}</h1><table><thead><tr>{head}</tr></thead><tbody>
{body}
</tbody></table></body></html>
"""

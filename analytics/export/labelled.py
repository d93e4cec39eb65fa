"""SPSS and Stata files: labels, measurement levels and missing codes travel with the values."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from analytics.export.columns import Column

__all__ = ["dta", "sav"]

MEASURES = {"text": "nominal", "nominal": "nominal", "ordinal": "ordinal", "continuous": "scale"}
STATA_LETTERS = "abcdefghijklmnopqrstuvwxyz"
STATA_VERSION = 15  # the format of Stata 14 and later: Unicode
LONGEST_LABEL = 80  # Stata's limit of a variable's label
# The libraries write the time of the day into the head; without it the same data give the same bytes.
SAV_STAMP, SAV_AT = b"01 Jan 0000:00:00", slice(92, 109)
DTA_STAMP, DTA_TIME = b"01 Jan 2000 00:00", re.compile(rb"(<timestamp>\x11)[^<]{17}")


def sav(columns: Sequence[Column], missing: Mapping[str, int], words: Mapping[str, str], title: str) -> bytes:
    """Write an SPSS file.

    Parameters
    ----------
    columns : sequence of Column
        What `wide` gave.
    missing : mapping of str to int
        What `missing_codes` gave; they become user-missing values with labels.
    words : mapping of str to str
        What `absences` gave.
    title : str
        The file's label.
    """
    data: dict[str, Any] = {}
    labels: dict[str, dict[Any, str]] = {}
    ranges: dict[str, list[Any]] = {}
    for column in columns:
        if column.kind == "text":
            data[column.name] = list(column.texts)
            continue
        gone = [missing.get(why, np.nan) for why in column.gone]
        data[column.name] = np.where(np.isfinite(column.values), column.values, gone)
        used = {why: missing[why] for why in missing if why in column.gone}
        labels[column.name] = {
            **{float(code): label for code, label in column.levels.items()},
            **{float(code): words[why] for why, code in used.items()},
        }
        ranges[column.name] = [{"lo": min(missing.values()), "hi": max(missing.values())}]
    written = _file(
        pyreadstat.write_sav,
        pd.DataFrame(data),
        file_label=title[:64],
        column_labels={column.name: _said(column) for column in columns},
        variable_value_labels={name: known for name, known in labels.items() if known},
        missing_ranges=ranges,
        variable_measure={column.name: MEASURES[column.kind] for column in columns},
        variable_format={column.name: _format(column) for column in columns},
    )
    return written[: SAV_AT.start] + SAV_STAMP + written[SAV_AT.stop :]


def dta(columns: Sequence[Column], words: Mapping[str, str], title: str) -> bytes:
    """Write a Stata file; why a value is missing stands as an extended missing value (.a, .b ...) with its label.

    Parameters
    ----------
    columns, words, title
        As of `sav`.
    """
    letters = dict(zip(words, STATA_LETTERS, strict=False))
    data: dict[str, Any] = {}
    labels: dict[str, dict[Any, str]] = {}
    missing: dict[str, list[str]] = {}
    for column in columns:
        if column.kind == "text":
            data[column.name] = list(column.texts)
            continue
        used = [why for why in letters if why in column.gone]
        values = [letters.get(why, value) for value, why in zip(column.values.tolist(), column.gone, strict=True)]
        data[column.name] = pd.Series(values, dtype=object if used else float)
        if column.coded:  # a label of a measurement would be read as if all its values were codes
            labels[column.name] = {
                **{float(code): label for code, label in column.levels.items()},
                **{letters[why]: words[why] for why in used},
            }
        if used:
            missing[column.name] = [letters[why] for why in used]
    written = _file(
        pyreadstat.write_dta,
        pd.DataFrame(data),
        file_label=title[:LONGEST_LABEL],
        column_labels={column.name: _said(column)[:LONGEST_LABEL] for column in columns},
        version=STATA_VERSION,
        variable_value_labels=labels,
        missing_user_values=missing,
        variable_format={c.name: f"%9.{c.decimals}f" for c in columns if c.kind == "continuous"},
    )
    return DTA_TIME.sub(rb"\g<1>" + DTA_STAMP, written, count=1)


def _said(column: Column) -> str:
    return f"{column.label} [{column.unit}]" if column.unit else column.label


def _format(column: Column) -> str:
    if column.kind == "text":
        return f"A{max([8, *(len(text.encode()) for text in column.texts)])}"
    return f"F8.{column.decimals}"


def _file(write: Any, data: pd.DataFrame, **more: Any) -> bytes:
    """Let the library write to a file, which is all it can."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data")
        write(data, str(path), **more)
        return path.read_bytes()

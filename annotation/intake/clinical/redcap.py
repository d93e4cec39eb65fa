"""A REDCap project as it is exported: data and dictionary, codes and labels, checkboxes, events and repeats."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from annotation.intake.clinical.columns import Column, Line, Table, described, plain
from annotation.intake.clinical.tables import BadTable, Sheet

_HEADS = {
    "name": ("variablefieldname", "fieldname"),
    "type": ("fieldtype",),
    "label": ("fieldlabel",),
    "choices": ("choicescalculationsorsliderlabels", "selectchoicesorcalculations"),
}
_EVENT = ("redcapeventname", "eventname")
_REPEAT = ("redcaprepeatinstrument", "repeatinstrument")
_INSTANCE = ("redcaprepeatinstance", "repeatinstance")
_CODED = {"radio", "dropdown", "checkbox", "select"}
_FIXED = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
_BOX = re.compile(r"(?P<field>[a-z][a-z0-9_]*)___(?P<code>[a-z0-9_]+)")
_BOX_LABEL = re.compile(r"(?P<field>.+?) \(choice=(?P<label>.+)\)")
_TICKED = {"1", "checked", "yes", "true"}


@dataclass(frozen=True)
class Field:
    """One line of the dictionary; `choices` from code to label."""

    kind: str
    label: str
    choices: Mapping[str, str]


Dictionary = Mapping[str, Field]


def is_dictionary(sheet: Sheet) -> bool:
    """Tell a data dictionary by the names of its columns."""
    return bool(sheet.rows) and {"name", "type", "choices"} <= set(_heads(sheet.rows[0][1]))


def _heads(cells: Sequence[str]) -> dict[str, int]:
    names = [plain(cell) for cell in cells]
    return {what: names.index(one) for what, known in _HEADS.items() for one in known if one in names}


def dictionary_of(sheet: Sheet) -> Dictionary:
    """Read a data dictionary; raises BadTable with a sentence for another table."""
    if not is_dictionary(sheet):
        raise BadTable("The second file is no REDCap data dictionary. Choose the dictionary, or leave it out.")
    heads = _heads(sheet.rows[0][1])
    fields = {}
    for _, cells in sheet.rows[1:]:
        line = {what: cells[place].strip() if place < len(cells) else "" for what, place in heads.items()}
        if not line["name"]:
            continue
        kind = line["type"].lower()
        choices = _FIXED.get(kind, {}) if kind not in _CODED else _choices(line["choices"])
        label = re.sub(r"<[^>]*>", " ", line.get("label", ""))
        fields[line["name"]] = Field(kind, " ".join(label.split())[:100], choices)
    return fields


def _choices(text: str) -> dict[str, str]:
    """Read "1, Male | 2, Female"."""
    found = (part.partition(",") for part in re.split(r"[|\n]", text) if part.strip())
    return {code.strip(): label.strip() or code.strip() for code, _, label in found}


def understood(table: Table, dictionary: Dictionary | None) -> Table:
    """Give the table with labels for codes, checkboxes as one column, and one line a record."""
    names = [plain(one.name) for one in table.columns]
    longitudinal = any(name in names for name in (*_EVENT, *_INSTANCE))
    if dictionary is None and not longitudinal and not any(_box(one.name) for one in table.columns):
        return table
    remarks = [*table.remarks]
    if dictionary is not None:
        met = sum(one.name in dictionary or _field_of(one.name) in dictionary for one in table.columns)
        if not met:
            raise BadTable("Dictionary and data do not belong together: no column is in the dictionary.")
        remarks.append(f"{met} columns were found in the REDCap dictionary; coded answers are read by their labels.")
    table = _without_boxes(replace(table, remarks=tuple(remarks)), dictionary or {})
    return described(_merged(table) if longitudinal else table)


def _box(name: str) -> re.Match[str] | None:
    return _BOX.fullmatch(name) or _BOX_LABEL.fullmatch(name)


def _field_of(name: str) -> str:
    found = _box(name)
    return found["field"] if found else name


def _without_boxes(table: Table, dictionary: Dictionary) -> Table:
    """Join the columns of a checkbox: what is ticked, by code, with the labels as choices."""
    groups: dict[str, list[int]] = {}
    for place, column in enumerate(table.columns):
        groups.setdefault(_field_of(column.name), []).append(place)
    joined = {name: places for name, places in groups.items() if _box(table.columns[places[0]].name)}
    columns, keep = [], []
    for name, places in groups.items():
        first = table.columns[places[0]]
        field = dictionary.get(name)
        told = replace(first, name=name)
        columns.append(replace(told, label=field.label, choices=dict(field.choices)) if field else told)
        keep.append((name, places))
    lines = []
    for line in table.lines:
        cells = []
        for name, places in keep:
            if name in joined:
                cells.append(";".join(_code(table.columns[p]) for p in places if _ticked(line.cells[p])))
            else:
                cells += [line.cells[places[0]]]
        lines.append(Line(line.number, tuple(cells)))
    twins = [place for name, places in groups.items() if name not in joined for place in places[1:]]
    for place in twins:  # two columns of one name are none of ours to join
        columns.append(table.columns[place])
        lines = [
            replace(new, cells=(*new.cells, old.cells[place])) for new, old in zip(lines, table.lines, strict=True)
        ]
    return replace(table, columns=tuple(columns), lines=tuple(lines))


def _ticked(text: str) -> bool:
    return text.strip().lower() in _TICKED


def _code(column: Column) -> str:
    found = _box(column.name)
    parts = found.groupdict() if found else {}
    return str(parts.get("code") or parts.get("label") or "").replace(";", ",")


def _merged(table: Table) -> Table:
    """Make one line of a record's rows: `field @ event`, and `#2` for a second time."""
    names = [plain(one.name) for one in table.columns]
    event, repeat, instance = (
        next((names.index(one) for one in known if one in names), -1) for known in (_EVENT, _REPEAT, _INSTANCE)
    )
    special = {0, event, repeat, instance}
    columns: dict[tuple[int, str], Column] = {(0, ""): replace(table.columns[0], letter="")}
    records: dict[str, dict[tuple[int, str], tuple[str, int]]] = {}
    torn: dict[str, set[tuple[int, str]]] = {}
    numbers: dict[str, int] = {}
    for line in table.lines:
        record = line.cells[0].strip()
        merged = records.setdefault(record, {(0, ""): (record, line.number)})
        numbers.setdefault(record, line.number)
        when = _when(line, event, repeat, instance)
        for place, text in enumerate(line.cells):
            if place in special or not text.strip():
                continue
            spot = (place, when)
            if spot not in columns:
                columns[spot] = _at(table.columns[place], when)
            if spot in merged and merged[spot][0] != text:
                torn.setdefault(record, set()).add(spot)
            merged.setdefault(spot, (text, line.number))
    order = sorted(columns, key=lambda spot: spot[0])
    lines = [
        Line(
            numbers[record],
            tuple(cells.get(spot, ("", 0))[0] for spot in order),
            tuple(cells.get(spot, ("", 0))[1] for spot in order),
            tuple(place for place, spot in enumerate(order) if spot in torn.get(record, ())),
        )
        for record, cells in records.items()
    ]
    remark = f"{len(table.lines)} rows of events were merged to {len(lines)} records."
    return replace(
        table, columns=tuple(columns[spot] for spot in order), lines=tuple(lines), remarks=(*table.remarks, remark)
    )


def _at(column: Column, when: str) -> Column:
    """Give the column of one event; it stands under no letter of the file."""
    label = column.label and f"{column.label}{when}"
    return replace(column, name=f"{column.name}{when}", label=label, letter="")


def _when(line: Line, event: int, repeat: int, instance: int) -> str:
    said = line.cells[event].strip() if event >= 0 else ""
    again = line.cells[instance].strip() if instance >= 0 else ""
    form = line.cells[repeat].strip() if repeat >= 0 else ""
    text = f" @ {said or form}" if said or form else ""
    return f"{text} #{again}" if again else text

"""An instrument written down: digest, JSON Schema, codebook, and the spelling of values in tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, assert_never

from annotation.protocol.scales import Continuous, Nominal, Ordinal, Scale, Value, slug

if TYPE_CHECKING:
    from annotation.protocol.instrument import Cell, Item, Protocol, Reason

__all__ = ["LONGEST_COMMENT", "LONGEST_NOTE", "codebook", "digest", "parsed", "schema", "value_range"]

LONGEST_COMMENT = 2000
LONGEST_NOTE = 500


def digest(protocol: Protocol) -> str:
    """Fingerprint of what an answer means.

    Covers codes, levels, sites, rules and the English questions and criteria. Titles, labels of forms and reasons,
    layouts, presets, references and the wording of remarks are left out: they may be corrected or translated without
    changing what was asked. So are the criteria for leaving a patient out: they say who is read.

    Parameters
    ----------
    protocol : Protocol
        The instrument, with a study's settings already applied.

    Returns
    -------
    str
        SHA-256 of canonical JSON (sorted keys, no blanks, ASCII), 64 hexadecimal digits.
    """
    text = json.dumps(_meaning(protocol), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _meaning(protocol: Protocol) -> dict[str, object]:
    return {
        "code": protocol.code,
        "version": protocol.version,
        "forms": [[form.code, form.modality] for form in protocol.forms],
        "items": [_item_meaning(item) for item in protocol.items],
        "rules": [
            [rule.code, rule.kind, _plain(rule.params), rule.severity, rule.form, rule.query] for rule in protocol.rules
        ],
        "reasons": [[reason.code, reason.note] for reason in protocol.reasons],
        "segments": _plain(protocol.segments),
    }


def _item_meaning(item: Item) -> dict[str, object]:
    return {
        "code": item.code,
        "form": item.form,
        "asked": item.asked,
        "criteria": item.criteria,
        "sites": [[site.code, site.segment, site.side, site.required, site.counts] for site in item.sites],
        "combine": item.combine,
        "support": item.support,
        "required": item.required,
        "roles": list(item.roles),
        "percent_after": list(item.percent_after),
        "scale": _scale_meaning(item.scale),
    }


def _scale_meaning(scale: Scale) -> dict[str, object]:
    match scale:
        case Nominal() | Ordinal():
            levels = [[level.code, level.label, level.criteria, level.export] for level in scale.levels]
            return {"kind": scale.kind, "levels": levels}
        case Continuous():
            return {
                "kind": scale.kind,
                "unit": scale.unit,
                "range": [float(scale.low), float(scale.high), scale.decimals],
                "evidence": scale.evidence,
            }
        case _:
            assert_never(scale)


def _plain(value: object) -> object:
    """Mappings and tuples as the dicts and lists JSON has."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def schema(protocol: Protocol, form: str, *, complete: bool) -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a form's answers documents.

    Accepts exactly what ``answers.check`` accepts. Decimals of a measurement are listed number by number, because
    validators that compute ``multipleOf 0.1`` in binary floats refuse 8.2.

    Parameters
    ----------
    protocol : Protocol
        The instrument.
    form : str
        Form code.
    complete : bool
        Whether every required cell has to be answered, as before submitting.

    Returns
    -------
    dict
        The schema as JSON values.
    """
    cells = protocol.cells(form)
    definitions: dict[str, object] = {"not_assessable": _not_assessable_schema(protocol.reasons)}
    properties: dict[str, object] = {"comment": {"type": "string", "maxLength": LONGEST_COMMENT}}
    for cell in cells:
        name = _definition_name(cell.item, definitions)
        definitions[name] = _scale_schema(cell.item.scale)
        properties[cell.key] = {
            "title": cell.label,
            "oneOf": [{"$ref": f"#/$defs/{name}"}, {"$ref": "#/$defs/not_assessable"}],
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:spondy:protocol:{protocol.code}:{protocol.version}:{form}:{'complete' if complete else 'partial'}",
        "title": f"{protocol.title}: {protocol.form(form).title}",
        "type": "object",
        "properties": properties,
        "required": [cell.key for cell in cells if cell.required] if complete else [],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _definition_name(item: Item, taken: Mapping[str, object]) -> str:
    """The scale's name where that is unambiguous, so that items which share a scale share its definition."""
    name = slug(item.scale.name)
    return name if taken.get(name, _scale_schema(item.scale)) == _scale_schema(item.scale) else f"{name}_{item.code}"


def _scale_schema(scale: Scale) -> dict[str, object]:
    match scale:
        case Nominal() | Ordinal():
            return {"type": "integer", "enum": list(scale.codes)}
        case Continuous():
            return {"type": "number", "minimum": scale.low, "maximum": scale.high, "enum": list(scale.steps())}
        case _:
            assert_never(scale)


def _not_assessable_schema(reasons: tuple[Reason, ...]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {
            "not_assessable": {"enum": [reason.code for reason in reasons]},
            "note": {"type": "string", "maxLength": LONGEST_NOTE},
        },
        "required": ["not_assessable"],
        "additionalProperties": False,
        "if": {"properties": {"not_assessable": {"enum": [reason.code for reason in reasons if reason.note]}}},
        "then": {"required": ["note"], "properties": {"note": {"pattern": "\\S"}}},
    }


def codebook(protocol: Protocol) -> list[dict[str, object]]:
    """What every stored number means.

    Parameters
    ----------
    protocol : Protocol
        The instrument.

    Returns
    -------
    list of dict
        One row per item, site and level (per item and site for a measurement), in the order of the forms and items,
        with the keys item, site, cell, label, kind, code, level, criteria, unit, range, decimals, reference, form,
        support, required, combine, missing, export. What does not apply is an empty string.
    """
    missing = "; ".join(f"{reason.code}: {reason.label}" for reason in protocol.reasons)
    return [
        {**_cell_row(cell), **_about(cell.item), **row, "missing": missing}
        for form in protocol.forms
        for cell in protocol.cells(form.code)
        for row in _level_rows(cell.item.scale)
    ]


def _cell_row(cell: Cell) -> dict[str, object]:
    place = cell.site.shown()
    return {
        "item": cell.item.code,
        "site": cell.site.code,
        "cell": cell.key,
        "label": cell.item.asked + (f" ({place.lower()})" if place else ""),
        "required": cell.required,
    }


def _about(item: Item) -> dict[str, object]:
    return {
        "kind": item.scale.kind,
        "form": item.form,
        "support": item.support,
        "combine": item.combine,
        "reference": item.scale.source,
        "range": value_range(item.scale),
    }


def _level_rows(scale: Scale) -> Iterator[dict[str, object]]:
    match scale:
        case Nominal() | Ordinal():
            for level in scale.levels:
                yield {
                    "code": level.code,
                    "level": level.label,
                    "criteria": level.criteria,
                    "unit": "",
                    "decimals": "",
                    "export": level.code if level.export is None else level.export,
                }
        case Continuous():
            yield {
                "code": "",
                "level": "",
                "criteria": "",
                "unit": scale.unit,
                "decimals": scale.decimals,
                "export": "",
            }
        case _:
            assert_never(scale)


def value_range(scale: Scale) -> str:
    """The allowed values in words, e.g. ``"0 to 5"`` or ``"-20.0 to 60.0 mm"``."""
    match scale:
        case Nominal() | Ordinal():
            return f"{scale.codes[0]} to {scale.highest}"
        case Continuous():
            return f"{scale.low:.{scale.decimals}f} to {scale.high:.{scale.decimals}f} {scale.unit}".rstrip()
        case _:
            assert_never(scale)


def parsed(item: Item, text: str) -> Value:
    """The value an exported spelling stands for.

    Parameters
    ----------
    item : Item
        The item whose column the text stands in.
    text : str
        A level's export word, its code, or a number; blanks around it do not matter. Table programs write whole
        numbers as ``"4.0"`` once a column has gaps, so that is read as 4.

    Returns
    -------
    int or float
        The stored code, or the measurement.

    Raises
    ------
    ValueError
        With a sentence, when the text stands for nothing on this scale. Blank text is nothing either: a caller
        decides itself what an empty cell means.
    """
    scale, word = item.scale, text.strip()
    expected = f"{item.code} is {text!r}; expected "
    try:
        number = float(word)
    except ValueError:
        number = float("nan")
    match scale:
        case Nominal() | Ordinal():
            for level in scale.levels:
                if word == level.export or (level.export is None and number == level.code):
                    return level.code
            raise ValueError(expected + ", ".join(str(level.export or level.code) for level in scale.levels) + ".")
        case Continuous():
            if scale.low <= number <= scale.high:
                return number
            raise ValueError(f"{expected}{value_range(scale)}.")
        case _:
            assert_never(scale)

"""The JSON Schema (draft 2020-12) of ``results.json``."""

from __future__ import annotations

from typing import Any

__all__ = ["RESULTS"]


def _just(name: str, value: dict[str, Any], said: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": said,
        "required": [name],
        "properties": {name: value},
        "additionalProperties": False,
    }


_NUMBERS = {"type": "array", "items": {"type": ["number", "string", "null"]}}
_LEVELS = {"type": "array", "items": {"type": "string"}}
_VARIABLE = {
    "type": "object",
    "required": ["code", "title", "kind", "codes", "names", "labels", "unit", "decimals"],
    "properties": {
        "code": {"type": "string"},
        "title": {"type": "string"},
        "kind": {"enum": ["nominal", "ordinal", "continuous"]},
        "codes": {"type": "array", "items": {"type": "integer"}},
        "names": _LEVELS,
        "labels": _LEVELS,
        "unit": {"type": "string"},
        "decimals": {"type": "integer", "minimum": 0},
    },
    "additionalProperties": False,
}
RESULTS: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:spondy:results:1",
    "title": "Results of an analysis",
    "description": "Everything one plan computed from one set of readings; the same numbers as estimates.csv.",
    "type": "object",
    "required": ["plan", "subject", "seed", "entries"],
    "properties": {
        "plan": {
            "type": "object",
            "required": ["code", "title", "version", "digest"],
            "properties": {
                "code": {"type": "string"},
                "title": {"type": "string"},
                "version": {"type": "integer"},
                "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            },
            "additionalProperties": False,
        },
        "subject": {
            "type": "object",
            "description": "What was analysed; further keys describe the study.",
            "required": ["protocol", "version", "readers", "cases", "items", "characteristics", "has_outcomes"],
            "properties": {
                "protocol": {"type": "string"},
                "version": {"type": "integer"},
                "readers": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
                "cases": {"type": "integer", "minimum": 0},
                "items": {"type": "array", "items": {"$ref": "#/$defs/variable"}},
                "characteristics": {"type": "array", "items": {"$ref": "#/$defs/variable"}},
                "has_outcomes": {"type": "boolean"},
            },
        },
        "seed": {"type": "integer", "minimum": 0},
        "entries": {"type": "array", "items": {"$ref": "#/$defs/entry"}},
    },
    "additionalProperties": False,
    "$defs": {
        "variable": _VARIABLE,
        "entry": {
            "type": "object",
            "description": "One statistic under the identifier of its lines in estimates.csv.",
            "required": ["id", "n", "method", "notes", "values", "series"],
            "properties": {
                "id": {"type": "string", "minLength": 1},
                "n": {"type": "integer", "minimum": 0},
                "method": {"type": "string"},
                "notes": {"type": "array", "items": {"type": "string"}},
                "values": {
                    "description": "Pairs of field and value, in their order.",
                    "type": "array",
                    "items": {
                        "type": "array",
                        "prefixItems": [{"type": "string"}, {"$ref": "#/$defs/value"}],
                        "items": False,
                        "minItems": 2,
                    },
                },
                "series": {
                    "description": "Points a figure of the statistic shows, by name.",
                    "type": "object",
                    "additionalProperties": _NUMBERS,
                },
            },
            "additionalProperties": False,
        },
        "value": {
            "oneOf": [
                {"type": "number"},
                _just("word", {"type": "string"}, "A value that is a word."),
                _just("why", {"type": "string", "minLength": 1}, "Not estimable, and why."),
                _just("infinite", {"enum": [1, -1]}, "Infinity with its sign."),
            ]
        },
    },
}

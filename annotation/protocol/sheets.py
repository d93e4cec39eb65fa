"""The grading sheet: what a viewer needs to ask a form without knowing any scale by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from annotation.protocol.scales import Continuous, Nominal, Ordinal, Scale

if TYPE_CHECKING:
    from annotation.protocol.instrument import Form, Item, Layout, Preset, Protocol

__all__ = ["sheet"]


def sheet(protocol: Protocol, form: str, *, index_level: str | None = None) -> dict[str, object]:
    """A form as JSON values.

    Parameters
    ----------
    protocol : Protocol
        The instrument, with a study's settings already applied.
    form : str
        Form code.
    index_level : str or None
        The case's index level. When given, cells of segments the case does not have are left out and the others
        are labelled with the segment's name.

    Returns
    -------
    dict
        Title, reasons, items with scales and cells, layouts (the first one opens), linked roles, jumps and
        presets.
        Layouts that need a computed plane stand apart under ``"reformat_layouts"``.
    """
    asked = protocol.form(form)
    names = None if index_level is None else protocol.segment_names(index_level)
    return {
        "protocol": protocol.code,
        "version": protocol.version,
        "form": asked.code,
        "title": asked.title,
        "modality": asked.modality,
        "reasons": [{"code": reason.code, "label": reason.label, "note": reason.note} for reason in protocol.reasons],
        "items": [_item(item, names) for item in protocol.items_of(form)],
        "layouts": [_layout(layout) for layout in asked.layouts if not _reformatted(layout)],
        "reformat_layouts": [_layout(layout) for layout in asked.layouts if _reformatted(layout)],
        "linked": [list(group) for group in asked.linked],
        "jumps": [
            {"code": jump.code, "title": jump.title, "kind": jump.kind, "left_mm": jump.left_mm} for jump in asked.jumps
        ],
        "presets": [_preset(preset) for preset in _by_key(asked)],
    }


def _item(item: Item, names: dict[str, str] | None) -> dict[str, object]:
    return {
        "code": item.code,
        "asked": item.asked,
        "short": item.short,
        "criteria": item.criteria,
        "read_on": item.read_on,
        "source": item.scale.source,
        "required": item.required,
        "support": item.support,
        "combine": item.combine,
        "scale": _scale(item.scale),
        "cells": _cells(item, names),
    }


def _cells(item: Item, names: dict[str, str] | None) -> list[dict[str, object]]:
    # Where one segment only is asked, its name would say nothing.
    shown = names if any(site.segment != "index" for site in item.sites) else None
    return [
        {
            "key": f"{item.code}.{site.code}",
            "site": site.code,
            "label": site.shown(shown),
            "row": site.row(shown),
            "required": item.required and site.required,
            "segment": site.segment,
            "side": site.side,
            "counts": site.counts,
        }
        for site in item.sites
        if names is None or site.segment in names
    ]


def _scale(scale: Scale) -> dict[str, object]:
    match scale:
        case Nominal() | Ordinal():
            digits = {code: digit for digit, code in scale.keys().items()}
            return {
                "kind": scale.kind,
                "name": scale.name,
                "levels": [
                    {
                        "code": level.code,
                        "label": level.label,
                        "criteria": level.criteria,
                        "key": digits[level.code],
                    }
                    for level in scale.levels
                ],
            }
        case Continuous():
            return {
                "kind": scale.kind,
                "name": scale.name,
                "unit": scale.unit,
                "low": scale.low,
                "high": scale.high,
                "decimals": scale.decimals,
                "tool": scale.evidence,
            }
        case _:
            assert_never(scale)


def _reformatted(layout: Layout) -> bool:
    return any(view.reformat for view in layout.views)


def _layout(layout: Layout) -> dict[str, object]:
    return {
        "code": layout.code,
        "title": layout.title,
        "rows": layout.rows,
        "columns": layout.columns,
        "max_slice_mm": layout.max_slice_mm,
        "views": [
            {"role": view.role, "start": view.start, "preset": view.preset, "reformat": view.reformat}
            for view in layout.views
        ],
    }


def _by_key(form: Form) -> list[Preset]:
    return sorted(form.presets, key=lambda preset: preset.key)


def _preset(preset: Preset) -> dict[str, object]:
    window: dict[str, object] = {"width": preset.width, "level": preset.level} if preset.kind == "window" else {}
    return {"key": preset.key, "title": preset.title, "kind": preset.kind, **window}

"""A protocol as one study asks it: which segments, which sides, which checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from annotation.protocol.sites import SIDES, Site

if TYPE_CHECKING:
    from annotation.protocol.instrument import Item, Protocol, Rule

__all__ = ["apply"]

# "named": a yes/no finding is asked once for the case, and the side it was on is named beside it.
SIDE_CHOICES = ("once", "both", "named")


def apply(protocol: Protocol, chosen: Mapping[str, object]) -> Protocol:
    """The protocol with a study's settings.

    Parameters
    ----------
    protocol : Protocol
        As it stands in the catalogue.
    chosen : Mapping
        ``segments``: ``"index"`` or a key of ``protocol.neighbours``; ``sides``: ``"once"``, ``"both"`` or
        ``"named"``; ``checks_off``: rule codes to leave out; ``rules``: rule code to parameters that differ. Absent
        keys keep the protocol as it is; keys that are not about the protocol are left alone.

    Returns
    -------
    Protocol
        The same value where nothing is changed, so that it also has the same digest.

    Raises
    ------
    ValueError
        With a sentence, for a setting that cannot be.
    """
    segments, sides = chosen.get("segments", "index"), chosen.get("sides", "once")
    if segments != "index" and (not isinstance(segments, str) or segments not in protocol.neighbours):
        raise ValueError(f"Setting segments is {segments!r}; expected index, {', '.join(protocol.neighbours)}.")
    if sides not in SIDE_CHOICES:
        raise ValueError(f"Setting sides is {sides!r}; expected {', '.join(SIDE_CHOICES)}.")
    neighbours = () if segments == "index" else protocol.neighbours[str(segments)]
    return replace(
        protocol,
        items=tuple(_spread(item, neighbours, str(sides)) for item in protocol.items),
        rules=_rules(protocol, chosen.get("checks_off", ()), chosen.get("rules", {})),
    )


def _spread(item: Item, neighbours: tuple[Site, ...], sides: str) -> Item:
    sites = list(item.sites)
    if item.sided and sides == "both":
        sites = [_joined(side, site) for site in sites for side in SIDES]
    elif item.sided and sides == "named" and item.scale.kind == "nominal":
        sites += [replace(side, required=False, counts=False) for side in SIDES]
    if item.segmental:
        sites += [_joined(segment, site) for segment in neighbours for site in tuple(sites)]
    return replace(item, sites=tuple(sites))


def _joined(outer: Site, inner: Site) -> Site:
    """One site inside another; "case" stands for no further place and vanishes from the name."""
    codes = [code for code in (outer.code, inner.code) if code != "case"]
    labels = [label for label in (outer.label, inner.label) if label]
    nearer = outer if inner.segment == "index" else inner
    return replace(
        inner,
        code="_".join(codes),
        label=" ".join(labels).capitalize(),
        segment=nearer.segment,
        segment_label=nearer.segment_label,
        side=outer.side or inner.side,
        required=outer.required and inner.required,
        counts=outer.counts and inner.counts,
    )


def _rules(protocol: Protocol, off: object, changed: object) -> tuple[Rule, ...]:
    if not isinstance(off, Iterable) or isinstance(off, str) or not isinstance(changed, Mapping):
        raise ValueError("Setting checks_off is a list of rule codes and setting rules maps rule codes to parameters.")
    known = {rule.code: rule for rule in protocol.rules}
    if strangers := {str(code) for code in (*off, *changed)} - set(known):
        raise ValueError(f"No check is called {', '.join(sorted(strangers))}.")
    for code, params in changed.items():
        if not isinstance(params, Mapping) or not set(params) <= set(known[code].params):
            raise ValueError(f"Check {code} has the parameters {', '.join(known[code].params)}, not {params!r}.")
        known[code] = replace(known[code], params={**known[code].params, **params})
    return tuple(rule for code, rule in known.items() if code not in set(off))

"""What is asked, where and in which order: one immutable, versioned value per instrument.

Everything here could be written as a document: rules are named kinds with parameters, never functions. The consumers
(checker, schema, sheet, codebook, simulation) are modules of their own; ``Protocol`` is the one place to ask them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from annotation.protocol import documents, settings, sheets, simulation
from annotation.protocol.scales import Continuous, Nominal, Ordinal, Scale, Value
from annotation.protocol.sites import CASE, SIDES, Site

if TYPE_CHECKING:
    from annotation.protocol.simulation import Draws

__all__ = [
    "CASE",
    "SIDES",
    "Cell",
    "Criterion",
    "Form",
    "Item",
    "Jump",
    "Layout",
    "Preset",
    "Protocol",
    "Reason",
    "Rule",
    "Site",
    "Unknown",
    "View",
]

_CODE = re.compile(r"[a-z][a-z0-9_]*")
# What the analysis calls a required cell nobody answered; a reader can never choose it.
NOT_ANSWERED = "not_answered"


class Unknown(LookupError):
    """Something was asked for by a code nothing has."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question.

    Parameters
    ----------
    code : str
        Stable name, also the column name in exported tables.
    scale : Scale
        What a value may be.
    form : str
        Code of the form that asks it.
    asked, short : str
        The question and its one- or two-word name on the sheet.
    sites : tuple of Site
        Where it is asked.
    combine : {"only", "max"}
        How sites become the case value: there is only one, or the highest code counts.
    criteria, read_on : str
        How to decide, and on which images; English.
    roles : tuple of str
        Series roles the item cannot be read without; ``"A|B"`` means that either will do.
    support : bool
        Recorded beside the findings; no finding of the study.
    required : bool
        Whether a reading can be submitted without it.
    segmental, sided : bool
        Whether a study may ask it at neighbouring segments, or per side.
    percent_after : tuple of str
        For a measurement: items of the same form that have to be answered before the reader is shown the value as
        a percentage of its base, so that the grade by eye and the measurement stay two findings.
    """

    code: str
    scale: Scale
    form: str
    asked: str
    short: str
    sites: tuple[Site, ...] = CASE
    combine: Literal["only", "max"] = "only"
    criteria: str = ""
    read_on: str = ""
    roles: tuple[str, ...] = ()
    support: bool = False
    required: bool = True
    segmental: bool = False
    sided: bool = False
    percent_after: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        codes = [self.code, *(site.code for site in self.sites)]
        if bad := [code for code in codes if not _CODE.fullmatch(code)]:
            raise ValueError(f"Not a code: {bad}. Codes are lower-case letters, digits and underscores.")
        _no_doubles(f"sites of item {self.code!r}", (site.code for site in self.sites))
        counting = sum(site.counts for site in self.sites)
        if counting == 0 or (self.combine == "only" and counting != 1):
            raise ValueError(f"Item {self.code!r} combines by {self.combine!r} but {counting} of its sites count.")
        if self.combine == "max" and isinstance(self.scale, Nominal) and self.scale.codes != (0, 1):
            raise ValueError(f"Item {self.code!r} takes the highest of levels that have no order.")

    def site(self, code: str) -> Site:
        """The site with this code; ``Unknown`` when there is none."""
        for site in self.sites:
            if site.code == code:
                return site
        raise Unknown(f"Item {self.code!r} is not asked at {code!r}.")


@dataclass(frozen=True, slots=True)
class Cell:
    """An item at one of its sites: what holds one answer."""

    item: Item
    site: Site

    @property
    def key(self) -> str:
        """The cell's name in an answers document, ``"<item>.<site>"``."""
        return f"{self.item.code}.{self.site.code}"

    @property
    def required(self) -> bool:
        """Whether a reading can only be submitted with an answer here."""
        return self.item.required and self.site.required

    @property
    def label(self) -> str:
        """Short name with its site, e.g. ``"Facet joints, right"``."""
        place = self.site.shown()
        return f"{self.item.short}, {place.lower()}" if place else self.item.short


@dataclass(frozen=True, slots=True)
class View:
    """One picture frame of a layout: a series by its role, where it opens and with which window.

    ``start`` is ``"middle"``, ``"index_disc"`` or ``"first"``; ``reformat`` names a plane that has to be computed
    from the slices of the series.
    """

    role: str
    start: Literal["middle", "index_disc", "first"]
    preset: str
    reformat: Literal["", "sagittal", "coronal", "axial"] = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """An arrangement of views, row by row; offered only for slices up to ``max_slice_mm`` apart where that is given."""

    code: str
    title: str
    rows: int
    columns: int
    views: tuple[View, ...]
    max_slice_mm: float | None = None


@dataclass(frozen=True, slots=True)
class Preset:
    """A grey-scale window on a digit key.

    ``"stored"`` takes the file's own window, ``"automatic"`` the 1st to 99th percentile of the whole series,
    ``"window"`` the given width and level (Hounsfield units on CT).
    """

    key: str
    title: str
    kind: Literal["stored", "window", "automatic"]
    width: float | None = None
    level: float | None = None


@dataclass(frozen=True, slots=True)
class Jump:
    """A place the images go to in one step.

    ``"lateral"`` lies ``left_mm`` from the midline towards the patient's left (negative: right), on sagittal slices;
    ``"index_disc"`` is the disc of the index segment, where the study tells it.
    """

    code: str
    title: str
    kind: Literal["lateral", "index_disc"]
    left_mm: float = 0.0


@dataclass(frozen=True, slots=True)
class Form:
    """A set of items read in one go on one modality; the first layout is the one that opens."""

    code: str
    title: str
    modality: str
    roles: tuple[str, ...]
    layouts: tuple[Layout, ...]
    presets: tuple[Preset, ...]
    linked: tuple[tuple[str, ...], ...] = ()
    jumps: tuple[Jump, ...] = ()

    def __post_init__(self) -> None:
        keys = [preset.key for preset in self.presets]
        _no_doubles(f"preset keys of form {self.code!r}", keys)
        _no_doubles(f"layouts of form {self.code!r}", (layout.code for layout in self.layouts))
        _no_doubles(f"jumps of form {self.code!r}", (jump.code for jump in self.jumps))
        for layout in self.layouts:
            if layout.rows * layout.columns != len(layout.views):
                raise ValueError(f"Layout {layout.code!r} has {len(layout.views)} views for its grid.")
            for view in layout.views:
                if view.role not in self.roles or view.preset not in keys:
                    raise ValueError(f"Layout {layout.code!r} shows {view.role!r} with preset {view.preset!r}.")
        if strangers := {role for group in self.linked for role in group} - set(self.roles):
            raise ValueError(f"Form {self.code!r} links roles it does not have: {sorted(strangers)}.")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something could not be assessed; ``note`` means that the reader has to say more in words."""

    code: str
    label: str
    note: bool = False

    def __post_init__(self) -> None:
        if self.code == NOT_ANSWERED:
            raise ValueError(f"{NOT_ANSWERED!r} is what an absent answer is called; no reader can choose it.")


@dataclass(frozen=True, slots=True)
class Criterion:
    """Why a patient is left out of the study.

    A patient with several is counted once, under the one that stands first in the protocol.

    Parameters
    ----------
    code : str
        One letter, as recorded tables have it.
    text : str
        What it says, as a paper's flow chart prints it.
    hints : tuple of str
        What the program may say for it from kept data (``no_baseline``, ``no_follow_up``, ``no_mri``, ``late_mri``,
        ``old_mri``, ``series_missing``). A hint points; a person decides.
    """

    code: str
    text: str
    hints: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (len(self.code) == 1 and self.code.isascii() and self.code.islower()):
            raise ValueError(f"Not a code of a criterion: {self.code!r}. It is one lower-case letter.")


@dataclass(frozen=True, slots=True)
class Rule:
    """A consistency check as data.

    Parameters
    ----------
    code : str
        What the check is called; at most one remark a code is ever shown.
    kind : str
        Name of the rule kind that carries it out.
    params : Mapping
        Its parameters, JSON values only.
    text : str
        Template of the sentence shown, filled by the kind.
    severity : {"warn", "info"}
        Whether the reader is asked to look again or only told.
    form : str or None
        The form it belongs to, ``None`` for every form.
    query : bool
        Whether a remark is also a question to the coordinator.
    """

    code: str
    kind: str
    params: Mapping[str, object]
    text: str
    severity: Literal["warn", "info"] = "warn"
    form: str | None = None
    query: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))


@dataclass(frozen=True)
class Protocol:
    """An instrument: everything that is asked in a study, in one version.

    Parameters
    ----------
    code : str
        Name of the instrument.
    version : int
        Raised with every change of meaning; a published version never changes.
    title : str
        Shown name.
    forms, items, rules, reasons : tuple
        What is asked and checked.
    segments : Mapping of str to Mapping of str to str
        Index-level facts: for each index level the names of the index segment and of its neighbours, by relative
        segment, e.g. ``{"L4": {"index": "L4/5", "above": "L3/4", "below": "L5/S1"}}``.
    neighbours : Mapping of str to tuple of Site
        For each value of the study setting ``segments`` the sites it adds to segmental items.
    exclusions : tuple of Criterion
        Why a patient is left out, in the order in which they count. No part of the digest: they say who is read, not
        what an answer means, and each exclusion stands in the study's trail.
    """

    code: str
    version: int
    title: str
    forms: tuple[Form, ...]
    items: tuple[Item, ...]
    rules: tuple[Rule, ...] = ()
    reasons: tuple[Reason, ...] = ()
    segments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    neighbours: Mapping[str, tuple[Site, ...]] = field(default_factory=dict)
    exclusions: tuple[Criterion, ...] = ()

    def __post_init__(self) -> None:
        for name in ("segments", "neighbours"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        _no_doubles("forms", (form.code for form in self.forms))
        _no_doubles("items", (item.code for item in self.items))
        _no_doubles("rules", (rule.code for rule in self.rules))
        _no_doubles("reasons", (reason.code for reason in self.reasons))
        _no_doubles("exclusions", (criterion.code for criterion in self.exclusions))
        for item in self.items:
            self._fits(item)
        for rule in self.rules:
            if rule.form is not None:
                self.form(rule.form)

    def __hash__(self) -> int:
        return hash((self.code, self.version))

    def _fits(self, item: Item) -> None:
        form = self.form(item.form)
        if strangers := {role for need in item.roles for role in need.split("|")} - set(form.roles):
            raise ValueError(f"Item {item.code!r} needs roles its form does not have: {sorted(strangers)}.")
        if any(self.item(code).form != item.form for code in item.percent_after):
            raise ValueError(f"Item {item.code!r} waits for an item of another form.")

    def form(self, code: str) -> Form:
        """The form with this code; ``Unknown`` when there is none."""
        for form in self.forms:
            if form.code == code:
                return form
        raise Unknown(f"Protocol {self.code!r} has no form {code!r}.")

    def item(self, code: str) -> Item:
        """The item with this code; ``Unknown`` when there is none."""
        for item in self.items:
            if item.code == code:
                return item
        raise Unknown(f"Protocol {self.code!r} has no item {code!r}.")

    def items_of(self, form: str) -> tuple[Item, ...]:
        """Items of a form in the order they are asked."""
        self.form(form)
        return tuple(item for item in self.items if item.form == form)

    def cells(self, form: str) -> tuple[Cell, ...]:
        """Cells of a form in the order they are asked."""
        return tuple(Cell(item, site) for item in self.items_of(form) for site in item.sites)

    def cell(self, key: str) -> Cell:
        """The cell with this key, ``"<item>.<site>"``; ``Unknown`` when there is none."""
        item_code, _, site_code = key.partition(".")
        item = self.item(item_code)
        return Cell(item, item.site(site_code))

    def reason(self, code: str) -> Reason:
        """The reason with this code; ``Unknown`` when there is none."""
        for reason in self.reasons:
            if reason.code == code:
                return reason
        raise Unknown(f"Protocol {self.code!r} has no reason {code!r}.")

    @property
    def index_levels(self) -> tuple[str, ...]:
        """The index levels a case may have, from the top."""
        return tuple(self.segments)

    def segment_names(self, index_level: str) -> dict[str, str]:
        """Relative segment to its name in a case, e.g. ``{"index": "L5/S1", "above": "L4/5"}``."""
        if index_level not in self.segments:
            raise Unknown(f"Protocol {self.code!r} knows no index level {index_level!r}.")
        return dict(self.segments[index_level])

    def reveals_percent(self, form: str, answers: Mapping[str, object]) -> bool:
        """Whether measured values of this form may be shown as percentages of their base.

        Parameters
        ----------
        form : str
            Form code.
        answers : Mapping
            The answers so far; "not assessable" is an answer.

        Returns
        -------
        bool
            True when every required cell of every item named by a ``percent_after`` of this form is answered.
        """
        awaited = {code for item in self.items_of(form) for code in item.percent_after}
        return all(cell.key in answers for cell in self.cells(form) if cell.required and cell.item.code in awaited)

    def keys(self, form: str) -> dict[str, dict[str, int]]:
        """Cell to digit key to code; empty for a measurement, whose value comes from its tool."""
        return {
            cell.key: {} if isinstance(cell.item.scale, Continuous) else cell.item.scale.keys()
            for cell in self.cells(form)
        }

    def exported(self, item_code: str, value: Value) -> Value | str:
        """A stored value as exported tables spell it: the level's word where it has one, else the number."""
        scale = self.item(item_code).scale
        if isinstance(scale, Nominal | Ordinal):
            level = scale.level(int(value))
            return level.code if level.export is None else level.export
        return float(value)

    def parsed(self, item_code: str, text: str) -> Value:
        """The stored value an exported spelling stands for; ``ValueError`` with a sentence for any other text."""
        return documents.parsed(self.item(item_code), text)

    def digest(self) -> str:
        """SHA-256 over what an answer means; see ``documents.digest``."""
        return documents.digest(self)

    def schema(self, form: str, *, complete: bool) -> dict[str, object]:
        """JSON Schema of a form's answers documents; see ``documents.schema``."""
        return documents.schema(self, form, complete=complete)

    def codebook(self) -> list[dict[str, object]]:
        """One row per item, site and level; see ``documents.codebook``."""
        return documents.codebook(self)

    def sheet(self, form: str, *, index_level: str | None = None) -> dict[str, object]:
        """The grading sheet as the viewer takes it; see ``sheets.sheet``."""
        return sheets.sheet(self, form, index_level=index_level)

    def with_settings(self, chosen: Mapping[str, object]) -> Protocol:
        """This protocol as a study asks it; see ``settings.apply``."""
        return settings.apply(self, chosen)

    def simulate(
        self,
        rng: Draws,
        form: str,
        *,
        truth: Mapping[str, object] | None = None,
        agreement: float = 0.8,
        unassessable: float = 0.0,
    ) -> dict[str, object]:
        """A synthetic complete answers document; see ``simulation.simulate``."""
        return simulation.simulate(self, rng, form, truth=truth, agreement=agreement, unassessable=unassessable)


def _no_doubles(what: str, codes: Iterable[str]) -> None:
    if doubles := [code for code, count in Counter(codes).items() if count > 1]:
        raise ValueError(f"Doubled {what}: {doubles}.")

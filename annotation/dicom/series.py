"""Which role a series has in a case, proposed from de-identified headers and closed-vocabulary hints.

A proposal, no more: the coordinator confirms it. Each comes with the reason it was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from annotation.dicom import geometry
from annotation.dicom.geometry import PlaneName, frame_value
from annotation.dicom.roles import ROLE_TITLES

Header = Mapping[str, Any]
Phase = Literal["pre", "post", "needle"]
Weighting = Literal["T1", "T2", "STIR", "PD", "T2star", "FLAIR", "diffusion", "unknown"]

# Limits of spin-echo weighting in milliseconds; lumbar protocols at 1.5 T and 3 T stay clear of them.
LONG_TR_MS = 1500.0
SHORT_TR_MS = 1300.0
LONG_TE_MS = 60.0
SHORT_TE_MS = 40.0
# Inversion times that null fat at 1 T to 3 T lie between these; longer ones null fluid or serve T1 contrast.
STIR_TI_MS = (80.0, 300.0)
FLAIR_TI_MS = 1500.0
# Control scans during an injection are this short; the scans before and after it are longer.
CONTROL_SLICES = 10


@dataclass(frozen=True)
class Proposal:
    """A role for a series.

    Parameters
    ----------
    role : str
        One of SAG_T2 SAG_T1 SAG_STIR AX_T2 AX_T1 COR LOC CT_PRE CT_POST CT_NEEDLE CT_SCOUT OTHER.
    phase : str or None
        CT: before contrast, after contrast, or during the intervention; ``None`` if unknown, and for MR.
    title : str
        A neutral name, of generated words only.
    reason : str
        What the proposal rests on, in one line.
    """

    role: str
    phase: Phase | None
    title: str
    reason: str


@dataclass(frozen=True)
class Clues:
    """What the headers of one series say about its role."""

    modality: str
    plane: PlaneName
    planes: int  # how many of the three body planes occur
    slices: int
    localiser: bool
    weighting: Weighting
    technique: str
    contrast: bool
    thickness_mm: float | None
    began: tuple[str, float]  # date and time, then series number: sorts series of a case in time
    hints: frozenset[str]


def clues(headers: Sequence[Header], hints: Iterable[str] = ()) -> Clues:
    """Collect what the headers of one series say.

    Parameters
    ----------
    headers : sequence of mapping
        De-identified headers (DICOM JSON model) of the instances of one series, any order, at least one.
    hints : iterable of str
        ``Taken.hints`` of its instances together.

    Raises
    ------
    ValueError
        If there is no header.
    """
    if not headers:
        raise ValueError("A series has at least one instance.")
    first = headers[0]
    names = [geometry.plane_name(plane) for header in headers for plane in geometry.planes(header)]
    plane, _ = Counter(names).most_common(1)[0]
    given = frozenset(hints)
    weighting, technique = _weighting(first, given)
    return Clues(
        modality=_one(first, "00080060") or "",
        plane=plane,
        planes=len({name for name in names if name != "unknown"}),
        slices=len(names),
        localiser="LOCALIZER" in first.get("00080008", {}).get("Value", []) or "localiser" in given,
        weighting=weighting,
        technique=technique,
        contrast=_contrast(first),
        thickness_mm=_frame(first, "00289110", "00180050"),
        began=min(_began(header) for header in headers),
        hints=given,
    )


def propose(headers: Sequence[Header], *, hints: Iterable[str] = ()) -> Proposal:
    """Propose a role for one series by itself.

    Parameters
    ----------
    headers : sequence of mapping
        De-identified headers of its instances.
    hints : iterable of str
        ``Taken.hints`` of its instances together.

    Returns
    -------
    Proposal
        ``OTHER`` where nothing decides. For CT series of a whole case `propose_case` knows more.
    """
    found = clues(headers, hints)
    return _ct(found) if found.modality == "CT" else _mr(found)


def propose_case(series: Sequence[tuple[Sequence[Header], Iterable[str]]]) -> tuple[Proposal, ...]:
    """Propose roles for all series of one case, CT series also by their place in the intervention.

    Parameters
    ----------
    series : sequence of (headers, hints)
        Any order; the time of the scans decides.

    Returns
    -------
    tuple of Proposal
        In the given order. Where no hint and no contrast attribute decides an axial CT series: the first is before
        contrast, short ones (10 slices or fewer) in between are needle controls, the last is after contrast. A single
        axial CT series is taken as the one after contrast, which is the one to be read.
    """
    found = [clues(headers, hints) for headers, hints in series]
    proposals = [_ct(one) if one.modality == "CT" else _mr(one) for one in found]
    axial = [n for n, one in enumerate(found) if _is_axial_ct(one)]
    axial.sort(key=lambda n: found[n].began)
    has = {proposals[n].role for n in axial}
    undecided = [n for n in axial if proposals[n].role == "OTHER"]
    for place, n in enumerate(undecided):
        proposals[n] = _by_order(found[n], n == axial[0], place == len(undecided) - 1, len(axial), has)
    return tuple(proposals)


def _by_order(one: Clues, first: bool, last: bool, count: int, has: set[str]) -> Proposal:
    if count == 1:
        return _ct_proposal("post", "the only axial CT series of the case")
    if first and "CT_PRE" not in has:
        return _ct_proposal("pre", "the first axial CT series of the case")
    if last and "CT_POST" not in has:
        return _ct_proposal("post", "the last axial CT series of the case")
    if one.slices <= CONTROL_SLICES:
        return _ct_proposal("needle", f"a short series ({one.slices} slices) between the first and the last")
    return Proposal("OTHER", None, _other_ct(one), "neither the first nor the last axial CT series, and not short")


def title(header: Header, hints: Iterable[str] = ()) -> str:
    """Neutral name of the series an instance belongs to: modality, plane and weighting, in generated words.

    It is written as SeriesDescription in place of the source's.
    """
    found = clues([header], hints)
    if found.modality == "CT":
        return f"CT {'scout' if found.localiser else _plane_word(found)}"
    word = "localiser" if found.localiser else found.weighting if found.weighting in ("T1", "T2", "STIR", "PD") else ""
    return " ".join(part for part in ("MR", _plane_word(found), word) if part)


def _plane_word(found: Clues) -> str:
    return "image" if found.plane == "unknown" else found.plane


def _mr(found: Clues) -> Proposal:
    name = f"{found.plane.capitalize()} {found.weighting}" if found.weighting != "unknown" else found.plane.capitalize()
    basis = f"{found.plane}, {found.technique}" if found.technique else found.plane
    if found.localiser or found.planes >= 3:
        why = "the header or its name says localiser" if found.localiser else "slices in three planes"
        return Proposal("LOC", None, ROLE_TITLES["LOC"], why)
    if found.plane == "coronal":
        return Proposal("COR", None, ROLE_TITLES["COR"], basis)
    prefix = {"sagittal": "SAG", "axial": "AX"}.get(found.plane)
    if prefix is None:
        return Proposal("OTHER", None, name, "the plane of the series is oblique or unknown")
    suffix = found.weighting
    if found.weighting == "T2" and prefix == "SAG" and "fatsat" in found.hints:
        suffix, basis = "STIR", f"{basis}, fat suppressed"
    role = f"{prefix}_{suffix}"
    if role in ROLE_TITLES:
        return Proposal(role, None, ROLE_TITLES[role], basis)
    return Proposal("OTHER", None, name, f"{basis}: no role of a lumbar protocol")


def _weighting(header: Header, hints: frozenset[str]) -> tuple[Weighting, str]:
    """Weighting of an MR series, and the parameters that say so."""
    te = _frame(header, "00189114", "00189082", "00180081")
    tr = _frame(header, "00189112", "00180080")
    ti = _frame(header, "00189115", "00189079", "00180082")
    stated = str((frame_value(header, 1, "00189226", "00089209") or [""])[0])
    told = ", ".join(f"{n} {v:g} ms" for n, v in (("TR", tr), ("TE", te), ("TI", ti)) if v)
    found = _by_inversion(header, hints, stated, ti, te)
    if found is None and "GR" not in header.get("00180020", {}).get("Value", []):
        found = _by_spin_echo(tr, te)
    if found is None:
        found = _by_words(hints, stated)
    return found, told


def _by_inversion(
    header: Header, hints: frozenset[str], stated: str, ti: float | None, te: float | None
) -> Weighting | None:
    if "dwi" in hints or stated == "DIFFUSION" or header.get("00189087"):
        return "diffusion"
    inverted = "IR" in header.get("00180020", {}).get("Value", []) or "IR" in header.get("00180022", {}).get(
        "Value", []
    )
    inverted = inverted or frame_value(header, 1, "00189115", "00189009") == ["YES"]
    if "stir" in hints or stated == "STIR":
        return "STIR"
    if (te or 0) >= LONG_TE_MS and ("flair" in hints or (ti or 0) >= FLAIR_TI_MS):
        return "FLAIR"
    if ti and (inverted or "GR" not in header.get("00180020", {}).get("Value", [])):
        return "STIR" if STIR_TI_MS[0] <= ti <= STIR_TI_MS[1] else None
    return None


def _by_spin_echo(tr: float | None, te: float | None) -> Weighting | None:
    if not tr or te is None:
        return None
    if tr >= LONG_TR_MS:
        return "T2" if te >= LONG_TE_MS else "PD"
    return "T1" if tr <= SHORT_TR_MS and te <= SHORT_TE_MS else None


def _by_words(hints: frozenset[str], stated: str) -> Weighting:
    by_code: dict[str, Weighting] = {
        "T1": "T1", "T2": "T2", "T2_STAR": "T2star", "PROTON_DENSITY": "PD", "FLUID_ATTENUATED": "FLAIR",
    }  # fmt: skip
    if stated in by_code:
        return by_code[stated]
    by_hint: dict[str, Weighting] = {"t1": "T1", "t2star": "T2star", "t2": "T2", "pd": "PD", "flair": "FLAIR"}
    named = [weighting for hint, weighting in by_hint.items() if hint in hints]
    return named[0] if len(named) == 1 else "unknown"


def _is_axial_ct(found: Clues) -> bool:
    return found.modality == "CT" and found.plane in ("axial", "oblique", "unknown") and not found.localiser


def _ct(found: Clues) -> Proposal:
    if found.localiser:
        return Proposal("CT_SCOUT", None, ROLE_TITLES["CT_SCOUT"], "the header or its name says localiser")
    if found.plane in ("sagittal", "coronal"):
        if found.slices <= 2:
            return Proposal("CT_SCOUT", None, ROLE_TITLES["CT_SCOUT"], f"{found.slices} {found.plane} image(s)")
        return Proposal("OTHER", None, _other_ct(found), f"{found.plane} reformat")
    for phase in ("pre", "post", "needle"):
        if phase in found.hints:
            return _ct_proposal(phase, f"the name of the series suggests: {phase}")
    if found.contrast:
        return _ct_proposal("post", "a contrast agent is named in the header")
    return Proposal("OTHER", None, _other_ct(found), "nothing in the header tells the phase")


def _ct_proposal(phase: str, reason: str) -> Proposal:
    known: dict[str, Phase] = {"pre": "pre", "post": "post", "needle": "needle"}
    role = f"CT_{phase.upper()}"
    return Proposal(role, known[phase], ROLE_TITLES[role], reason)


def _other_ct(found: Clues) -> str:
    return f"CT {_plane_word(found)}"


def _contrast(header: Header) -> bool:
    return bool(header.get("00180010", {}).get("Value")) or (
        frame_value(header, 1, "00189341", "00189342") == ["YES"]
        and frame_value(header, 1, "00189341", "00189344") != ["PRE_CONTRAST"]
    )


def _began(header: Header) -> tuple[str, float]:
    when = str(_one(header, "0008002A") or "")
    if not when:
        when = f"{_one(header, '00080022') or _one(header, '00080021') or ''}"
        when += f"{_one(header, '00080032') or _one(header, '00080031') or ''}"
    return when, geometry.number(header, "00200011") or 0.0


def _one(header: Header, tag: str) -> Any:
    values = header.get(tag, {}).get("Value", [])
    return values[0] if values else None


def _frame(header: Header, group: str, *tags: str) -> float | None:
    """First number found for the first frame under one of several tags."""
    for tag in tags:
        values = frame_value(header, 1, group, tag)
        if values and isinstance(values[0], int | float):
            return float(values[0])
    return None

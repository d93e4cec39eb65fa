"""How two makers' scanners name and write things; invented, after the habits of real ones."""

from __future__ import annotations

from .session import BANDWIDTH_HZ, PhantomSeries

REMARK = "SYNTHETIC PHANTOM - computed picture, no person"

_DESCRIPTIONS = {
    "north": {
        "LOC": "localizer_3plane", "SAG_T1": "t1_tse_sag", "SAG_T2": "t2_tse_sag", "SAG_STIR": "t2_tirm_sag_fs",
        "AX_T2": "t2_tse_tra L3-S1", "CT_SCOUT": "Topogramm lateral", "CT_PRE": "LWS nativ {mm:.1f} B60s",
        "CT_NEEDLE": "LWS Nadel {side}", "CT_POST": "LWS nach KM li/re {mm:.1f} B60s",
    },
    "south": {
        "LOC": "Survey_3-pl", "SAG_T1": "sT1W_TSE SAG", "SAG_T2": "T2W_TSE_sag", "SAG_STIR": "STIR_longTE SAG",
        "AX_T2": "T2W_TSE ax discs", "CT_SCOUT": "Surview LAT", "CT_PRE": "L-spine plan, before contrast",
        "CT_NEEDLE": "L-spine step {side}", "CT_POST": "Control post contrast both sides",
    },
}  # fmt: skip
_SIDES = {"north": {-1: "re", 1: "li"}, "south": {-1: "R", 1: "L"}}
ORDER = ("LOC", "SAG_T2", "SAG_T1", "SAG_STIR", "AX_T2", "CT_SCOUT", "CT_PRE", "CT_NEEDLE", "CT_POST")
"""The order of the clock."""

# TE, TR, TI (ms), echo train, sequence
TIMING: dict[str, tuple[float, float, float | None, int, str | list[str]]] = {
    "LOC": (82.0, 1500.0, None, 90, "SE"),
    "SAG_T1": (9.6, 620.0, None, 3, "SE"),
    "SAG_T2": (98.0, 3600.0, None, 17, "SE"),
    "SAG_STIR": (56.0, 4300.0, 220.0, 15, ["SE", "IR"]),
    "AX_T2": (104.0, 4100.0, None, 19, "SE"),
}
SHORT_TI_MS = 160.0
"""What nulls fat at 1.5 T."""

_MAKER = {
    ("MR", "north", 1.5): ("Spondy Phantom North", "Aurora 15", "N MR E11"),
    ("MR", "north", 3.0): ("Spondy Phantom North", "Aurora 30", "N MR E11"),
    ("MR", "south", 1.5): ("Spondy Phantom South", "Delta 1.5T", "5.4.1"),
    ("MR", "south", 3.0): ("Spondy Phantom South", "Delta 3.0T", "5.7.1"),
    ("CT", "north", 0.0): ("Spondy Phantom North", "Corona 128", "N CT VA48A"),
    ("CT", "south", 0.0): ("Spondy Phantom South", "Crux 64", "4.1.3"),
}


def described(vendor: str, series: PhantomSeries) -> str:
    """What the technologist's protocol calls a series."""
    side = _SIDES[vendor].get(series.side, "")
    return _DESCRIPTIONS[vendor][series.role].format(mm=series.thickness_mm, side=side)


def equipment(modality: str, vendor: str, field_strength_t: float) -> tuple[str, str, str]:
    """Maker, model and software version."""
    return _MAKER[modality, vendor, field_strength_t if modality == "MR" else 0.0]


def writes_enhanced(modality: str, vendor: str, field_strength_t: float) -> bool:
    """One maker's newer software writes one multi-frame file a series in place of one file a slice."""
    return (modality, vendor, field_strength_t) == ("MR", "south", 3.0)


def echo_ms(vendor: str, role: str) -> float:
    te = TIMING[role][0]
    return te if vendor == "north" else te * 1.03


def inversion_ms(role: str, field_strength_t: float) -> float | None:
    ti = TIMING[role][2]
    return ti if ti is None or field_strength_t > 2 else SHORT_TI_MS


def bandwidth_hz(field_strength_t: float) -> int:
    return BANDWIDTH_HZ[field_strength_t]

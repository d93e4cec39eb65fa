"""Grey values of the tissues: relative signal on T1, T2 and STIR (CSF on T2 = 1) and Hounsfield units.

Order of magnitude as on routine 1.5 T lumbar protocols; professional knowledge, not measured.
"""

from __future__ import annotations

from collections.abc import Mapping

Tissue = Mapping[str, float]


def _tissue(t1: float, t2: float, stir: float, hu: float) -> Tissue:
    return {"T1": t1, "T2": t2, "STIR": stir, "HU": hu}


def shaded(tissue: Tissue, factor: float) -> Tissue:
    """Return a tissue so many times as bright on MR; its density on CT stays."""
    return {key: value if key == "HU" else value * factor for key, value in tissue.items()}


AIR = _tissue(0.0, 0.0, 0.0, -1000)
SKIN = _tissue(0.38, 0.20, 0.16, 30)
FAT = _tissue(0.98, 0.62, 0.06, -105)
EPIDURAL_FAT = _tissue(0.92, 0.58, 0.06, -85)
MUSCLE = _tissue(0.30, 0.16, 0.18, 60)
FASCIA = _tissue(0.10, 0.07, 0.06, 70)
BOWEL = _tissue(0.34, 0.38, 0.42, 30)
ORGAN = _tissue(0.40, 0.30, 0.34, 45)
VESSEL = _tissue(0.07, 0.05, 0.07, 45)
VESSEL_WALL = _tissue(0.25, 0.20, 0.16, 60)
MARROW = _tissue(0.50, 0.40, 0.13, 190)
MARROW_FAT = _tissue(0.86, 0.56, 0.05, 60)
CORTEX = _tissue(0.04, 0.03, 0.03, 1000)
ENDPLATE = _tissue(0.05, 0.04, 0.04, 620)
SCLEROSIS = _tissue(0.14, 0.11, 0.08, 1050)
CSF = _tissue(0.13, 1.0, 0.97, 12)
CORD = _tissue(0.38, 0.46, 0.38, 38)
ROOT = _tissue(0.34, 0.28, 0.30, 38)
GANGLION = _tissue(0.48, 0.46, 0.36, 42)
SCAR = _tissue(0.19, 0.12, 0.12, 85)
ANNULUS = _tissue(0.24, 0.10, 0.09, 95)
LIGAMENT = _tissue(0.09, 0.07, 0.06, 80)
FLAVUM = _tissue(0.20, 0.11, 0.12, 75)
CARTILAGE = _tissue(0.32, 0.46, 0.40, 85)
GAP = _tissue(0.27, 0.26, 0.24, 75)
FLUID = _tissue(0.14, 0.98, 0.95, 12)
BONE_OEDEMA = _tissue(0.20, 0.62, 0.80, 220)
SOFT_OEDEMA = _tissue(0.27, 0.62, 0.78, 35)
MODIC_ONE = _tissue(0.19, 0.72, 0.82, 230)
MODIC: Mapping[str, Tissue] = {
    "modic_2": _tissue(0.92, 0.62, 0.06, 150),
    "modic_3": _tissue(0.12, 0.10, 0.07, 520),
}
HAEMANGIOMA = _tissue(0.88, 0.80, 0.20, 90)
TRABECULA = _tissue(0.16, 0.14, 0.08, 480)
VEIN = _tissue(0.30, 0.72, 0.52, 60)
CONTRAST = _tissue(0.0, 0.0, 0.0, 3100)
# steel is far denser than the scale: even a slice that it fills by a third is white
NEEDLE = _tissue(0.0, 0.0, 0.0, 9000)
TABLE = _tissue(0.0, 0.0, 0.0, -350)

# disc nucleus by Pfirrmann grade (Spine 2001;26:1873, table): signal of the nucleus against CSF on the same image
NUCLEUS: Mapping[int, Tissue] = {
    1: _tissue(0.30, 0.92, 0.90, 80),
    2: _tissue(0.30, 0.78, 0.74, 80),
    3: _tissue(0.30, 0.44, 0.40, 85),
    4: _tissue(0.28, 0.22, 0.19, 90),
    5: _tissue(0.25, 0.09, 0.08, 95),
}

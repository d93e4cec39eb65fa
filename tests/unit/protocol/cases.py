"""What the protocol tests share: the instruments they run over and one good reading of each form."""

from __future__ import annotations

from annotation.protocol import Protocol, catalogue
from tests.tiny_instrument import TINY

SPINE = catalogue.get("spondylolysis", 1)
WIDE = SPINE.with_settings({"segments": "adjacent", "sides": "both"})

FORMS: list[tuple[Protocol, str]] = [(SPINE, "ct"), (SPINE, "mr"), (WIDE, "mr"), (TINY, "one")]
FORM_NAMES = ["spine-ct", "spine-mr", "spine-wide-mr", "tiny-one"]

CT_ANSWERS: dict[str, object] = {
    "contrast_pattern.right": 2,
    "contrast_pattern.left": {"not_assessable": "artefact"},
    "quality_ct.case": 2,
}
MR_ANSWERS: dict[str, object] = {
    "segment_degeneration.case": 0,
    "pfirrmann.case": 4,
    "modic_type1.case": 0,
    "weishaupt.case": 1,
    "bartynski.case": 0,
    "lee.case": 1,
    "slip_mm.case": 8.2,
    "meyerding.case": 1,
    "isthmic_bme.case": 1,
    "soft_tissue_edema_cyst.edema": 1,
    "soft_tissue_edema_cyst.cyst": 0,
    "quality_mr.case": 2,
}

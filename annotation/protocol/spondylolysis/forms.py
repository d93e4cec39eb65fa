"""How the images hang: the two forms with their layouts, windows and linked series."""

from __future__ import annotations

from annotation.protocol.instrument import Form, Layout, Preset, View

STORED = Preset("1", "As stored", "stored")
BONE = Preset("2", "CT bone", "window", 2000, 500)
SOFT = Preset("3", "CT soft tissue", "window", 400, 40)
# Undiluted contrast and needles saturate the CT scale near 3000 HU, cortical bone ends near 1800 HU.
VERY_WIDE = Preset("4", "CT contrast and needle", "window", 3500, 1000)
AUTOMATIC = Preset("5", "MR automatic", "automatic")

BEFORE = View("CT_PRE", "middle", BONE.key)
AFTER = View("CT_POST", "middle", BONE.key)
AFTER_SOFT = View("CT_POST", "middle", SOFT.key)

CT = Form(
    "ct",
    "CT form",
    modality="CT",
    roles=("CT_PRE", "CT_POST", "CT_NEEDLE", "CT_SCOUT", "OTHER"),
    layouts=(
        Layout("before_after", "Before | after", 1, 2, (BEFORE, AFTER)),
        Layout("bone_soft", "After: bone | soft tissue", 1, 2, (AFTER, AFTER_SOFT)),
        Layout("single", "After, full size", 1, 1, (AFTER,)),
        Layout("scout", "After | scout", 1, 2, (AFTER, View("CT_SCOUT", "first", STORED.key))),
        Layout(
            "sagittal",
            "After: bone | soft tissue | sagittal",
            1,
            3,
            (AFTER, AFTER_SOFT, View("CT_POST", "middle", BONE.key, reformat="sagittal")),
            max_slice_mm=2.0,
        ),
    ),
    presets=(STORED, BONE, SOFT, VERY_WIDE),
    linked=(("CT_PRE", "CT_POST", "CT_NEEDLE"),),
)

T2 = View("SAG_T2", "middle", STORED.key)
T1 = View("SAG_T1", "middle", STORED.key)
STIR = View("SAG_STIR", "middle", STORED.key)
AXIAL = View("AX_T2", "index_disc", STORED.key)

MR = Form(
    "mr",
    "MRI form",
    modality="MR",
    roles=("SAG_T2", "SAG_T1", "SAG_STIR", "AX_T2", "AX_T1", "COR", "LOC", "OTHER"),
    layouts=(
        Layout("2x2", "2 x 2", 2, 2, (T2, T1, STIR, AXIAL)),
        Layout("slip", "Sagittal, full size", 1, 1, (T2,)),
    ),
    presets=(STORED, AUTOMATIC),
    linked=(("SAG_T2", "SAG_T1", "SAG_STIR"),),
)

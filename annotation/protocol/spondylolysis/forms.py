"""How the images hang: the two forms with their layouts, windows and linked series."""

from __future__ import annotations

from annotation.protocol.instrument import Form, Jump, Layout, Preset, View

STORED = Preset("1", "As stored", "stored")
BONE = Preset("2", "CT bone", "window", 2000, 500)
SOFT = Preset("3", "CT soft tissue", "window", 400, 40)
# Undiluted contrast and needles saturate the CT scale near 3000 HU, cortical bone ends near 1800 HU.
VERY_WIDE = Preset("4", "CT contrast and needle", "window", 3500, 1000)
AUTOMATIC = Preset("5", "MR automatic", "automatic")

# The isthmus and the foramen in front of it lie about this far from the midline at L3 to L5 (half the distance between
# the pedicles' middles); with sagittal slices some 4 mm apart the slice beside is one step of the wheel away.
PARS_MM = 20.0
JUMPS = (
    Jump("midline", "Midline", "lateral"),
    Jump("right_pars", "Right pars and foramen", "lateral", -PARS_MM),
    Jump("left_pars", "Left pars and foramen", "lateral", PARS_MM),
    Jump("index_disc", "Index disc", "index_disc"),
)

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
        Layout(
            "mpr",
            "After: axial | sagittal | coronal",
            2,
            2,
            (
                AFTER,
                View("CT_POST", "middle", BONE.key, reformat="sagittal"),
                AFTER_SOFT,
                View("CT_POST", "middle", BONE.key, reformat="coronal"),
            ),
            max_slice_mm=2.0,
        ),
    ),
    presets=(STORED, BONE, SOFT, VERY_WIDE),
    linked=(("CT_PRE", "CT_POST", "CT_NEEDLE"),),
    jumps=JUMPS,
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
    linked=(("SAG_T2", "SAG_T1", "SAG_STIR"), ("AX_T2", "AX_T1")),
    jumps=JUMPS,
)

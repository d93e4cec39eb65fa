"""What is asked: the eleven findings and the support fields."""

from __future__ import annotations

from annotation.protocol.instrument import Item
from annotation.protocol.sites import SIDES, Site
from annotation.protocol.spondylolysis import scales

FINDINGS = (
    Item(
        "contrast_pattern",
        scales.CONTRAST,
        form="ct",
        asked="Contrast distribution at the defect",
        short="Contrast",
        sites=SIDES,
        combine="max",
        criteria="Compare the control scan after the contrast injection with the scan before it and grade each side. "
        "The deeper side becomes the case value by itself. Sclerotic bone margins and needle metal look as white as "
        "contrast; thick slices blur the border. Filling of the facet joint beside the defect goes into the comment.",
        read_on="CT of the injection, axial, after contrast beside before contrast",
        roles=("CT_POST",),
    ),
    Item(
        "segment_degeneration",
        scales.EXTENT,
        form="mr",
        asked="Degeneration of one or of several lumbar segments",
        short="Extent",
        criteria="Look at all lumbar segments. Choose uni-segmental only when it is excluded that more than one "
        "segment shows marrow oedema, a disc above grade III, or facet joints above grade 1. Oedema at the lysis "
        "itself does not count here.",
        read_on="All MRI series, all lumbar segments",
        roles=("SAG_T2",),
    ),
    Item(
        "pfirrmann",
        scales.PFIRRMANN,
        form="mr",
        asked="Disc degeneration at the index segment",
        short="Disc",
        criteria="Even and bright: I. Otherwise, border of nucleus and annulus clear: II; blurred but there: III; lost "
        "and the disc not collapsed: IV; collapsed: V. Judge the signal against CSF on the same image, so that the "
        "window does not become the grade.",
        read_on="Sagittal T2, slices near the midline",
        roles=("SAG_T2",),
        segmental=True,
    ),
    Item(
        "modic_type1",
        scales.MODIC,
        form="mr",
        asked="Endplate changes of Modic type I at the index segment",
        short="Modic I",
        criteria="Needs both T1 and T2. Not to be taken for it: a Schmorl node, a haemangioma, an infection.",
        read_on="Sagittal T1 and T2, STIR in support",
        roles=("SAG_T1", "SAG_T2"),
        segmental=True,
    ),
    Item(
        "weishaupt",
        scales.WEISHAUPT,
        form="mr",
        asked="Facet joint degeneration at the index segment",
        short="Facet joints",
        combine="max",
        criteria="The highest criterion that is met decides, on the worse side.",
        read_on="Axial T2 with sagittal T1 and T2",
        roles=("AX_T2",),
        segmental=True,
        sided=True,
    ),
    Item(
        "bartynski",
        scales.BARTYNSKI,
        form="mr",
        asked="Stenosis of the lateral recess at the index segment",
        short="Lateral recess",
        combine="max",
        criteria="Look at the traversing root (S1 at L5/S1), on the worse side.",
        read_on="Axial T2 at the level of the disc",
        roles=("AX_T2",),
        segmental=True,
        sided=True,
    ),
    Item(
        "lee",
        scales.LEE,
        form="mr",
        asked="Stenosis of the foramen at the index segment",
        short="Foramen",
        combine="max",
        criteria="Look at the exiting root (L5 at L5/S1), on the worse side. A slip stretches the foramen from front "
        "to back and flattens it; the fat around the root and the root's shape decide, not the outline of the foramen.",
        read_on="Parasagittal slices through the foramen, T1 first, then T2",
        roles=("SAG_T1",),
        segmental=True,
        sided=True,
    ),
    Item(
        "slip_mm",
        scales.SLIP,
        form="mr",
        asked="Slip of the lytic vertebra",
        short="Slip",
        criteria="Set three points on the slice nearest the midline: the upper back corner and the upper front corner "
        "of the vertebra below, then the lower back corner of the slipped vertebra. The slip is measured along the "
        "endplate, forwards positive. With a rounded sacral dome put the first two points on the flat part, extended "
        "to the back and the front wall. No slip is 0.0.",
        read_on="Sagittal T2 at the midline, or T1 where the edges are clearer",
        roles=("SAG_T2|SAG_T1",),
        percent_after=("meyerding",),
    ),
    Item(
        "meyerding",
        scales.MEYERDING,
        form="mr",
        asked="Grade of the slip, by eye",
        short="Slip grade",
        criteria="How far the lower back corner of the slipped vertebra has moved along the upper endplate of the "
        "vertebra below. An exact quarter belongs to the lower grade. Grade by eye; nothing is filled from the "
        "measurement.",
        read_on="Sagittal T2 at the midline, or T1 where the edges are clearer",
        roles=("SAG_T2|SAG_T1",),
    ),
    Item(
        "isthmic_bme",
        scales.ISTHMIC_OEDEMA,
        form="mr",
        asked="Bone marrow oedema at the isthmus",
        short="Isthmic oedema",
        combine="max",
        criteria="Look at the marrow that borders the defect: pars, adjoining pedicle, lamina and articular process, "
        "on both sides. It should be clear on at least one slice, better on two.",
        read_on="Sagittal STIR with T1, axial series in support",
        roles=("SAG_STIR", "SAG_T1"),
        sided=True,
    ),
    Item(
        "soft_tissue_edema_cyst",
        scales.SOFT_TISSUE,
        form="mr",
        asked="Soft tissue oedema or synovial cyst around the defect",
        short="Soft tissue",
        sites=(Site("edema", "Oedema"), Site("cyst", "Cyst")),
        combine="max",
        criteria="Oedema: ill-defined bright signal in muscle, fat or ligament next to the defect. Cyst: sharply "
        "outlined round or oval structure, bright like fluid, next to the defect or its facet joint. Either makes the "
        "finding. Not meant: vessels, fatty or swollen muscle away from the defect, oedema under the skin from lying.",
        read_on="STIR or T2, sagittal and axial",
        roles=("SAG_STIR|SAG_T2",),
        sided=True,
    ),
)

SUPPORT = (
    Item(
        "segment_oedema",
        scales.MARROW_OEDEMA,
        form="mr",
        asked="Other vertebral marrow oedema at the index segment",
        short="Other oedema",
        criteria="Any vertebral marrow oedema that is not at the lysis itself. It supports the judgement of the "
        "extent of degeneration.",
        read_on="Sagittal STIR with T1",
        roles=("SAG_STIR",),
        support=True,
        required=False,
        segmental=True,
    ),
    Item(
        "level_seen",
        scales.VERTEBRA,
        form="mr",
        asked="Lytic vertebra as you see it, if it is not the one given",
        short="Level",
        criteria="Leave open when you agree with the level that is shown.",
        read_on="All MRI series",
        support=True,
        required=False,
    ),
    Item(
        "quality_ct",
        scales.QUALITY,
        form="ct",
        asked="Image quality of the CT",
        short="Quality",
        read_on="CT of the injection",
        support=True,
    ),
    Item(
        "quality_mr",
        scales.QUALITY,
        form="mr",
        asked="Image quality of the MRI",
        short="Quality",
        read_on="All MRI series",
        support=True,
    ),
    Item(
        "confidence_ct",
        scales.CONFIDENCE,
        form="ct",
        asked="Confidence in the CT answers as a whole",
        short="Confidence",
        support=True,
        required=False,
    ),
    Item(
        "confidence_mr",
        scales.CONFIDENCE,
        form="mr",
        asked="Confidence in the MRI answers as a whole",
        short="Confidence",
        support=True,
        required=False,
    ),
)

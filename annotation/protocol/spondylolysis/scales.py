"""The scales of the study, with the criteria of each level in our own words.

Sources are named at each scale; where the study itself defines a finding, that is said.
"""

from __future__ import annotations

from annotation.protocol.scales import Continuous, Level, Nominal, Ordinal

STUDY = "Kajdi 2025, Eur Radiol, doi 10.1007/s00330-025-11903-8"

CONTRAST = Ordinal(
    "Contrast distribution",
    (
        Level(
            1,
            "Peri-defect",
            "Contrast lies in the soft tissue that touches the defect; none between the bone edges.",
            "peri",
        ),
        Level(
            2,
            "Intra-defect",
            "Contrast enters the gap between the bone edges but does not leave it towards the spinal canal.",
            "intra",
        ),
        Level(
            3,
            "Trans-defect",
            "Contrast passes through the gap and reaches the epidural space.",
            "trans",
        ),
    ),
    f"{STUDY}, Fig. 1",
)

EXTENT = Nominal(
    "Extent of degeneration",
    (
        Level(
            0,
            "Uni-segmental",
            "No more than one lumbar segment shows marrow oedema, a disc of grade IV or V, or facet joints of grade 2 "
            "or 3.",
            "uni",
        ),
        Level(
            1,
            "Multi-segmental",
            "Two or more lumbar segments show marrow oedema, a disc of grade IV or V, or facet joints of grade 2 or 3.",
            "multi",
        ),
    ),
    STUDY,
)

PFIRRMANN = Ordinal(
    "Pfirrmann",
    (
        Level(
            1,
            "I",
            "Even, bright white disc. Nucleus and annulus clearly apart. Signal as bright as CSF. Normal height.",
        ),
        Level(
            2,
            "II",
            "Uneven bright disc, with or without a dark horizontal band. Nucleus and annulus clearly apart. Signal as "
            "bright as CSF. Normal height.",
        ),
        Level(
            3,
            "III",
            "Uneven grey disc. Border of nucleus and annulus blurred but still there. Intermediate signal. Height "
            "normal or slightly low.",
        ),
        Level(
            4,
            "IV",
            "Uneven grey to black disc. Border of nucleus and annulus lost. Intermediate to dark signal. Height normal "
            "or moderately low.",
        ),
        Level(
            5,
            "V",
            "Uneven black disc. Border of nucleus and annulus lost. Dark signal. Disc space collapsed.",
        ),
    ),
    "Pfirrmann 2001, Spine 26:1873-8",
)

MODIC = Nominal(
    "Modic type I",
    (
        Level(
            0,
            "No",
            "Normal endplate marrow, or only type II (bright on T1, normal to bright on T2) or type III (dark on "
            "both).",
        ),
        Level(
            1,
            "Yes",
            "Marrow next to an endplate of the segment is dark on T1 and bright on T2; bright signal on STIR supports "
            "it. Mixed types I and II count as yes.",
        ),
    ),
    "Modic 1988, Radiology 166:193-9",
)

WEISHAUPT = Ordinal(
    "Weishaupt",
    (
        Level(0, "0", "Normal joint space of 2-4 mm and normal bone."),
        Level(
            1,
            "1",
            "Joint space narrowed below 2 mm, or small osteophytes, or mild enlargement of the articular process.",
        ),
        Level(
            2,
            "2",
            "Moderate osteophytes, or moderate enlargement of the articular process, or mild erosions under the "
            "cartilage; the joint space may be narrowed.",
        ),
        Level(
            3,
            "3",
            "Large osteophytes, or severe enlargement of the articular process, or severe erosions or cysts under the "
            "cartilage; the joint space may be narrowed.",
        ),
    ),
    "Weishaupt 1999, Skeletal Radiol 28:215-9",
)

BARTYNSKI = Ordinal(
    "Bartynski",
    (
        Level(0, "0", "Normal lateral recess."),
        Level(
            1,
            "1",
            "Recess or corner of the canal smaller; the root is visible and neither flattened, widened nor displaced.",
        ),
        Level(
            2,
            "2",
            "Recess narrowed and the root judged compressed (flattened, widened or pushed medially), but some CSF or "
            "space is left in the recess.",
        ),
        Level(3, "3", "Root compressed with no CSF or space left in the recess; the root may be invisible."),
    ),
    "Bartynski 2003, AJNR 24:348-60",
)

LEE = Ordinal(
    "Lee",
    (
        Level(0, "0", "Fat all around the root."),
        Level(
            1,
            "1",
            "Mild: fat lost on two opposite sides (above and below, or front and back); the root keeps its shape.",
        ),
        Level(2, "2", "Moderate: fat lost on all four sides; the root keeps its shape."),
        Level(3, "3", "Severe: the root is collapsed or changed in shape."),
    ),
    "Lee 2010, AJR 194:1095-8",
)

SLIP = Continuous(
    "Slip",
    "mm",
    low=-20.0,
    high=60.0,
    decimals=1,
    source="Three-point construction on the upper endplate of the vertebra below; the study names none",
    evidence="three_points",
)

MEYERDING = Ordinal(
    "Meyerding",
    (
        Level(0, "0", "No slip."),
        Level(1, "I", "Slip of up to 25 % of the upper endplate of the vertebra below."),
        Level(2, "II", "Slip of more than 25 % and up to 50 %."),
        Level(3, "III", "Slip of more than 50 % and up to 75 %."),
        Level(4, "IV", "Slip of more than 75 % and up to 100 %."),
        Level(5, "V", "Spondyloptosis: slip of more than the whole endplate."),
    ),
    "Meyerding 1932, Surg Gynecol Obstet 54:371-7; grade V added later",
)

ISTHMIC_OEDEMA = Nominal(
    "Isthmic bone marrow oedema",
    (
        Level(
            0,
            "No",
            "Normal marrow, fat (bright on T1, dark on STIR), sclerosis (dark on all), or fluid inside the gap only.",
        ),
        Level(
            1,
            "Yes",
            "Marrow bordering the defect is brighter than normal marrow on STIR or fat-suppressed T2 on at least one "
            "side, with low or intermediate signal on T1. Small amounts count.",
        ),
    ),
    STUDY,
)

SOFT_TISSUE = Nominal(
    "Soft tissue oedema or synovial cyst",
    (
        Level(0, "No", "Not seen next to the defect."),
        Level(1, "Yes", "Seen next to the defect or, for a cyst, its facet joint."),
    ),
    STUDY,
)

MARROW_OEDEMA = Nominal(
    "Other marrow oedema",
    (
        Level(0, "No", "No vertebral marrow oedema at this segment besides that at the lysis itself."),
        Level(1, "Yes", "Vertebral marrow oedema at this segment; oedema at the lysis itself does not count."),
    ),
    STUDY,
)

QUALITY = Ordinal(
    "Image quality",
    (
        Level(0, "Insufficient", "The findings cannot be graded on these images."),
        Level(1, "Limited", "The findings can be graded with reservations."),
        Level(2, "Good", "Nothing stands in the way of grading."),
    ),
    "Set by this protocol",
)

CONFIDENCE = Ordinal(
    "Confidence",
    (
        Level(1, "Very low"),
        Level(2, "Low"),
        Level(3, "Medium"),
        Level(4, "High"),
        Level(5, "Very high"),
    ),
    "Set by this protocol",
)

VERTEBRA = Nominal(
    "Lytic vertebra",
    tuple(Level(number, f"L{number}") for number in range(1, 7)),
    "Set by this protocol; L6 where a transitional vertebra is counted as lumbar",
)

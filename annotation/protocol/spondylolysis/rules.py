"""The consistency checks C1 to C10 and their thresholds.

Not linked, on purpose: isthmic with soft tissue oedema, foramen with slip, disc with endplate. They are independent
findings, and a warning would steer the reader.
"""

from __future__ import annotations

from annotation.protocol.instrument import Rule

FEATURES = (
    {"item": "modic_type1", "at_least": 1},
    {"item": "segment_oedema", "at_least": 1},
    {"item": "pfirrmann", "at_least": 4},
    {"item": "weishaupt", "at_least": 2},
)

RULES = (
    Rule(
        "C1",
        "outside_band",
        {
            "measure": "slip_mm",
            "grade": "meyerding",
            "bands": {"0": [None, 0], "1": [0, 25], "2": [25, 50], "3": [50, 75], "4": [75, 100], "5": [100, None]},
            "tolerance": 3.0,
        },
        "Measured {percent}; grade {label} covers {band}.",
        form="mr",
    ),
    Rule(
        "C2",
        "zero_conflict",
        {"measure": "slip_mm", "grade": "meyerding", "at_least": 2.0},
        "Grade {label}, but a slip of {value}.",
        form="mr",
    ),
    Rule(
        "C3",
        "segments_differ",
        {
            "verdict": "segment_degeneration",
            "negative": 0,
            "positive": 1,
            "count": 2,
            "same_feature": False,
            "features": FEATURES,
        },
        "Judged {label}; segments affected by your other answers: {segments}.",
        form="mr",
    ),
    Rule(
        "C3_neighbour",
        "lone_neighbour",
        {"verdict": "segment_degeneration", "features": FEATURES},
        "Only {segment} is affected by your answers, not the index segment {index}.",
        severity="info",
        form="mr",
    ),
    Rule(
        "C4",
        "neighbours_open",
        {"verdict": "segment_degeneration", "negative": 0, "items": ("pfirrmann", "modic_type1", "weishaupt")},
        "Judged {label}; not graded: {segments}.",
        severity="info",
        form="mr",
    ),
    Rule(
        "C5",
        "wrong_place",
        {"measure": "slip_mm", "planes": ("sagittal",), "off_midline_mm": 10.0},
        "Slip measured {where}.",
        form="mr",
    ),
    Rule(
        "C6",
        "implausible",
        {"measure": "slip_mm", "base_name": "endplate", "base_low": 20.0, "base_high": 55.0, "value_high": 40.0},
        "Check the points: {found}.",
        form="mr",
    ),
    Rule(
        "C7",
        "at_most",
        {"measure": "slip_mm", "at_most": -2.0},
        "The slip is {value}, so backwards; that is unusual with lysis.",
        severity="info",
        form="mr",
    ),
    Rule(
        "C8",
        "side_mismatch",
        {"items": ("isthmic_bme", "soft_tissue_edema_cyst")},
        "The answer and the side named do not fit: {items}.",
        form="mr",
    ),
    Rule(
        "C9",
        "level_differs",
        {"item": "level_seen"},
        "You see the lysis at {label}; the case is set to {set}.",
        form="mr",
        query=True,
    ),
    Rule(
        "C10",
        "missing_roles",
        {},
        "Answered although a series is not in this case ({roles}): {items}.",
        severity="info",
    ),
)

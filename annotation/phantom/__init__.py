"""The synthetic lumbar spine with planted findings: pure numpy, written as ordinary DICOM.

``draw`` what a case has, ``build`` its pictures, ``write_dicom`` them as a hospital would; or whole cases with
``write_case`` and ``write_cohort``. Nobody stands behind any picture or name.
"""

from __future__ import annotations

from .canvas import SlicePlane
from .cohort import Case, case_facts, write_built, write_case, write_cohort, write_tables
from .files import write_dicom
from .person import CLINICAL_COLUMNS, Identity, clinical_row, invent
from .scan import GROUPS, SIZES, Phantom, PhantomSeries, build, locate
from .truth import SHARES, VISIBLE, Truth, draw, from_case_values

__all__ = [
    "CLINICAL_COLUMNS",
    "GROUPS",
    "SHARES",
    "SIZES",
    "VISIBLE",
    "Case",
    "Identity",
    "Phantom",
    "PhantomSeries",
    "SlicePlane",
    "Truth",
    "build",
    "case_facts",
    "clinical_row",
    "draw",
    "from_case_values",
    "invent",
    "locate",
    "write_built",
    "write_case",
    "write_cohort",
    "write_dicom",
    "write_tables",
]

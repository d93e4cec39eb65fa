"""Received files -> checks -> de-identify -> store -> series -> case; says why it refuses.

One intake for every way in. Nothing of a file's name, a source UID or a value of a patient is stored or logged:
a refused file is known by its place in the batch.
"""

from __future__ import annotations

from annotation.intake.batch import Log, Problem, Progress, take_in
from annotation.intake.clinical import ClinicalError, ClinicalLog

__all__ = ["ClinicalError", "ClinicalLog", "Log", "Problem", "Progress", "take_in"]

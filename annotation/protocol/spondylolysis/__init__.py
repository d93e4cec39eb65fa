"""The instrument of the reference study: lumbar spondylolysis before CT-guided pars injection.

The one place where its scales, criteria, layouts and checks stand; nothing else in the program names them.
"""

from __future__ import annotations

from annotation.protocol.instrument import Criterion, Protocol, Reason
from annotation.protocol.sites import Site
from annotation.protocol.spondylolysis.forms import CT, MR
from annotation.protocol.spondylolysis.items import FINDINGS, SUPPORT
from annotation.protocol.spondylolysis.rules import RULES

__all__ = ["SPONDYLOLYSIS_1"]

REASONS = (
    Reason("not_covered", "Not covered by the images"),
    Reason("artefact", "Artefact"),
    Reason("sequence_missing", "Sequence missing"),
    Reason("other", "Other", note=True),
)

# The reference study's list in its order; its print skips the letter c.
EXCLUSIONS = (
    Criterion("a", "No pain assessment", hints=("no_baseline", "no_follow_up")),
    Criterion(
        "b",
        "No MRI before the injection, or MRI more than 6 months before it",
        hints=("no_mri", "late_mri", "old_mri"),
    ),
    Criterion(
        "c",
        "Injection on one side only, and/or facet-joint infiltration or nerve-root block on the other side as well",
    ),
    Criterion("d", "Incomplete MRI protocol or insufficient MRI quality", hints=("series_missing",)),
    Criterion("e", "Lumbar spine surgery before the injection, or injection without iodine contrast"),
)

# Segments from the top, by the last lumbar vertebra: a sixth one is a way of counting a transitional vertebra.
FIVE = ("L1/2", "L2/3", "L3/4", "L4/5", "L5/S1")
SIX = (*FIVE[:4], "L5/6", "L6/S1")


def _segments(level: int) -> dict[str, str]:
    """Segments of a case whose lytic vertebra is ``L<level>``, the index segment being the one below it."""
    column = SIX if level == 6 else FIVE
    at = level - 1
    above = {_relative("above", steps): column[at - steps] for steps in range(1, at + 1)}
    below = {_relative("below", steps): column[at + steps] for steps in range(1, len(column) - at)}
    return {"index": column[at], **above, **below}


def _relative(direction: str, steps: int) -> str:
    return direction if steps == 1 else f"{direction}_{steps}"


def _neighbour(direction: str, steps: int) -> Site:
    """A segment beside the index segment: never required, because not every case has it; C4 says what was left out."""
    label = direction.capitalize() if steps == 1 else f"{steps} {direction}"
    code = _relative(direction, steps)
    return Site(code, "", segment=code, segment_label=label, required=False, counts=False)


SPONDYLOLYSIS_1 = Protocol(
    code="spondylolysis",
    version=1,
    title="Lumbar spondylolysis before CT-guided pars injection",
    forms=(CT, MR),
    items=(*FINDINGS, *SUPPORT),
    rules=RULES,
    reasons=REASONS,
    exclusions=EXCLUSIONS,
    segments={f"L{level}": _segments(level) for level in range(1, 7)},
    neighbours={
        "adjacent": (_neighbour("above", 1), _neighbour("below", 1)),
        "all": (
            *(_neighbour("above", steps) for steps in range(1, 6)),
            *(_neighbour("below", steps) for steps in range(1, 5)),
        ),
    },
)

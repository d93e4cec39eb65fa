"""Carrying a plan out: pure, in order, with progress after every part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analytics.frames import Frames
from analytics.plans import steps
from analytics.plans.parts import NotPossible, Params, Part, Table
from analytics.plans.plan import Plan
from analytics.stats.result import Entry, Results

__all__ = ["NotPossible", "carry_out"]

Progress = Callable[[int, int, str], None]


def carry_out(plan: Plan, frames: Frames, *, seed: int = 0, progress: Progress | None = None) -> Results:
    """Compute everything a plan names.

    Parameters
    ----------
    plan : Plan
        What is computed.
    frames : Frames
        What it is computed from.
    seed : int
        Seed of everything random, kept with the results.
    progress : callable, optional
        Called with (parts done, parts in all, name of the next part); whatever it raises ends the work.

    Returns
    -------
    Results
        One entry a statistic; a quantity that does not exist carries its reason.

    Raises
    ------
    NotPossible
        When the plan does not fit the frames.
    """
    if plan.protocol != frames.protocol:
        raise NotPossible(f"Plan {plan.code!r} is made for {plan.protocol!r}, the readings answer {frames.protocol!r}.")
    if plan.needs_outcomes and not frames.has_outcomes:
        raise NotPossible(f"Plan {plan.code!r} needs outcomes, and there are none yet.")
    table = Table(frames, seed)
    parts: list[Part] = [part for step in plan.steps for part in _kind(step.kind)(table, step.params)]
    entries: list[Entry] = []
    for done, part in enumerate(parts):
        if progress:
            progress(done, len(parts), part.label)
        for entry in part.run():
            entries.append(entry)
            table.keep(entry)
    if progress:
        progress(len(parts), len(parts), "done")
    return Results(plan=_named(plan), subject=_subject(frames), seed=seed, entries=tuple(entries))


def _kind(name: str) -> Callable[[Table, Params], list[Part]]:
    if name in steps.KINDS:
        return steps.KINDS[name]
    from analytics.plans import extended  # a third of the statistics, for one plan

    return extended.KINDS[name]


def _named(plan: Plan) -> dict[str, Any]:
    return {"code": plan.code, "title": plan.title, "version": plan.version, "digest": plan.digest()}


def _subject(frames: Frames) -> dict[str, Any]:
    return {
        "protocol": frames.protocol,
        "version": frames.version,
        "readers": list(frames.readers),
        "cases": len(frames.cases),
        "items": [item.to_document() for item in frames.items],
        "characteristics": [one.to_document() for one in frames.characteristics.values()],
        "has_outcomes": frames.has_outcomes,
    }

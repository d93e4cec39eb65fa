"""Carrying a plan out: pure, in order, with progress after every part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analytics.frames import Frames
from analytics.plans import side_by_side, steps, study
from analytics.plans.parts import NotPossible, Params, Part, Table
from analytics.plans.plan import Plan
from analytics.plans.side_by_side import Progress
from analytics.stats.result import Entry, Results

__all__ = ["NotPossible", "carry_out", "parts_of"]


def carry_out(
    plan: Plan, frames: Frames, *, seed: int = 0, progress: Progress | None = None, processes: int = 0
) -> Results:
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
        Called with (parts done, parts in all, name of a part under way); whatever it raises ends the work.
    processes : int
        Where the plan resamples: how many processes share the parts; 0 computes everything in this one. The results
        are the same.

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
    table, parts = parts_of(plan, frames, seed)

    def report(done: int, label: str) -> None:
        if progress:
            progress(done, len(parts), label)

    ready: dict[int, tuple[Entry, ...]] = {}
    alone = [place for place, part in enumerate(parts) if not part.builds]
    if processes and plan.resamples and alone:
        ready = side_by_side.computed(
            plan, frames, seed, alone, processes=processes, report=lambda n, place: report(n, parts[place].label)
        )
    entries: list[Entry] = []
    for place, part in enumerate(parts):
        if place not in ready:
            report(max(len(ready), place), part.label)
        for entry in ready[place] if place in ready else part.run():
            entries.append(entry)
            table.keep(entry)
    report(len(parts), "done")
    return Results(plan=_named(plan), subject=_subject(frames), seed=seed, entries=tuple(entries))


def parts_of(plan: Plan, frames: Frames, seed: int) -> tuple[Table, list[Part]]:
    """Split a plan into its parts, and give the table they work on."""
    table = Table(frames, seed)
    return table, [*study.parts(table), *(part for step in plan.steps for part in _kind(step.kind)(table, step.params))]


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
        **study.subject(frames.context),
    }

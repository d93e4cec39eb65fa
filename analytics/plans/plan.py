"""A plan: which statistics are computed, as data that can be dated, digested and frozen with a study."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["Plan", "Step"]


@dataclass(frozen=True)
class Step:
    """One kind of statistic with its parameters.

    Attributes
    ----------
    kind : str
        Name of the step, known to `analytics.plans.steps`.
    params : mapping
        JSON values only.
    """

    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """An analysis plan.

    Attributes
    ----------
    code, title, version
        Name, shown name, and the version of the plan's content.
    protocol : str
        Code of the instrument it is made for.
    steps : tuple of Step
        In the order of the report.
    needs_outcomes : bool
        Whether it cannot be carried out before unblinding.
    """

    code: str
    title: str
    version: int
    protocol: str
    steps: tuple[Step, ...]
    needs_outcomes: bool = True

    @property
    def resamples(self) -> bool:
        """Whether anything is drawn again and again, so that more than one process is worth starting."""
        return any("replicates" in step.params for step in self.steps)

    def with_bootstrap(self, replicates: int) -> Plan:
        """Bootstrap with so many resamples; another digest, because the numbers are others.

        A plan that resamples does so as often everywhere; any other gets bootstrap intervals of the agreement
        coefficients beside what it has.
        """
        if self.resamples:
            steps = tuple(
                replace(step, params={**step.params, "replicates": replicates}) if "replicates" in step.params else step
                for step in self.steps
            )
            return replace(self, steps=steps)
        return replace(self, steps=(*self.steps, Step("bootstrap", {"replicates": replicates})))

    def to_document(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "code": self.code,
            "title": self.title,
            "version": self.version,
            "protocol": self.protocol,
            "needs_outcomes": self.needs_outcomes,
            "steps": [{"kind": step.kind, "params": dict(step.params)} for step in self.steps],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Plan:
        """Read back what `to_document` gave; ``ValueError`` where it is not that."""
        try:
            steps = tuple(Step(str(step["kind"]), dict(step["params"])) for step in document["steps"])
            return cls(
                code=str(document["code"]),
                title=str(document["title"]),
                version=int(document["version"]),
                protocol=str(document["protocol"]),
                steps=steps,
                needs_outcomes=bool(document["needs_outcomes"]),
            )
        except (KeyError, TypeError, ValueError):
            raise ValueError("This is no analysis plan as Spondy writes it.") from None

    def digest(self) -> str:
        """SHA-256 over all that the plan says, but the shown title.

        Formulae and solvers are the program's: where a correction changes numbers, `version` is raised, and every run
        keeps the versions it was computed with.
        """
        content = {key: value for key, value in self.to_document().items() if key != "title"}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

"""The whole analysis from two plain tables, without a database."""

from __future__ import annotations

import argparse
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

if TYPE_CHECKING:
    from analytics.frames import Frames
    from analytics.plans import Plan

MOST_RESAMPLES = 100_000


class Command(BaseCommand):
    help = "Analyse clinical.csv and gradings.csv into estimates, tables, figures and a report."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--clinical", type=Path, required=True, help="one row a case")
        parser.add_argument("--gradings", type=Path, required=True, help="one row a case and reader")
        parser.add_argument("--out", type=Path, required=True, help="folder for everything that is written")
        parser.add_argument("--plan", default="full", help="paper, full (default) or extended")
        parser.add_argument(
            "--bootstrap",
            type=int,
            default=0,
            metavar="N",
            help="N resamples by case of agreement, and of all that extended draws",
        )
        parser.add_argument("--seed", type=int, default=0, help="of the resamples; kept in the manifest")

    def handle(self, *args: Any, **options: Any) -> None:
        # The matrices here are tiny; on them a second thread of the linear algebra only costs.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        # pandas, scipy and matplotlib are only paid for by the command that needs them.
        from analytics import export, plans

        plan = _plan(options)
        paths: dict[str, Path] = {"clinical": options["clinical"], "gradings": options["gradings"]}
        frames = _frames(paths)
        results = plans.carry_out(
            plan, frames, seed=options["seed"], progress=self._progress, processes=plans.processors()
        )
        inputs = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths.values()}
        facts = {"spondy": settings.VERSION}
        out: Path = options["out"]
        _write(out, export.bundle(results, title="Spondy analysis", inputs=inputs, facts=facts))
        missing = sum(row["status"] != "ok" for row in export.estimates_rows(results))
        self.stdout.write(
            f"{out}: {len(results.entries)} statistics of {len(frames.cases)} cases, {missing} numbers not estimable. "
            f"Readers: {', '.join(frames.readers)}{'; adjudicated findings' if frames.adjudicated else ''}"
            f"{'; repeat readings' if frames.again else ''}."
        )

    def _progress(self, done: int, of: int, label: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{done}/{of} {label:<70.70}", ending="\n" if done == of else "")


def _plan(options: dict[str, Any]) -> Plan:
    """Give the plan that is asked for, or say what is wrong with the asking."""
    from analytics import plans

    if options["plan"] not in plans.codes():
        raise CommandError(f"There is no plan {options['plan']!r}; there are {', '.join(plans.codes())}.", returncode=2)
    if not 0 <= options["bootstrap"] <= MOST_RESAMPLES or (0 < options["bootstrap"] < 100):
        message = f"--bootstrap is {options['bootstrap']}; say 0 or 100 to {MOST_RESAMPLES}."
        raise CommandError(message, returncode=2)
    if options["seed"] < 0:
        raise CommandError(f"--seed is {options['seed']}; say 0 or more.", returncode=2)
    plan = plans.get(options["plan"])
    return plan.with_bootstrap(options["bootstrap"]) if options["bootstrap"] else plan


def _frames(paths: dict[str, Path]) -> Frames:
    from analytics.frames import BadTable, from_tables, read_table

    try:
        tables = {name: read_table(path) for name, path in paths.items()}
        return from_tables(tables["clinical"], tables["gradings"])
    except BadTable as fault:
        named = paths[fault.table].name if fault.table in paths else fault.table
        raise CommandError(fault.sentence(named), returncode=2) from None


def _write(out: Path, files: dict[str, bytes]) -> None:
    try:
        for name, content in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as fault:
        raise CommandError(f"{out} cannot be written: {fault.strerror}.", returncode=2) from None

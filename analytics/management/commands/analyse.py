"""The whole analysis from two plain tables, without a database."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from annotation.protocol import Unknown

if TYPE_CHECKING:
    from analytics.frames import Frames
    from analytics.plans import Plan

MOST_RESAMPLES = 100_000


class Command(BaseCommand):
    help = "Analyse clinical.csv and gradings.csv into estimates, tables, figures and a report."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--clinical", type=Path, help="one row a case; without it a plan of agreement alone")
        parser.add_argument("--gradings", type=Path, required=True, help="one row a case and reader")
        parser.add_argument("--out", type=Path, required=True, help="folder for everything that is written")
        parser.add_argument("--plan", default="full", help="paper, full (default), extended, or a bundle's plan.json")
        parser.add_argument("--context", type=Path, help="a bundle's context.json: flow, times and scanning")
        parser.add_argument("--estimates-only", action="store_true", help="write estimates.csv and nothing else")
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
        named = {name: options[name] for name in ("clinical", "gradings", "context")}
        paths: dict[str, Path] = {name: path for name, path in named.items() if path is not None}
        frames = _frames(paths, plan)
        try:
            results = plans.carry_out(
                plan, frames, seed=options["seed"], progress=self._progress, processes=plans.processors()
            )
        except plans.NotPossible as fault:
            raise CommandError(fault.sentence, returncode=2) from None
        except KeyError as fault:  # only a plan from a file names what nobody knows
            raise CommandError(f"The plan names {fault}, which is not known here.", returncode=2) from None
        inputs = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths.values()}
        facts = {"spondy": settings.VERSION}
        out: Path = options["out"]
        if options["estimates_only"]:
            files = {"estimates.csv": export.estimates_csv(results).encode()}
        else:
            title = "Spondy analysis"
            files = export.bundle(results, title=title, inputs=inputs, facts=facts, frames=frames, plan=plan)
        _write(out, files)
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
    plan = _plan_of(options["plan"])
    if not 0 <= options["bootstrap"] <= MOST_RESAMPLES or (0 < options["bootstrap"] < 100):
        message = f"--bootstrap is {options['bootstrap']}; say 0 or 100 to {MOST_RESAMPLES}."
        raise CommandError(message, returncode=2)
    if options["seed"] < 0:
        raise CommandError(f"--seed is {options['seed']}; say 0 or more.", returncode=2)
    return plan.with_bootstrap(options["bootstrap"]) if options["bootstrap"] else plan


def _plan_of(said: str) -> Plan:
    """Give a plan by its name, or from a file that a bundle holds."""
    from analytics import plans

    if said in plans.codes():
        return plans.get(said)
    path = Path(said)
    if path.suffix != ".json":
        raise CommandError(f"There is no plan {said!r}; there are {', '.join(plans.codes())}.", returncode=2)
    try:
        return plans.Plan.from_document(_document(path))
    except ValueError as fault:
        raise CommandError(f"{path.name}: {fault}", returncode=2) from None


def _document(path: Path) -> Any:
    """Read a JSON file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise CommandError(f"{path.name} cannot be read: {fault.strerror}.", returncode=2) from None
    except ValueError:
        raise CommandError(f"{path.name} is not a JSON file.", returncode=2) from None


def _frames(paths: dict[str, Path], plan: Plan) -> Frames:
    from analytics.frames import BadTable, Context, from_tables, read_table

    try:
        tables = {name: read_table(path) for name, path in paths.items() if name != "context"}
        frames = from_tables(tables.get("clinical"), tables["gradings"], instrument=plan.protocol)
        if "context" in paths:
            return replace(frames, context=Context.from_document(_document(paths["context"])))
    except BadTable as fault:
        named = paths[fault.table].name if fault.table in paths else fault.table
        raise CommandError(fault.sentence(named), returncode=2) from None
    except Unknown as fault:
        raise CommandError(str(fault), returncode=2) from None
    except (KeyError, TypeError):
        said = f"{paths['context'].name} is no record of a study as a bundle holds it."
        raise CommandError(said, returncode=2) from None
    return frames


def _write(out: Path, files: dict[str, bytes]) -> None:
    try:
        for name, content in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as fault:
        raise CommandError(f"{out} cannot be written: {fault.strerror}.", returncode=2) from None

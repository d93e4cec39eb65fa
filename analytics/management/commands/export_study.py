from __future__ import annotations

import argparse
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.runs import terminal


class Command(BaseCommand):
    help = "Write everything of a study's analysis into one archive: data, results, report, plan, and how to rerun it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--study", required=True, metavar="CODE")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE.zip")
        parser.add_argument("--run", metavar="ID", help="else the newest finished run, or one computed now")

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path = options["out"]
        run_id = _run_id(options["run"])
        if not out.parent.is_dir():
            raise CommandError(f"There is no folder {out.parent}.", returncode=2)
        try:
            data = terminal.exported(options["study"], run_id, told=self._told)
        except terminal.NoExport as refusal:
            raise CommandError(refusal.sentence, returncode=1) from None
        part = out.with_name(f".{out.name}.part")
        try:
            part.write_bytes(data)  # written beside and renamed: half an archive is never left under the name
            part.replace(out)
        except OSError as fault:
            raise CommandError(f"{out} cannot be written: {fault.strerror}.", returncode=1) from None
        self.stdout.write(f"{out}: study {options['study']}, {len(data) / 1e6:.1f} MB.")

    def _told(self, done: int, of: int, label: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{done}/{of} {label:<70.70}", ending="\n" if done == of else "")


def _run_id(said: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(said) if said else None
    except ValueError:
        raise CommandError(f"{said!r} is no run's id.", returncode=2) from None

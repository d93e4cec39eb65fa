"""A simulated study as two plain tables, in the layout `analyse` reads."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Write clinical.csv and gradings.csv of a simulated study."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, required=True, help="folder to write to")
        parser.add_argument("--cases", type=int, default=134)
        parser.add_argument("--kappa", type=float, default=0.8, help="planted agreement, 0 to 1")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        from analytics.simulate import study

        out: Path = options["out"]
        try:
            made = study(cases=options["cases"], kappa=options["kappa"], seed=options["seed"])
            out.mkdir(parents=True, exist_ok=True)
            made.clinical.to_csv(out / "clinical.csv", index=False)
            made.gradings.to_csv(out / "gradings.csv", index=False)
        except ValueError as fault:
            raise CommandError(str(fault), returncode=2) from None
        except OSError as fault:
            raise CommandError(f"{out} cannot be written: {fault.strerror}.", returncode=2) from None
        self.stdout.write(f"{out}: {len(made.clinical)} cases, {len(made.gradings)} gradings.")

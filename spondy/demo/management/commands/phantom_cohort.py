from __future__ import annotations

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from annotation.phantom import SIZES, write_cohort


class Command(BaseCommand):
    help = "Write synthetic patients as a hospital exports them: DICOM, the clinical table, and what was planted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, required=True, help="a folder; made when absent")
        parser.add_argument("--cases", type=int, default=4)
        parser.add_argument("--seed", type=int, help="the same seed writes the same cases; a random one by default")
        parser.add_argument("--size", choices=sorted(SIZES), default="demo")
        parser.add_argument("--processes", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        seed = secrets.randbits(31) if options["seed"] is None else options["seed"]
        cases = write_cohort(
            options["out"],
            cases=options["cases"],
            seed=seed,
            size=options["size"],
            processes=options["processes"],
            progress=lambda done, of, _: self.stdout.write(f"{done} of {of} cases"),
        )
        self.stdout.write(f"{sum(case.files for case in cases)} files in {options['out']}, seed {seed}.")

"""Pictures of every planted grade, sets to grade blind, and how well people graded them."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from spondy.demo import sheet


class Command(BaseCommand):
    help = "Draw every grade of the phantom, or a set of cases to grade blind, or score such gradings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, help="folder of the pictures")
        parser.add_argument(
            "--publish", action="store_true", help="draw what the repository shows: docs/images and static/atlas"
        )
        parser.add_argument("--blind", type=int, metavar="N", help="N random cases instead of the contact sheet")
        parser.add_argument("--seed", type=int, default=3)
        parser.add_argument("--size", default="demo", help="demo or clinical")
        parser.add_argument("--score", type=Path, metavar="GRADES", help="a table of case, item, side, grade")
        parser.add_argument("--truth", type=Path, help="with --blind: to write; with --score: to read")
        parser.add_argument("--confusions", action="store_true", help="with --score: what was taken for what")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["score"]:
            self._score(options["score"], options["truth"], aloud=options["confusions"])
            return
        if options["publish"]:
            root = settings.BASE_DIR
            for path in sheet.publish(root / "docs" / "images", root / "static" / "atlas"):
                self.stdout.write(str(path.relative_to(root)))
            return
        if options["out"] is None:
            raise CommandError("Name a folder with --out, or say --publish.")
        if options["blind"]:
            out, wanted = options["out"], options["truth"]
            truth = wanted or out.parent / f"{out.name}-truth" / "truth.csv"
            sheet.write_blind(out, truth, cases=options["blind"], seed=options["seed"], size=options["size"])
            self.stdout.write(f"{options['blind']} cases in {out}; what was planted stands in {truth}.")
            return
        for path in sheet.write_contact(options["out"], seed=options["seed"], size=options["size"]):
            self.stdout.write(str(path))

    def _score(self, grades: Path, truth: Path | None, *, aloud: bool) -> None:
        if truth is None:
            raise CommandError("Name the planted grades with --truth.")
        for line in sheet.score(grades, truth):
            self.stdout.write(line)
        for line in sheet.confusions(grades, truth) if aloud else ():
            self.stdout.write(line)

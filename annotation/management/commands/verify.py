from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation import handover


class Command(BaseCommand):
    help = "Re-check every stored revision, the digest chains, the images and the order of a study."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", required=True, metavar="CODE")

    def handle(self, *args: Any, **options: Any) -> None:
        faults = 0
        for sentence in handover.verify(options["study"]):
            faults += 1
            self.stdout.write(sentence)
        if faults:
            raise CommandError(f"{faults} faults.", returncode=1)
        self.stdout.write(f"Study {options['study']}: everything fits.")

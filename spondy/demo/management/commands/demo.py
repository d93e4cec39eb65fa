from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from spondy.demo import studies


class Command(BaseCommand):
    help = "Make the demo accounts and studies; ./run demo calls this."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--cases", type=int, default=24)

    def handle(self, *args: Any, **options: Any) -> None:
        studies.only_in_a_demo()
        studies.make_accounts()
        studies.make_open_study(options["cases"], say=lambda line: self.stdout.write(line))

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation import desk
from spondy.demo import practice


class Command(BaseCommand):
    help = "Make a practice study of synthetic cases: after submitting, its readers see what was planted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", default="PRACTICE", help="its code")
        parser.add_argument("--coordinator", required=True, help="an account")
        parser.add_argument("--reader", action="append", required=True, help="an account; may be given again")
        parser.add_argument("--cases", type=int, default=practice.CASES)

    def handle(self, *args: Any, **options: Any) -> None:
        code = options["study"]
        if len(set(options["reader"])) < 2:
            raise CommandError("A study needs two readers: give --reader twice, with two accounts.", returncode=2)
        try:
            coordinator = desk.account(options["coordinator"])
            settings = {"synthetic": True, "display_check": False}
            desk.create_study(coordinator, code=code, title="Practice with synthetic spines", settings=settings)
            for reader in options["reader"]:
                desk.set_member(coordinator, code, username=reader, role="reader")
        except desk.BadSetting as fault:
            raise CommandError(str(fault), returncode=2) from None
        practice.fill(coordinator, code, cases=options["cases"], seed=secrets.randbits(31), step=self._say)
        self.stdout.write(f"Practice study {code} is open with {options['cases']} cases.")

    def _say(self, done: int, of: int, message: str) -> None:
        self.stdout.write(message)

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation import desk, intake, jobs
from annotation.access import WrongState


class Command(BaseCommand):
    help = "Import a clinical table and DICOM files, folders or zip archives into a study."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", required=True, metavar="CODE")
        parser.add_argument("--create", action="store_true", help="make the study when there is none")
        parser.add_argument("--title", default="", help="title of a study that is made")
        parser.add_argument("--protocol", default="spondylolysis")
        parser.add_argument(
            "--setting", action="append", default=[], metavar="NAME", help="e.g. allow_head; with --create"
        )
        parser.add_argument("--coordinator", default="", metavar="ACCOUNT", help="whose study it is; with --create")
        parser.add_argument("--clinical", type=Path, metavar="FILE")
        parser.add_argument("--dictionary", type=Path, metavar="FILE", help="REDCap data dictionary of --clinical")
        parser.add_argument("--dicom", type=Path, nargs="+", default=[], metavar="PATH")
        parser.add_argument(
            "--json", type=Path, metavar="FILE", help="write what came of it here; - is standard output"
        )
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        self._check(options)
        try:
            study = self._study(options)
        except desk.BadSetting as fault:
            raise CommandError(fault.sentence, returncode=2) from None
        log = self._rehearse(study, options) if options["dry_run"] else self._run(study, options)
        self._tell(log, options["json"])

    def _run(self, study: Any, options: dict[str, Any]) -> intake.Log:
        log: intake.Log | None = None
        with jobs.begin("import", title="Import from the command line", study=study) as held:
            log = intake.take_in(
                study,
                dicom=options["dicom"],
                clinical=options["clinical"],
                dictionary=options["dictionary"],
                progress=self._progress(held.step),
            )
            held.finish(log.document(), f"{log.imported} images in, {len(log.refused)} refused.")
        if held.error is not None:
            said = getattr(held.error, "sentence", None) or f"The batch could not run: {held.error}"
            raise CommandError(said, returncode=1)
        if held.cancelled or log is None:
            raise CommandError(
                "The import was cancelled, or its record was given up meanwhile. What has come in stays; run it again "
                "to take in the rest.",
                returncode=1,
            )
        return log

    def _rehearse(self, study: Any, options: dict[str, Any]) -> intake.Log:
        """Run the checks alone: no row is written, not even the record of a job."""
        try:
            return intake.take_in(
                study,
                dicom=options["dicom"],
                clinical=options["clinical"],
                dictionary=options["dictionary"],
                dry_run=True,
                progress=self._progress(lambda done, total, message: None),
            )
        except WrongState as refusal:
            raise CommandError(refusal.sentence, returncode=1) from None
        except OSError as fault:
            raise CommandError(f"The batch could not run: {fault}", returncode=1) from None

    def _check(self, options: dict[str, Any]) -> None:
        if options["clinical"] is None and not options["dicom"]:
            raise CommandError("Name a clinical table (--clinical), images (--dicom), or both.", returncode=2)
        if options["dictionary"] is not None and options["clinical"] is None:
            raise CommandError("--dictionary goes with the data table; name that with --clinical.", returncode=2)
        for path in [*options["dicom"], *filter(None, (options["clinical"], options["dictionary"]))]:
            if not path.exists():
                raise CommandError(f"There is no {path}.", returncode=2)
        for name in ("clinical", "dictionary"):
            if options[name] and not options[name].is_file():
                raise CommandError(f"{options[name]} is no file; --{name} names one table.", returncode=2)
        target = options["json"]
        if target and str(target) != "-" and not target.resolve().parent.is_dir():
            raise CommandError(f"There is no folder {target.parent} for --json.", returncode=2)
        if target and str(target) != "-":
            self._try_to_write(target)

    def _try_to_write(self, target: Path) -> None:
        """Open the file for --json once before the import; afterwards it would be too late to say that it cannot be."""
        there = target.exists()
        try:
            target.open("a").close()
            if not there:
                target.unlink()
        except OSError as fault:
            raise CommandError(f"--json cannot be written to {target}: {fault.strerror}.", returncode=2) from None

    def _study(self, options: dict[str, Any]) -> Any:
        try:
            return desk.intake_target(options["study"])
        except desk.BadSetting:
            if options["dry_run"]:
                raise CommandError(
                    f"There is no study {options['study']}; a dry run makes none.", returncode=2
                ) from None
            if not options["create"]:
                raise
        code = desk.create_study(
            desk.account(options["coordinator"]) if options["coordinator"] else None,
            code=options["study"],
            title=options["title"] or options["study"],
            protocol=options["protocol"],
            settings=dict.fromkeys(options["setting"], True),
        )
        return desk.intake_target(code)

    def _progress(self, step: intake.Progress) -> intake.Progress:
        def report(done: int, total: int, message: str) -> None:
            step(done, total, message)
            if sys.stderr.isatty():
                self.stderr.write(f"\r{done} of {total} files", ending="")

        return report

    def _tell(self, log: intake.Log, target: Path | None) -> None:
        text = json.dumps(log.document(), indent=1, ensure_ascii=False)
        if target is not None and str(target) == "-":
            self.stdout.write(text)
            return
        if target is not None:
            target.write_text(text + "\n")
        self.stdout.write(
            f"{log.received} files received: {log.imported} imported, {log.duplicates} duplicates, "
            f"{len(log.refused)} refused, {len(log.quarantined)} in quarantine. "
            f"Clinical table: {log.clinical.accepted} of {log.clinical.rows} rows. {log.seconds:.1f} s."
        )
        for problem in [*log.refused, *log.quarantined][:20]:
            self.stdout.write(f"  {problem.name}: {problem.reason}")
        for error in log.clinical.errors[:20]:
            self.stdout.write(f"  row {error.row}, column {error.column or '-'}: {error.message}")

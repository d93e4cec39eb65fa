"""`analyse` and `simulate` as a person runs them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from analytics import plans
from tests import programs

FILES = {
    *("estimates.csv", "results.json", "results.schema.json", "manifest.json", "plan.json", "README.md", "rerun.py"),
    *("report.html", "report.docx", "report.pdf", "report.xlsx"),
}


def analyse(clinical: Path, gradings: Path, out: Path, *more: str) -> str:
    told = io.StringIO()
    call_command(
        "analyse", "--clinical", str(clinical), "--gradings", str(gradings), "--out", str(out), *more, stdout=told
    )
    return told.getvalue()


@pytest.fixture(scope="module")
def made(oracles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("analysed") / "deep" / "out"
    analyse(oracles / "d2" / "clinical.csv", oracles / "d2" / "gradings.csv", out, "--plan", "paper")
    return out


def test_everything_is_written(made: Path) -> None:
    assert {path.name for path in made.iterdir() if path.is_file()} == FILES
    assert {path.suffix for path in (made / "tables").iterdir()} == {".csv"}
    assert {path.suffix for path in (made / "figures").iterdir()} == {".svg", ".pdf", ".png"}
    with (made / "estimates.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 1000
    assert rows[0].keys() == {"id", "field", "value", "status", "reason", "n", "method"}


def test_the_manifest_names_inputs_plan_versions_and_files(made: Path, oracles: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    content = (oracles / "d2" / "clinical.csv").read_bytes()
    assert manifest["inputs"]["clinical.csv"] == hashlib.sha256(content).hexdigest()
    assert manifest["plan"]["code"] == "paper"
    assert len(manifest["plan"]["digest"]) == 64
    assert {"python", "numpy", "scipy", "pandas", "statsmodels"} <= manifest["versions"].keys()
    assert manifest["seed"] == 0
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((made / name).read_bytes()).hexdigest() == digest
    assert len(manifest["files"]) == sum(path.is_file() for path in made.rglob("*")) - 1


def test_a_second_run_gives_the_same_bytes(made: Path, oracles: Path, tmp_path: Path) -> None:
    analyse(oracles / "d2" / "clinical.csv", oracles / "d2" / "gradings.csv", tmp_path, "--plan", "paper")
    for path in made.rglob("*"):
        if path.is_file():
            assert (tmp_path / path.relative_to(made)).read_bytes() == path.read_bytes(), path.name


def test_libreoffice_opens_the_word_file(made: Path, tmp_path: Path) -> None:
    done = programs.run(
        "soffice", "--headless", "--convert-to", "pdf", "--outdir", tmp_path, made / "report.docx", cwd=tmp_path
    )
    assert (tmp_path / "report.pdf").exists(), done.stderr
    text = programs.run("pdftotext", "-layout", tmp_path / "report.pdf", "-", cwd=tmp_path).stdout
    assert "Spondy analysis" in text
    assert "Disc degeneration" in text
    assert not set("\ue000\ue001\ue002") & set(text), "no mark of a number's origin is left"


def test_a_plan_from_a_bundle_gives_the_same_numbers(made: Path, oracles: Path, tmp_path: Path) -> None:
    more = ("--plan", str(made / "plan.json"), "--estimates-only")
    analyse(oracles / "d2" / "clinical.csv", oracles / "d2" / "gradings.csv", tmp_path, *more)
    assert (tmp_path / "estimates.csv").read_bytes() == (made / "estimates.csv").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["estimates.csv"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "plan.json is not a JSON file."),
        ("{}", "plan.json: This is no analysis plan as Spondy writes it."),
        ("PLAN:guess", "The plan names 'guess', which is not known here."),
        ("PROTOCOL:knees", "There is no protocol 'knees'"),
    ],
)
def test_a_bad_plan_ends_with_two_and_a_sentence(oracles: Path, tmp_path: Path, text: str, sentence: str) -> None:
    document = plans.get("paper").to_document()
    kind, _, word = text.partition(":")
    if kind == "PLAN":
        text = json.dumps({**document, "steps": [{"kind": word, "params": {}}]})
    elif kind == "PROTOCOL":
        text = json.dumps({**document, "protocol": word})
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(CommandError) as fault:
        analyse(
            oracles / "d2" / "clinical.csv",
            oracles / "d2" / "gradings.csv",
            tmp_path / "out",
            *("--plan", str(tmp_path / "plan.json"), "--estimates-only"),
        )
    assert sentence in str(fault.value)
    assert fault.value.returncode == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("gradings.csv", "B002,R1,intra", "B002,R1,inner"), "gradings.csv, row 4, column contrast_pattern:"),
        (("clinical.csv", "B003,27,M,21.0,L5,1", "B003,27,M,21.0,L5,one"), "clinical.csv, row 4, column nrs_baseline:"),
        (
            ("clinical.csv", "case_id,age", "patient,age"),
            "clinical.csv, row 1, column case_id: this column is missing.",
        ),
    ],
)
def test_bad_input_ends_with_two_and_a_sentence(
    oracles: Path, tmp_path: Path, change: tuple[str, str, str], sentence: str
) -> None:
    for name in ("clinical.csv", "gradings.csv"):
        text = (oracles / "d2" / name).read_text()
        (tmp_path / name).write_text(text.replace(change[1], change[2], 1) if name == change[0] else text)
    with pytest.raises(CommandError) as caught:
        analyse(tmp_path / "clinical.csv", tmp_path / "gradings.csv", tmp_path / "out")
    assert caught.value.returncode == 2
    assert str(caught.value).startswith(sentence)
    assert not (tmp_path / "out").exists()


def test_a_missing_file_and_an_unknown_plan_end_with_two(oracles: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"absent\.csv: cannot be read") as caught:
        analyse(tmp_path / "absent.csv", oracles / "d2" / "gradings.csv", tmp_path / "out")
    assert caught.value.returncode == 2
    with pytest.raises(CommandError, match="no plan 'wild'; there are paper, full") as caught:
        analyse(oracles / "d2" / "clinical.csv", oracles / "d2" / "gradings.csv", tmp_path / "out", "--plan", "wild")
    assert caught.value.returncode == 2
    with pytest.raises(CommandError, match="--bootstrap is 5; say 0 or 100") as caught:
        analyse(oracles / "d2" / "clinical.csv", oracles / "d2" / "gradings.csv", tmp_path / "out", "--bootstrap", "5")
    assert caught.value.returncode == 2


def test_bootstrap_adds_its_entries_and_table(oracles: Path, tmp_path: Path) -> None:
    more = ("--plan", "paper", "--bootstrap", "150", "--seed", "9")
    analyse(oracles / "d2" / "clinical.csv", oracles / "d2" / "gradings.csv", tmp_path, *more)
    assert "bootstrap/lee/kappa_quadratic,bca_low," in (tmp_path / "estimates.csv").read_text()
    assert (tmp_path / "tables" / "agreement_bootstrap.csv").is_file()
    assert json.loads((tmp_path / "manifest.json").read_text())["seed"] == 9


def test_a_folder_that_cannot_be_written_is_a_sentence(oracles: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot be written"):
        analyse(oracles / "d2" / "clinical.csv", oracles / "d2" / "gradings.csv", tmp_path / "file", "--plan", "paper")


def test_a_simulated_study_can_be_analysed(tmp_path: Path) -> None:
    call_command(
        "simulate", "--out", str(tmp_path), "--cases", "40", "--kappa", "0.7", "--seed", "3", stdout=io.StringIO()
    )
    told = analyse(tmp_path / "clinical.csv", tmp_path / "gradings.csv", tmp_path / "out", "--plan", "paper")
    assert "40 cases" in told
    with pytest.raises(CommandError, match="two cases or more") as caught:
        call_command("simulate", "--out", str(tmp_path), "--cases", "1")
    assert caught.value.returncode == 2

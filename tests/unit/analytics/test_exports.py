"""Data files opened by the programs they are for, and their figures compared with ours."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from analytics import plans
from analytics.export import columns, datasets, exchange, parcel
from analytics.export.codebook import missing_codes
from analytics.export.estimates import estimates_csv
from analytics.export.questions import Question, questions
from analytics.export.schema import RESULTS
from analytics.frames import Frames, from_tables, read_table
from analytics.plans import Plan
from analytics.stats.result import NotEstimable, Results
from tests import programs

# What PSPP 1.6.2 gets wrong or refuses is not asked of it; see its notes in the syntax.
DIGITS = "SET FORMAT=F24.12.\nSET SMALL=0.\n"


@pytest.fixture(scope="module")
def layered(oracles: Path) -> Frames:
    """Give D2 with everything a plain table may hold: repeats, places, adjudication, reasons."""
    clinical = read_table(oracles / "d2" / "clinical.csv")
    gradings = read_table(oracles / "d2" / "gradings.csv")
    gradings["round"] = "main"
    gradings["weishaupt.right"], gradings["weishaupt.left"] = gradings["weishaupt"], "1"
    gradings["lee.not_assessable"] = ["artefact" if value == "" else "" for value in gradings["lee"]]
    again = gradings[gradings["reader"] == "R1"].head(20).assign(round="repeat")
    settled = gradings[gradings["reader"] == "R2"].head(9).assign(reader="adjudicated")
    for more in (again, settled):
        more["lee"], more["lee.not_assessable"] = ["", *more["lee"].iloc[1:]], ["artefact", *[""] * (len(more) - 1)]
    return from_tables(clinical, pd.concat([gradings, again, settled], ignore_index=True))


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plans.get("paper")


@pytest.fixture(scope="module")
def asked(paper: Results, d2: Frames, plan: Plan) -> list[Question]:
    return questions(paper, d2, plan, columns.wide(d2))


@pytest.fixture(scope="module")
def folder(paper: Results, d2: Frames, plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle")
    for path, content in [*parcel.files(paper, d2, plan, "D2"), ("estimates.csv", estimates_csv(paper).encode())]:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content)
    return out


@pytest.fixture(scope="module")
def pspp(folder: Path) -> str:
    """Give all that PSPP prints, with twelve digits."""
    (folder / "spss" / "precise.sps").write_text(DIGITS + (folder / "spss" / "analysis.sps").read_text())
    done = programs.run("pspp", "-O", "format=csv", "-o", "out.csv", "precise.sps", cwd=folder / "spss")
    assert done.returncode == 0, done.stderr
    assert ": error:" not in done.stdout
    return (folder / "spss" / "out.csv").read_text()


def printed(text: str, name: str, column: int) -> list[float]:
    """Give one column of every line of PSPP's output that begins with a name."""
    rows = csv.reader(io.StringIO(text))
    return [float(row[column]) for row in rows if len(row) > column and name in row[:2]]


def ours(results: Results, asked: list[Question], kind: str, field: str) -> list[float]:
    found = [results.value(one.id, field) for one in asked if one.kind == kind]
    return [float(value) for value in found if not isinstance(value, NotEstimable)]


def test_plain_tables_give_the_same_frames_again(layered: Frames, tmp_path: Path) -> None:
    for name, text in (
        ("clinical.csv", datasets.clinical_csv(layered)),
        ("gradings.csv", datasets.gradings_csv(layered)),
    ):
        (tmp_path / name).write_text(text)
    again = from_tables(read_table(tmp_path / "clinical.csv"), read_table(tmp_path / "gradings.csv"))
    assert (again.cases, again.readers, again.items) == (layered.cases, layered.readers, layered.items)
    assert again.excused == layered.excused
    assert {(reader, round) for reader, round, _ in again.excused} >= {("R1", "repeat"), ("adjudicated", "main")}
    pd.testing.assert_frame_equal(again.clinical, layered.clinical)
    for reader in layered.readers:
        pd.testing.assert_frame_equal(again.readings[reader], layered.readings[reader])
    pd.testing.assert_frame_equal(again.again["R1"]["repeat"], layered.again["R1"]["repeat"])
    np.testing.assert_array_equal(again.sites["weishaupt"].values["R2"], layered.sites["weishaupt"].values["R2"])
    assert again.adjudicated is not None
    assert layered.adjudicated is not None
    pd.testing.assert_frame_equal(again.adjudicated.values, layered.adjudicated.values)
    assert (again.adjudicated.decided, again.adjudicated.open) == (
        layered.adjudicated.decided,
        layered.adjudicated.open,
    )


def test_readings_alone_give_frames_without_outcomes(layered: Frames, tmp_path: Path) -> None:
    closed = replace(layered, has_outcomes=False)
    (tmp_path / "gradings.csv").write_text(datasets.gradings_csv(closed))
    again = from_tables(None, read_table(tmp_path / "gradings.csv"))
    assert not again.has_outcomes
    assert again.cases == layered.cases
    assert {column.name for column in columns.wide(closed)}.isdisjoint({"age", "nrs_baseline", "success_15min"})


def test_long_rows_say_why_a_value_is_missing(layered: Frames) -> None:
    rows = list(csv.DictReader(io.StringIO(datasets.long_csv(layered))))
    lee = [row for row in rows if row["item"] == "lee" and row["reader"] == "R1" and row["round"] == "main"]
    assert len(lee) == len(layered.cases)
    gone = {row["missing"]: row["missing_label"] for row in lee if not row["value"]}
    assert gone["artefact"] == f"Not assessable: {layered.reasons['artefact']}"
    assert {row["missing"] for row in rows if row["item"] == "slip_mm"} <= {"", "not_graded"}
    for reader, round in (("R1", "repeat"), ("adjudicated", "main")):
        of = [row for row in rows if (row["reader"], row["round"], row["item"]) == (reader, round, "lee")]
        assert of[0]["missing"] == "artefact", "a reason is kept in every round"
    (repeat,) = (column for column in columns.wide(layered) if column.name == "lee_r1_repeat")
    assert repeat.gone[0] == "artefact"
    at_places = [row for row in rows if row["place"] == "right"]
    assert {row["item"] for row in at_places} == {"weishaupt"}


def test_spss_file_has_labels_measures_and_missing_codes(folder: Path, d2: Frames) -> None:
    frame, meta = pyreadstat.read_sav(folder / "spss" / "wide.sav", user_missing=True)
    codes = missing_codes(d2)
    assert str(meta.column_names_to_labels["slip_mm_r1"]).endswith("R1 [mm]")
    assert meta.variable_measure["pfirrmann_r1"] == "ordinal"
    assert meta.variable_measure["slip_mm_r1"] == "scale"
    assert meta.variable_value_labels["pfirrmann_r1"][4.0] == "IV"
    assert meta.variable_value_labels["pfirrmann_r1"][float(codes["not_graded"])] == "Not graded"
    plain, _ = pyreadstat.read_sav(folder / "spss" / "wide.sav")
    np.testing.assert_array_equal(plain["pfirrmann_r1"], d2.grades("R1", "pfirrmann"))
    assert (frame["pfirrmann_r1"] == codes["not_graded"]).sum() == np.isnan(d2.grades("R1", "pfirrmann")).sum()


def test_no_missing_code_is_a_value_of_a_derived_column(d2: Frames) -> None:
    worse = d2.clinical.copy()
    worse.loc[d2.cases[0], ["nrs_baseline", "nrs_15min", "nrs_1month"]] = [2.0, 3.96, 2.0]  # a reduction of -98 percent
    moved = replace(d2, clinical=worse)
    lowest = min(np.nanmin(column.values) for column in columns.wide(moved) if column.values.size)
    assert lowest == pytest.approx(-98)
    assert max(missing_codes(moved).values()) < lowest
    assert min(missing_codes(d2).values()) < max(missing_codes(d2).values()) < 0


def test_stata_and_excel_files_read_back_equal(folder: Path, d2: Frames) -> None:
    frame, meta = pyreadstat.read_dta(folder / "stata" / "wide.dta")
    book = openpyxl.load_workbook(folder / "data" / "data.xlsx", read_only=True)
    head, *rows = book["wide"].iter_rows(values_only=True)
    sheet = pd.DataFrame(rows, columns=list(head))
    for column in columns.wide(d2):
        if column.kind == "text":
            assert list(frame[column.name]) == list(sheet[column.name]) == list(column.texts)
            continue
        np.testing.assert_array_equal(frame[column.name], column.values)
        # Excel keeps 16 digits of a fraction
        np.testing.assert_allclose(sheet[column.name].astype(float), column.values, rtol=1e-15)
    assert meta.variable_value_labels["weishaupt_r1"][3] == d2.item("weishaupt").labels[3]
    missing, _ = pyreadstat.read_dta(folder / "stata" / "wide.dta", user_missing=True)
    assert set(missing["pfirrmann_r1"][np.isnan(d2.grades("R1", "pfirrmann"))]) == {"a"}


def test_a_code_of_a_case_is_no_formula_in_the_workbook(d2: Frames) -> None:
    named = replace(d2, cases=("=1+2", *d2.cases[1:]))
    book = openpyxl.load_workbook(io.BytesIO(datasets.workbook(named, columns.wide(named), [{"column": "=3"}])))
    for sheet, cell in (("wide", "A2"), ("wide_labels", "A2"), ("long", "A2"), ("codebook", "A2")):
        assert (book[sheet][cell].data_type, str(book[sheet][cell].value)[0]) == ("s", "=")


def test_pspp_gives_our_kappas(pspp: str, paper: Results, asked: list[Question], d2: Frames) -> None:
    values = {column.name: column.values for column in columns.wide(d2)}

    def same_codes(one: Question) -> bool:
        a, b = (values[name] for name in one.columns)
        both = np.isfinite(a) & np.isfinite(b)
        return set(a[both]) == set(b[both])

    kept = [one for one in asked if one.kind == "kappa_unweighted" and same_codes(one)]
    assert len(kept) > 4
    for field, column in (("estimate", 2), ("z_approx_t", 4)):
        theirs = printed(pspp, "Kappa", column)
        for value in ours(paper, kept, "kappa_unweighted", field):
            assert min(abs(value - other) for other in theirs) < 1e-9


@pytest.mark.parametrize(
    ("kind", "field", "name", "column"),
    [
        ("chisq", "chi2", "Pearson Chi-Square", 1),
        ("wilcoxon", "z", "Z", 1),
        ("spearman", "rs", "Spearman Correlation", 2),
    ],
)
def test_pspp_gives_our_tests(
    pspp: str, paper: Results, asked: list[Question], kind: str, field: str, name: str, column: int
) -> None:
    expected = ours(paper, asked, kind, field)
    rows = [row for row in csv.reader(io.StringIO(pspp)) if name in row[:2]]
    theirs = [float(cell) for row in rows for cell in row[column:] if re.fullmatch(r"-?\d*\.\d{6,}(E-\d+)?", cell)]
    assert expected
    for value in expected:
        assert min(abs(value - other) for other in theirs) < 1e-9, value


def test_pspp_gives_our_rank_sums_in_their_order(pspp: str, paper: Results, asked: list[Question]) -> None:
    rows = list(csv.reader(io.StringIO(pspp)))
    theirs = [rows[place + 1] for place, row in enumerate(rows) if row[1:2] == ["Mann-Whitney U"]]
    found = [one for one in asked if one.kind == "mwu"]
    assert len(theirs) == len(found) > 10
    for one, row in zip(found, theirs, strict=True):
        assert float(row[1]) == pytest.approx(paper.value(one.id, "U"), abs=1e-9)
        assert float(row[3]) == pytest.approx(paper.value(one.id, "z"), abs=1e-9)


def test_pspp_gives_our_models(pspp: str, paper: Results, asked: list[Question]) -> None:
    rows = list(csv.reader(io.StringIO(pspp)))
    starts = [place for place, row in enumerate(rows) if row == ["Table: Variables in the Equation"]]
    models = [one for one in asked if one.kind == "logistic"]
    assert len(starts) == len(models) > 0
    for one, start in zip(models, starts, strict=True):
        names = [term.name for term in one.terms if term.varies]
        for name, row in zip([*names, "intercept"], rows[start + 3 :], strict=False):
            for field, column in (("b", 2), ("se", 3), ("wald", 4), ("or", 7)):
                expected = paper.value(f"{one.id}/{name}", field)
                assert float(row[column]) == pytest.approx(expected, rel=4e-6, abs=4e-6), (name, field)


def test_base_r_gives_our_numbers(folder: Path, asked: list[Question]) -> None:
    done = programs.run("Rscript", "--vanilla", "analysis.R", cwd=folder / "r")
    assert done.returncode == 0, done.stdout + done.stderr
    with (folder / "r" / "r_estimates.csv").open(newline="") as file:
        assert {row["id"] for row in csv.DictReader(file)} >= {one.id for one in asked}
    compared = re.search(r"(\d+) numbers compared", done.stdout)
    assert compared is not None
    assert int(compared.group(1)) > 400
    assert not re.search(r"library\(|require\(|::", (folder / "r" / "analysis.R").read_text()), "base R only"


def test_r_tells_where_it_differs(folder: Path, tmp_path: Path) -> None:
    text = (folder / "estimates.csv").read_text()
    for path in ("data/wide.csv", "r/analysis.R", "r/questions.csv"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes((folder / path).read_bytes())
    (tmp_path / "estimates.csv").write_text(re.sub(r"(kappa_unweighted,estimate,0)\.", r"\1.1", text, count=1))
    done = programs.run("Rscript", "--vanilla", "analysis.R", cwd=tmp_path / "r")
    assert done.returncode == 1
    assert "kappa_unweighted" in done.stdout[-600:]


def test_results_fit_their_schema(paper: Results) -> None:
    jsonschema.Draft202012Validator.check_schema(RESULTS)
    check = jsonschema.Draft202012Validator(RESULTS)
    document: dict[str, Any] = json.loads(paper.to_json())
    check.validate(document)
    document["entries"][0]["values"][0][1] = None
    assert not check.is_valid(document)


def test_redcap_dictionary_names_every_column(d2: Frames) -> None:
    wide = columns.wide(d2)
    rows = list(csv.DictReader(io.StringIO(exchange.redcap_dictionary(wide))))
    assert [row["Variable / Field Name"] for row in rows] == [column.name for column in wide]
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", row["Variable / Field Name"]) for row in rows)
    lee = next(row for row in rows if row["Variable / Field Name"] == "lee_r1")
    assert lee["Choices, Calculations, OR Slider Labels"].startswith(f"0, {d2.item('lee').labels[0]} | 1, ")


def test_imrmc_counts_are_those_of_its_lines(d2: Frames) -> None:
    wide = columns.wide(d2)
    files = exchange.imrmc(d2, wide)
    head, _, body = files["success_15min.imrmc"].partition("BEGIN DATA:\n")
    counts = {name: int(number) for name, number in re.findall(r"^(N\w): (\d+)$", head, re.MULTILINE)}
    lines = [line.split(",") for line in body.splitlines()]
    truth = {case: value for reader, case, _, value in lines if reader == "-1"}
    assert counts["N1"] == sum(value == "1" for value in truth.values())
    assert counts["N0"] == sum(value == "0" for value in truth.values())
    read = [(reader, case, item) for reader, case, item, _ in lines if reader != "-1"]
    assert counts["NR"] == len({reader for reader, _, _ in read}) == 2
    assert counts["NM"] == len({item for _, _, item in read})
    assert len(read) == len(set(read))
    assert {case for _, case, _ in read} <= truth.keys()


def test_a_rerun_tells_a_changed_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "rerun.py").write_bytes((folder / "rerun.py").read_bytes())
    (tmp_path / "estimates.csv").write_text("id,field\n")
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {"estimates.csv": "0" * 64}, "seed": 0}))
    command = ["python3", "rerun.py", "--spondy", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "estimates.csv is not the file the manifest lists.\n")

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from analytics import report
from analytics.figures import agreement as forest
from analytics.report import results_words
from analytics.report.agreement import agreement as printed
from analytics.report.checklists import deviations
from analytics.report.document import Paragraph, Section, plain
from analytics.report.facts import StudyFacts
from analytics.report.methods import methods
from analytics.report.text import Cells, ratio, rounded
from analytics.stats.agreement import kappa
from analytics.stats.kappa_score import UNCONFIRMED
from analytics.stats.result import Entry, NotEstimable, Results


@pytest.fixture(scope="module")
def tables(full: Results) -> dict[str, report.Table]:
    return {table.code: table.plain() for table in report.tables(full)}


def test_the_journals_tables_are_there(tables: dict[str, report.Table]) -> None:
    assert list(tables)[:8] == [
        "cohort",
        "response",
        "pain_over_time",
        "findings",
        "agreement",
        "univariate",
        "model_default",
        "classification",
    ]
    supplement = {"completeness", "findings_success_15min", "multiplicity", "crossed_lee", "agreement_other"}
    assert supplement | {"bland_altman", "characteristics"} <= set(tables)
    assert {"model_default", "fit_default", "firth_default", "model_bme_only", "model_categorical"} <= set(tables)
    for table in tables.values():
        assert all(len(row) == len(table.columns) for row in table.rows), table.code


def test_the_paper_plan_prints_fewer_tables(paper: Results) -> None:
    codes = [table.code for table in report.tables(paper)]
    assert "agreement" in codes
    assert "agreement_other" not in codes
    assert not [code for code in codes if code.startswith("firth")]


def test_an_agreement_line(tables: dict[str, report.Table], full: Results, paper: Results) -> None:
    row = next(row for row in tables["agreement"].rows if row[0].startswith("Contrast"))
    assert row[1:6] == (
        "55",
        "92.7 %",
        "κ 0.87 (0.69 to 0.95)",
        "0.06",
        "almost perfect (substantial to almost perfect)",
    )
    slip = next(row for row in tables["agreement"].rows if row[0].startswith("Slip"))
    assert slip[3] == "ICC 0.96 (0.93 to 0.98)"
    assert slip[5] == "excellent"
    assert next(row for row in tables["agreement"].rows if "Modic" in row[0])[3] == "κ 0.88 (0.51 to 0.98)"
    # An interval beyond 1, Wald's of the reference study, is cut for print only.
    assert float(str(full.value("agreement/modic_type1/kappa_unweighted", "ci_high"))) > 1
    modic = next(t for t in report.tables(paper) if t.code == "agreement").plain().rows[3]
    assert modic[3].startswith("κ 0.88 (0.64 to 1.00) ("), modic


def test_an_interval_on_few_differing_cases_says_so(
    tables: dict[str, report.Table], full: Results, paper: Results
) -> None:
    as_published = next(table for table in report.tables(paper) if table.code == "agreement").plain()
    few = "(a) rests on four cases read differently; the interval is likely too narrow."
    assert few in as_published.footnotes, "four of 55 pairs of the contrast pattern"
    scored, other = tables["agreement"], tables["agreement_other"]
    assert not [note for note in scored.footnotes if "too narrow" in note], "score intervals are not"
    assert any(note.startswith("κ of two readers: score interval") for note in scored.footnotes)
    assert not [note for note in as_published.footnotes if "score interval" in note]
    assert any("read differently" in note for note in other.footnotes)
    shown = {item["title"]: item["code"] for item in full.subject["items"] if item["kind"] != "continuous"}
    for wald, score in zip(as_published.rows, scored.rows, strict=True):
        if wald[0] in shown:
            cells = full.entry(f"agreement/{shown[wald[0]]}/table").values
            differing = sum(int(str(n)) for name, n in cells.items() if len(set(name.split("|"))) > 1)
            assert wald[3].endswith("(a)") == (differing == 4), wald
            assert ("(" in wald[3].rpartition("to")[2]) == (differing < 10), wald
            assert score[3].split("(")[0] == wald[3].split("(")[0], "the estimate is the same"
            assert score[3] != wald[3], score
            ac1 = next(line for line in other.rows if line[0] == wald[0])[1]
            assert ("(" in ac1.rpartition("to")[2]) == (differing < 10), wald


def test_percentages_stand_with_their_counts(tables: dict[str, report.Table]) -> None:
    shares = [
        cell
        for table in ("cohort", "response", "findings")
        for row in tables[table].rows
        for cell in row[1:]
        if "%" in cell
    ]
    assert len(shares) > 60
    assert all(re.fullmatch(r"\d+ \(\d+\.\d %\)", cell) for cell in shares)
    assert ("Responders (≥ 50 %)", "19 (32.8 %)", "19 (34.5 %)") in tables["response"].rows


def test_a_separated_model_is_words_with_the_reason(tables: dict[str, report.Table]) -> None:
    table = tables["model_default"]
    assert table.rows[0][1] == "not estimable (a)"
    assert any(note.startswith("(a) the outcome is separated") for note in table.footnotes)
    assert any("overfitted" in note for note in table.footnotes)


def test_p_values_print_below_a_thousandth_as_such(tables: dict[str, report.Table]) -> None:
    assert tables["pain_over_time"].rows[0][-1] == "< 0.001"
    assert tables["univariate"].rows[-2][3].startswith("< 0.001 [0.007]")


@pytest.mark.parametrize(
    ("value", "shown"), [(0.004, "< 0.01"), (0.005, "0.01"), (99.995, "100.00"), (123.5, "124"), (2.675, "2.68")]
)
def test_odds_ratios_are_printed_with_sense(value: float, shown: str) -> None:
    assert ratio(value) == shown


def test_signs_and_large_numbers() -> None:
    assert rounded(-0.4, 1) == "−0.4"
    assert rounded(1234567.0, 2) == "1.2 × 10^6"
    assert rounded(-0.0001, 2) == "0.00"


def test_reasons_are_shared_and_marked() -> None:
    values = {"a": NotEstimable("first"), "b": NotEstimable("second"), "c": NotEstimable("first")}
    results = Results({}, {}, 0, (Entry("x", 1, "m", values),))
    cells = Cells(results)
    assert [plain(cells.number("x", field)) for field in "abc"] == [
        "not estimable (a)",
        "not estimable (b)",
        "not estimable (a)",
    ]
    assert tuple(map(plain, cells.footnotes)) == ("(a) first.", "(b) second.")


def test_no_table_without_numbers(paper: Results) -> None:
    only = Results(paper.plan, paper.subject, 0, tuple(paper.under("descriptive/")))
    assert [table.code for table in report.tables(only)] == ["cohort"]


def _two_readers(*entries: Entry) -> Results:
    finding = {"code": "x", "title": "Finding", "kind": "ordinal", "names": ("0", "1"), "labels": ("no", "yes")}
    return Results({}, {"readers": ["R1", "R2"], "items": [finding | {"unit": ""}]}, 0, entries)


def test_one_readers_test_is_not_every_readers() -> None:
    first = Entry("mwu/R1/x/by/success_15min", 20, "m", {"p": 0.01})
    constant = Entry("mwu/R2/x/by/success_15min", 20, "m", {"p": NotEstimable("all values are the same")})
    second = Entry("mwu/R2/x/by/success_15min", 20, "m", {"p": 0.02})
    (said,) = map(plain, results_words.association(_two_readers(first, constant)))
    assert "for every reader" not in said
    assert "for one reader only" in said
    assert "R2: no test, not estimable: all values are the same" in said
    (both,) = map(plain, results_words.association(_two_readers(first, second)))
    assert "for every reader" in both
    assert "no test" not in both


def test_the_zero_of_a_constant_reader_is_nowhere_an_agreement() -> None:
    """The formula gives 0 whatever the other reader did; table, figure and prose refuse it alike."""
    agreed = Entry("agreement/x/agreement", 13, "m", {"n_pairs": 13, "percent_agreement": 76.9})
    constant = _two_readers(agreed, Entry.of("agreement/x/kappa_unweighted", kappa([[10, 0], [3, 0]], [0, 1])))
    assert constant.value("agreement/x/kappa_unweighted", "estimate") == 0
    (said,) = map(plain, results_words.agreement(constant))
    assert said == "Kappa was not estimable for finding; the table gives the reason."
    assert not forest.ready(constant)
    table = printed(constant)
    assert table is not None
    assert "not estimable" in table.rows[0][3]
    both = _two_readers(agreed, Entry.of("agreement/x/kappa_unweighted", kappa([[10, 1], [0, 2]], [0, 1])))
    assert "highest for finding: kappa 0.75" in plain(results_words.agreement(both)[0])
    assert forest.ready(both)


def test_where_no_score_interval_exists_its_reason_stands_and_no_other_interval() -> None:
    """Wald's would be tight here, although each reader saw the finding in other cases than the other."""
    entry = Entry.of("agreement/x/kappa_unweighted", kappa([[56, 1], [3, 0]], [0, 1]))
    assert isinstance(entry.values["ci_low"], float)
    results = replace(
        _two_readers(Entry("agreement/x/agreement", 60, "m", {"n_pairs": 60, "percent_agreement": 93.3}), entry),
        plan={"code": "full", "title": "T", "digest": "a"},
    )
    table = printed(results)
    assert table is not None
    row = table.plain().rows[0]
    assert row[3] == "κ −0.03 (interval not estimable (a))"
    assert row[5] == "poor"
    assert f"(a) {UNCONFIRMED}." in table.plain().footnotes
    (said,) = map(plain, results_words.agreement(results))
    assert "kappa −0.03 (interval not estimable: no case" in said
    assert " to " not in said
    assert not forest.ready(results)


def test_the_methods_name_the_score_interval_of_pairs_of_several_readers() -> None:
    found = kappa([[20, 2], [3, 15]], [0, 1])
    for plan, named in (("full", True), ("paper", False)):
        results = Results(
            {"code": plan, "title": "T", "digest": "a"},
            {"readers": ["R1", "R2", "R3"], "items": [], "has_outcomes": False},
            0,
            (Entry.of("agreement/x/pairs/R1-R2/kappa_unweighted", found),),
        )
        section = next(one for one in methods(results, StudyFacts()) if one.code == "methods_statistics")
        said = "Intervals of Cohen's kappa are score intervals, where they exist." in " ".join(_sentences(section))
        assert said == named, plan


def _sentences(section: Section) -> list[str]:
    return [plain(block.text) for block in section.blocks if isinstance(block, Paragraph)]


@pytest.mark.parametrize(
    ("digest", "outcomes", "frozen", "said", "left"),
    [
        ("a" * 64, True, "a" * 12, "was frozen before the first reading.", "None: the plan that was run is the one"),
        ("b" * 64, True, "a" * 12, "Another plan was run (Title; digest bbbbbbbbbbbb)", "is not the one frozen"),
        ("b" * 64, False, "a" * 12, "only those that need no outcome are answered", "Only agreement was analysed"),
        ("b" * 64, True, "", "that was not frozen before the first reading", "No analysis plan was frozen"),
    ],
)
def test_no_plan_is_called_frozen_that_was_not(digest: str, outcomes: bool, frozen: str, said: str, left: str) -> None:
    subject = {"readers": ["R1", "R2"], "items": [], "has_outcomes": outcomes}
    results = Results({"title": "Title", "digest": digest}, subject, 0, ())
    about = StudyFacts(settings={"plan": "full", "plan_digest": frozen, "instrument": "i"})
    section = next(one for one in methods(results, about) if one.code == "methods_statistics")
    (words, *_) = _sentences(section)
    assert said in words
    assert ("digest aaaaaaaaaaaa" in words) == bool(frozen), "the digest that was frozen stands there whatever was run"
    assert (") was frozen" in words) == (digest[:12] == frozen)
    (kept,) = _sentences(deviations(results, about))
    assert left in kept
    assert ("None:" in kept) == (digest[:12] == frozen)


def test_blinding_is_claimed_only_where_the_program_showed_the_images() -> None:
    results = Results(
        {"title": "T", "digest": "a"}, {"readers": ["R1", "R2"], "items": [], "has_outcomes": True}, 0, ()
    )
    said = {}
    for images in ("none", "shown"):
        about = StudyFacts(settings={"images": images, "instrument": "i"})
        (said[images],) = _sentences(next(one for one in methods(results, about) if one.code == "methods_reading"))
    assert "without names, clinical data" in said["shown"]
    assert "without names" not in said["none"]
    assert "Images were viewed outside it" in said["none"]


def test_the_coefficient_of_several_readers_is_fleiss_in_words_and_forest() -> None:
    finding = {"code": "x", "title": "Finding", "kind": "nominal", "names": ("0", "1"), "labels": ("no", "yes")}
    subject = {"readers": ["R1", "R2", "R3"], "items": [finding | {"unit": ""}], "has_outcomes": False}
    fleiss = Entry("agreement/x/fleiss_unweighted", 9, "m", {"estimate": 0.5, "ci_low": 0.3, "ci_high": 0.7})
    conger = Entry("agreement/x/conger_unweighted", 9, "m", {"estimate": 0.6, "ci_low": 0.4, "ci_high": 0.8})
    results = Results({"title": "T", "digest": "a"}, subject, 0, (fleiss, conger))
    assert "finding: Fleiss' kappa 0.50" in plain(results_words.agreement(results)[0])
    statistics = next(one for one in methods(results, StudyFacts()) if one.code == "methods_statistics")
    assert "is Fleiss' unweighted kappa of all readers" in " ".join(_sentences(statistics))
    only = Results({}, subject, 0, (conger,))
    assert forest.ready(results)
    assert not forest.ready(only), "the forest draws what the table prints"

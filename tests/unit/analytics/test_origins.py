"""Every number of the report says where it comes from: its line of estimates.csv, or the fact that was stated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from analytics import plans
from analytics.frames import Frames
from analytics.report.cohort import RESPONSES, times
from analytics.report.compose import compose
from analytics.report.document import Fact, Number, Paragraph, Report, Table, pieces, plain
from analytics.report.facts import Dated, StudyFacts
from analytics.report.text import Cells, rounded
from analytics.stats.result import Entry, NotEstimable, Results
from annotation.protocol import FACTS
from tests.unit.analytics.test_context import CONTEXT

ABOUT = StudyFacts(
    told={one.code: f"{one.label} 17" for one in FACTS} | {"period_begin": "2015-07", "period_end": "2024-07"},
    readers={"R1": "12 years", "R2": "4 years"},
    settings=dict.fromkeys(("instrument", "protocol_digest", "plan_digest", "segments", "sides", "index_level"), "v 3"),
    life=(Dated("frozen", "2025-01-02"), Dated("locked", "2025-03-04")),
    deviations=("Deviation: another plan was run.",),
)
# What bears digits and is no number of the study; everything else carries its origin.
NAMES = [
    r"\bR\d+(–R\d+)?\b",  # readers
    r"\b15 minutes\b|\b1 month\b",  # times
    r"\b95 %",  # the level of every interval
    r"\bNRS 0–10\b",  # the pain scale
    r"\bAC[12]\b|\(A,1\)",  # names of statistics
    r"\b[sS]lope 1\b|\bintercept 0 and slope 1\b|\bTest of 0 and 1\b|\b1 − specificity\b|\(1 − t\)",
    r"Limits (of \w+, AUC and Brier score )?beyond (−1|0) and 1\b",  # ends of scales
    r"\bTreat none: 0\b|−2 log likelihood",
    r"\bSTARD 2015\b",
    *(re.escape(label) for label in RESPONSES.values()),
]


def texts(report: Report) -> Iterator[str]:
    yield report.title
    for section in report.sections:
        yield section.title
        for block in section.blocks:
            if isinstance(block, Paragraph):
                yield block.text
            elif isinstance(block, Table):
                yield from (
                    block.title,
                    *block.columns,
                    *block.footnotes,
                    *(cell for row in block.rows for cell in row),
                )
            else:
                yield from (block.caption, block.alt)


def levels(results: Results) -> list[str]:
    named = [*results.subject["items"], *results.subject["characteristics"]]
    words = {word for one in named for word in (one["title"], *one["labels"], *one["names"])}
    words |= {one["title"] for one in results.subject.get("series", ())}
    words = {word for word in words if re.search(r"\d", word) and re.search(r"[^\W\d]", word)}
    return [rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(words, key=len, reverse=True)]


def bare(results: Results) -> re.Pattern[str]:
    """A cell that names a level whose label is a number, alone or after what it is a level of."""
    labels = {label for one in results.subject["items"] for label in one["labels"] if label.isdecimal()}
    return re.compile(rf"(\s*|.*: )({'|'.join(sorted(labels))})")


def strangers(report: Report, results: Results) -> list[str]:
    """Texts with a digit that has no origin, and numbers whose origin is not there."""
    known = re.compile("|".join([*NAMES, *levels(results)]))
    found, level = [], bare(results)
    for text in texts(report):
        if level.fullmatch(known.sub("", text)):
            continue
        for piece in pieces(text):
            if isinstance(piece, Number):
                entry = results.entry(piece.id) if piece.id in results else None
                if entry is None or piece.field not in {*entry.values, "n", "notes"}:
                    found.append(f"{piece} in {plain(text)}")
            elif not isinstance(piece, Fact) and re.search(r"\d", known.sub("", piece)):
                found.append(f"{known.sub('', piece)!r} in {plain(text)!r}")
    return sorted(set(found))


@pytest.fixture(scope="module")
def whole(d2: Frames) -> Results:
    """Every kind of table the extended plan prints, resampled a few times, for one small specification."""
    extended = plans.get("extended").with_bootstrap(12)
    steps = [s for s in extended.steps if s.kind == "model" or s.params.get("specification", "bme_only") == "bme_only"]
    return plans.carry_out(replace(extended, steps=tuple(steps)), replace(d2, context=CONTEXT))


def test_no_digit_without_an_origin(full: Results, whole: Results) -> None:
    for results, about in ((whole, ABOUT), (full, None)):
        report = compose(results, "Report", {}, about)
        assert strangers(report, results) == []
        assert sum(isinstance(piece, Number) for text in texts(report) for piece in pieces(text)) > 1000


def test_the_watch_finds_what_it_looks_for(full: Results) -> None:
    report = compose(full, "Report", {})
    first = report.sections[0]
    for said in ("It was 7.", f"{rounded(2.5, 1)} of them", "grade 3", "in 1 week"):
        spoilt = replace(report, sections=(replace(first, blocks=(Paragraph(said),)), *report.sections[1:]))
        assert len(strangers(spoilt, full)) == 1, said


def test_what_has_no_value_is_said_in_words_with_its_reason(whole: Results) -> None:
    report = compose(whole, "Report", {}, ABOUT)
    reasons = {v.why for entry in whole.entries for v in entry.values.values() if isinstance(v, NotEstimable)}
    without = [table for table in report.tables() if any("not estimable" in c for row in table.rows for c in row)]
    assert len(without) > 5
    for table in without:
        marks = {
            mark for row in table.rows for c in row for mark in re.findall(r"not estimable (\([a-z]+\))", plain(c))
        }
        for mark in marks:
            (note,) = (plain(note) for note in table.footnotes if note.startswith(mark))
            assert note.removeprefix(f"{mark} ").removesuffix(".") in reasons
    said = " ".join(
        block.text for section in report.sections for block in section.blocks if isinstance(block, Paragraph)
    )
    assert "not estimable: " in plain(said)
    for text in texts(report):
        assert not re.search(r"\b(nan|None|inf|NaN)\b", plain(text)), text


@pytest.mark.parametrize(
    ("counts", "warned"), [((1, 1, 1), True), ((1, 3, 4), False), ((1, 1, 6), False), ((7, 7, 2), True)]
)
def test_percentages_that_do_not_add_up_say_so(counts: tuple[int, ...], warned: bool) -> None:
    """Thirds print as three times 33.3; eighths as 12.5, 37.5, 50.0; 43.8 twice and 12.5 make 100.1."""
    values = {f"pct_{place}": 100 * count / sum(counts) for place, count in enumerate(counts)}
    cells = Cells(Results({}, {}, 0, (Entry("x", sum(counts), "m", values),)))
    cells.whole([("x", name) for name in values])
    assert bool(cells.footnotes) is warned


def test_a_tie_is_rounded_up_once() -> None:
    values = {"share": 0.1245, "seconds": 93.0, "percent": 12.25}
    cells = Cells(Results({}, {}, 0, (Entry("x", 1, "m", values),)))
    from fractions import Fraction

    assert plain(cells.scaled("x", "share", 100, 1)) == "12.5", "100 * 0.1245 is 12.450000000000001 in floats"
    assert plain(cells.scaled("x", "seconds", Fraction(1, 60), 1)) == "1.6", "93 seconds are 1.55 minutes"
    assert plain(cells.number("x", "percent", 1)) == "12.3"
    assert rounded(0.285, 0, Fraction(100)) == "29", "100 * 0.285 is 28.499999999999996 in floats"


def test_an_odds_ratio_is_never_a_likelihood_nor_a_cause(whole: Results) -> None:
    words = " ".join(plain(text) for text in texts(compose(whole, "Report", {}, ABOUT)))
    assert not re.search(r"times (more|less|as) likely|\bcaused\b|\bleads to\b|\bpredicts\b|\bproves\b", words)
    for p in re.finditer(r"[^.;(]*\bp (?:=|<) 0\.\d+[^);]*", " ".join(plain(b.text) for b in _results(whole))):
        assert re.search(r"Wilcoxon|McNemar|Spearman|chi-square|Mann-Whitney|Wald|n = \d+", p[0]), p[0]


def _results(results: Results) -> list[Paragraph]:
    report = compose(results, "Report", {}, ABOUT)
    return [block for section in report.sections for block in section.blocks if isinstance(block, Paragraph)]


def test_the_readings_timed_of_all_are_traced_to_the_total() -> None:
    """The total once bore the origin of the number missing."""
    spread = {"median": 90.0, "q25_type6": 60.0, "q75_type6": 120.0, "min": 60.0, "max": 120.0}
    entry = Entry("time/R1/mr", 2, "m", spread | {"n_missing": 1, "of": 3})
    table = times(Results({}, {"readers": ["R1"], "forms": ["mr"]}, 0, (entry,)))
    assert table is not None
    found = [piece for piece in pieces(table.rows[0][1]) if isinstance(piece, Number)]
    assert plain(table.rows[0][1]) == "2 of 3"
    assert [piece.field for piece in found] == ["n", "of"]
    assert entry.values[found[1].field] == 3

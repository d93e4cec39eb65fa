"""Figures: equal bytes, fonts inside, readable type, nothing over anything else, and drawn from their numbers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from analytics import figures, plans
from analytics.figures.marks import LOOKS
from analytics.figures.sheet import FULL, HALF, Sheet, style
from analytics.frames import Frames
from analytics.stats.result import Entry, Results

LEAST = 5.0  # points: what a printed page still shows
FLOW = {"flow/assessed": 289, "flow/excluded/a": 100, "flow/excluded/b": 55, "flow/included": 134}


def _with_flow(results: Results) -> Results:
    flow = tuple(Entry(id, n, "counts", {"n": n}) for id, n in FLOW.items())
    titles = {"a": "No pain assessment", "b": "No imaging of the spine in the half year before the injection"}
    words = [{"code": code, "title": title} for code, title in titles.items()]
    return replace(results, subject={**results.subject, "exclusions": words}, entries=(*results.entries, *flow))


def _only(plan: str, frames: Frames, *kinds: str) -> Results:
    """Carry out of a plan what figures show: some kinds of steps, models of the main specification alone."""
    found = plans.get(plan)
    steps = [
        step
        for step in found.steps
        if step.kind in kinds
        and step.params.get("specification", "default") == "default"
        and step.params.get("procedure", "maximum_likelihood") == "maximum_likelihood"
    ]
    few = [replace(s, params={**s.params, "replicates": 100} if "replicates" in s.params else s.params) for s in steps]
    return plans.carry_out(replace(found, steps=tuple(few)), frames)


@pytest.fixture(scope="module")
def extended(d2: Frames, full: Results) -> Results:
    more = _only("extended", d2, "calibration", "optimism")
    known = {entry.id for entry in full.entries}
    return _with_flow(replace(full, entries=(*full.entries, *(e for e in more.entries if e.id not in known))))


@pytest.fixture(scope="module")
def three(d2: Frames) -> Results:
    """Three readers; the third is the first with every fourth case as the second."""
    one, two = (d2.readings[reader] for reader in d2.readers)
    third = one.copy()
    third.iloc[::4] = two.iloc[::4]
    return _only("full", replace(d2, readings={**d2.readings, "R3": third}), "agreement", "model")


@pytest.fixture(scope="module")
def alone(d2: Frames) -> Results:
    """Only one reader read."""
    none = pd.DataFrame(np.nan, index=d2.readings["R2"].index, columns=d2.readings["R2"].columns)
    return _only("full", replace(d2, readings={**d2.readings, "R2": none}), "agreement", "model", "response_pairs")


def _written(sheet: Sheet) -> Iterator[tuple[str, Bbox, float]]:
    """Everything that can be read on a sheet, with its place in pixels."""
    FigureCanvasAgg(sheet.figure)
    sheet.figure.set_dpi(200)
    sheet.figure.draw_without_rendering()
    beyond: set[int] = set()  # ticks outside what the axes show
    for axes in sheet.figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if not low <= tick.get_loc() <= high:
                    beyond |= {id(tick.label1), id(tick.label2)}
    for found in sheet.figure.findobj(Text):
        if isinstance(found, Text) and found.get_visible() and found.get_text().strip() and id(found) not in beyond:
            box = found.get_window_extent()
            if box.width > 1:
                yield found.get_text(), box, float(found.get_fontsize())


def _faults(sheet: Sheet) -> list[str]:
    written = list(_written(sheet))
    page = sheet.figure.bbox
    faults = [f"cut off: {text}" for text, box, _ in written if not _inside(box, page)]
    faults += [f"too small: {text}" for text, _, size in written if size < LEAST - 1e-9]
    for place, (text, box, _) in enumerate(written):
        for other, under, _ in written[:place]:
            wide = min(box.x1, under.x1) - max(box.x0, under.x0)
            high = min(box.y1, under.y1) - max(box.y0, under.y0)
            if wide > 1 and high > 2:
                faults.append(f"overlap: {text!r} and {other!r}")
    return faults


def _inside(box: Any, page: Any) -> bool:
    return bool(box.x0 >= -0.5 and box.y0 >= -0.5 and box.x1 <= page.x1 + 0.5 and box.y1 <= page.y1 + 0.5)


@pytest.mark.parametrize("study", ["extended", "three", "alone", "paper"])
def test_nothing_overlaps_is_cut_off_or_too_small(study: str, request: pytest.FixtureRequest) -> None:
    results: Results = request.getfixturevalue(study)
    with style():
        sheets = figures.sheets(results)
        faults = {name: found for name, sheet in sheets.items() if (found := _faults(sheet))}
    assert faults == {}
    assert list(sheets) == figures.available(results)
    assert all(sheet.width <= FULL and sheet.height <= 225 for sheet in sheets.values())


def test_the_check_itself_sees_what_it_is_for() -> None:
    with style():
        sheet = Sheet(HALF, 40)
        sheet.text(10, 20, "one over")
        sheet.text(12, 20.5, "the other")
        sheet.text(80, 5, "beyond the edge")
        sheet.text(10, 35, "tiny", size=3)
        kinds = sorted(fault.partition(":")[0] for fault in _faults(sheet))
    assert kinds == ["cut off", "overlap", "too small"]


def test_all_figures_are_there_where_their_numbers_are(extended: Results, paper: Results, alone: Results) -> None:
    assert figures.available(extended) == list(figures.TITLES)
    assert {"exclusion_flow", "decision_curve", "bland_altman"}.isdisjoint(figures.available(paper))
    assert {"kappa_forest", "agreement_tables", "bland_altman"}.isdisjoint(figures.available(alone))
    assert "odds_ratios_1month" in figures.available(alone)
    assert figures.TITLES.keys() == figures.ALTS.keys()


def test_what_was_computed_before_there_were_series_draws_what_it_can(full: Results) -> None:
    document = full.to_document()
    for entry in document["entries"]:
        del entry["series"]
    old = Results.from_document(document)
    missing = set(figures.available(full)) - set(figures.available(old))
    assert missing == {"qq_change", "bland_altman", "roc", "calibration"}


def test_series_survive_the_document_and_stand_in_no_list(full: Results) -> None:
    again = Results.from_json(full.to_json())
    pairs = again.entry("agreement/slip_mm/bland_altman")
    assert pairs.series == full.entry("agreement/slip_mm/bland_altman").series
    assert sum(pairs.series["cases"]) == pairs.n
    assert list(pairs.series["mean"]) == sorted(pairs.series["mean"]), "never in the order of the cases"
    mean = np.average(pairs.series["difference"], weights=pairs.series["cases"])
    assert mean == pytest.approx(pairs.values["bias"])
    roc = full.entry("logistic/bme_only/R1/success_15min/roc")
    x, y = roc.series["one_minus_specificity"], roc.series["sensitivity"]
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(y, x) == pytest.approx(roc.values["auc"])
    change = full.entry("wilcoxon/nrs_baseline-nrs_15min")
    assert sum(change.series["cases"]) == change.n


@pytest.mark.parametrize("format", ["svg", "pdf", "png", "tiff"])
def test_bytes_are_equal_in_every_format(format: Any, full: Results) -> None:
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.hashsalt": None}):  # another machine's settings
        only = replace(full, entries=tuple(e for e in full.entries if e.id.startswith(("response/", "descriptive/"))))
        first = figures.draw(only, format)
    assert list(first) == ["response_flow", "nrs_over_time"]
    assert figures.draw(only, format) == first
    if format == "svg":
        assert all(b"dc:date" not in one and b"<text" not in one for one in first.values())


def test_pdf_has_truetype_fonts_inside_and_no_date(full: Results) -> None:
    drawn = figures.draw(replace(full, entries=tuple(full.under("response/"))), "pdf")["response_flow"]
    assert b"/FontFile2" in drawn
    assert b"/CIDFontType2" in drawn
    assert b"/Type3" not in drawn
    assert b"/CreationDate" not in drawn


def test_pixels_are_fine_enough_for_print(full: Results) -> None:
    drawn = figures.draw(replace(full, entries=tuple(full.under("descriptive/"))), "png")["nrs_over_time"]
    picture = Image.open(io.BytesIO(drawn))
    assert picture.width == pytest.approx(HALF / 25.4 * 600, abs=1)
    assert picture.info["dpi"] == pytest.approx((600, 600), abs=0.1)


def test_readers_are_told_apart_without_colour() -> None:
    assert len({look.marker for look in LOOKS}) == len(LOOKS)
    assert len({str(look.line) for look in LOOKS}) == len(LOOKS)


def _texts(results: Results, name: str) -> list[str]:
    with style():
        return [text for text, _, _ in _written(figures.KINDS[name].make(results))]


def test_a_figure_changes_with_its_number_and_no_other_does(full: Results) -> None:
    entries = tuple(
        replace(e, values={**e.values, "estimate": 0.1}) if e.id == "agreement/lee/kappa_unweighted" else e
        for e in full.entries
        if e.id.startswith(("agreement/", "response/"))
    )
    before = figures.draw(replace(full, entries=tuple(e for e in full.entries if e.id in {one.id for one in entries})))
    after = figures.draw(replace(full, entries=entries))
    assert [name for name in after if after[name] != before[name]] == ["kappa_forest"]


def test_no_figure_without_numbers(full: Results) -> None:
    assert figures.draw(replace(full, entries=tuple(full.under("completeness/")))) == {}


def test_figures_print_the_numbers_of_the_results(extended: Results) -> None:
    assert {"n = 289", "n = 134", "Excluded (n = 155)"} <= set(_texts(extended, "exclusion_flow"))
    assert "0.87 (0.69 to 0.95)" in _texts(extended, "kappa_forest"), "score interval, as in the table"
    as_published = replace(extended, plan={**extended.plan, "code": "paper"})
    assert "0.87 (0.74 to 0.99)*" in _texts(as_published, "kappa_forest"), "four cases were read differently"
    assert "−0.01 (−0.31 to 0.29)" in _texts(extended, "bland_altman")
    assert any("Firth-penalised" in text for text in _texts(extended, "odds_ratios_15min"))
    assert any(text.startswith("Not estimable") for text in _texts(extended, "calibration"))
    assert "1 month" in _texts(extended, "response_flow")


def test_a_class_without_cases_is_named(full: Results) -> None:
    pairs = full.entry("response/15min-1month")
    moved = {name: 0 if name.endswith("|increased") else value for name, value in pairs.values.items()}
    n = sum(int(str(value)) for value in moved.values())
    changed = replace(full, entries=(replace(pairs, values=moved, n=n),))
    assert any("Nobody had: increased pain at 1 month." in text for text in _texts(changed, "response_flow"))
    with style():
        assert _faults(figures.KINDS["response_flow"].make(changed)) == []

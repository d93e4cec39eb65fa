"""The report as page, Word file, PDF and workbook: read back with other readers than the writers."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import docx as word
import openpyxl
import pytest
from docx.oxml.ns import qn
from PIL import Image

from analytics import figures, report
from analytics.report.document import Number, Report, Section, Table, marked, pieces, plain
from analytics.report.layout import DIGIT, indents, numbering, setting, shares, width
from analytics.report.page import MOVES
from analytics.stats.result import Entry, NotEstimable, Results, spelled

Drawn = Mapping[str, Mapping[str, bytes]]


@pytest.fixture(scope="module")
def composed(full: Results) -> Report:
    return report.compose(full, "Study <X> & more", {"Study": "DEMO", "Made": "today"})


@pytest.fixture(scope="module")
def drawn(full: Results) -> Drawn:
    shown = io.BytesIO()
    Image.new("RGB", (300, 200)).save(shown, "PNG")  # to draw them all at print resolution would take half a minute
    return {name: {"svg": svg, "png": shown.getvalue()} for name, svg in figures.draw(full, "svg").items()}


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.numbers: list[dict[str, str | None]] = []
        self.tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tables += tag == "table"
        if tag not in {"meta", "img", "br", "link"}:
            self.open.append(tag)
        if tag == "data":
            self.numbers.append(known)
        self.anchors.add(known.get("id") or "")
        for value in (known.get("src"), known.get("href")):
            if value and value.startswith("#"):
                self.links.add(value[1:])
            elif value and not value.startswith("data:"):
                self.outside.append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_fetches_nothing_and_keeps_all_digits(full: Results, composed: Report, drawn: Drawn) -> None:
    page = report.html(composed, drawn)
    parser = Page()
    parser.feed(page)
    assert parser.open == []
    assert parser.outside == []
    assert parser.links <= parser.anchors
    assert parser.tables == len(composed.tables())
    assert "Study &lt;X&gt; &amp; more" in page
    assert full.plan["digest"][:12] in page
    assert "<script" not in page
    assert page == report.html(composed, drawn)
    of_values = [one for one in parser.numbers if one["data-field"] in full.entry(str(one["data-id"])).values]
    assert len(of_values) > 500
    for one in of_values:
        value = full.value(str(one["data-id"]), str(one["data-field"]))
        assert one["value"] == ("" if isinstance(value, NotEstimable) else spelled(value)), one


def test_the_word_file_is_native_and_in_journal_style(composed: Report, drawn: Drawn) -> None:
    first = report.docx(composed, drawn)
    document = word.Document(io.BytesIO(first))
    printed = composed.tables()
    assert len(document.tables) == len(printed)
    for made, table in zip(document.tables, printed, strict=True):
        above = 2 if setting(table).groups else 1
        rows = made._tbl.tr_lst
        for row, cells in zip(rows[above:], table.rows, strict=True):
            texts = ["".join(node.text or "" for node in cell.iter(qn("w:t"))) for cell in row.tc_lst]
            assert texts == [plain(cell).strip() for cell in cells]
            assert row.get_or_add_trPr().find(qn("w:cantSplit")) is not None
        assert all(row.get_or_add_trPr().find(qn("w:tblHeader")) is not None for row in rows[:above])
        assert made._tbl.find(".//" + qn("w:insideV")) is None
    kinds = {section.orientation for section in document.sections}
    assert len(kinds) == 2, "wide tables stand on pages of their own"
    pictures = document.element.findall(".//" + qn("wp:docPr"))
    assert [one.get("descr") for one in pictures] == [plain(figure.alt) for figure in composed.figures()]
    links = {one.get(qn("w:anchor")) for one in document.element.iter(qn("w:hyperlink"))}
    assert links == {one.get(qn("w:name")) for one in document.element.iter(qn("w:bookmarkStart"))}
    assert any("DEMO" in paragraph.text for paragraph in document.paragraphs)
    assert report.docx(composed, drawn) == first


def test_the_pdf_has_every_table_embedded_fonts_and_equal_bytes(composed: Report, drawn: Drawn, tmp_path: Path) -> None:
    first = report.pdf(composed, drawn)
    assert first == report.pdf(composed, drawn)
    path = tmp_path / "report.pdf"
    path.write_bytes(first)

    def told(*command: str) -> str:
        return subprocess.run([*command, str(path), *(["-"] if command[0] == "pdftotext" else [])], check=True,
                              capture_output=True, text=True).stdout  # fmt: skip

    text = " ".join(told("pdftotext", "-layout").split())
    for place, table in enumerate(composed.tables(), start=1):
        assert f"Table {place}. {' '.join(plain(table.title).split())}"[:60] in text
    fonts = [line.split() for line in told("pdffonts").splitlines()[2:]]
    assert fonts
    # The columns from the right: object, its generation, unicode, subset, embedded.
    assert {line[-5] for line in fonts} == {"yes"}
    about = told("pdfinfo")
    assert re.search(r"Tagged:\s+yes", about)
    assert b"pdfuaid" in first or "UA" in told("pdfinfo", "-meta")


def test_the_workbook_has_numbers_as_numbers(composed: Report) -> None:
    first = report.xlsx(composed)
    assert report.xlsx(composed) == first
    book = openpyxl.load_workbook(io.BytesIO(first))
    tables = composed.tables()
    assert book.sheetnames[0] == "Contents"
    assert len(book.sheetnames) == 1 + len(tables)
    unrounded = 0
    for sheet, table in zip(book.worksheets[1:], tables, strict=True):
        assert sheet.freeze_panes == "B4"
        assert [cell.value for cell in sheet[3]] == [plain(head) or None for head in table.columns]
        for line, row in enumerate(table.rows, start=4):
            for place, text in enumerate(row, start=1):
                cell, parts = sheet.cell(line, place), list(pieces(text))
                if cell.data_type == "n" and cell.value is not None:
                    assert len(parts) == 1
                    decimals = len(plain(text).partition(".")[2])
                    assert (
                        abs(float(str(cell.value)) - float(plain(text).replace("−", "-"))) <= 0.5000001 * 10**-decimals
                    )
                    one = parts[0]
                    unrounded += isinstance(one, Number) and cell.value == composed.full(one)
                else:
                    assert (cell.value or "") == plain(text).strip()
    assert unrounded > 50
    links = [cell.hyperlink.location for cell in book["Contents"]["A"] if cell.hyperlink]
    assert [link.split("!")[0].strip("'") for link in links] == book.sheetnames[1:]


def test_no_text_of_the_workbook_is_a_formula() -> None:
    typed = '=HYPERLINK("http://x.invalid","y")'
    table = Table("t", "T", ("=1", "b"), (("=2", "=3"),), footnotes=("=4",))
    made = Report(typed, {"Study": typed, "=5": "z"}, (Section("t", "T", (table,)),), Results({}, {}, 0, ()))
    for file in (report.xlsx(made), *report.sheets(made).values()):
        cells = [cell for sheet in openpyxl.load_workbook(io.BytesIO(file)) for row in sheet for cell in row]
        assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
        assert {"=1", "=2", "=3", "=4"} <= {cell.value for cell in cells}
    contents = openpyxl.load_workbook(io.BytesIO(report.xlsx(made)))["Contents"]
    assert [[cell.value for cell in row] for row in contents["A1:B3"]] == [[typed, None], ["Study", typed], ["=5", "z"]]


def test_decimals_stand_under_one_another() -> None:
    column = ["0.61 (0.49 to 0.71)", "12.5", "−3.25", "< 0.001", "not estimable (a)", ""]
    whole = ["0", "12", "−3", "< 0"]
    ends = {round(move * DIGIT + width(text), 2) for move, text in zip(indents(column), whole, strict=False)}
    assert max(ends) - min(ends) < 0.02
    assert indents(column)[4:] == [0.0, 0.0]
    assert indents(["a 1", "b 2", "3"]) == [0.0, 0.0, 0.0], "words are not moved"


def test_a_cell_is_moved_by_classes_that_both_style_sheets_know() -> None:
    table = Table("t", "T", ("", "n"), (("a", "1234.5"), ("b", "0.5"), ("c", "−12")))
    made = Report("T", {}, (Section("s", "S", (table,)),), Results({}, {}, 0, ()))
    page = report.html(made, {})
    assert ' style="' not in page, "the pages' policy forbids style attributes"
    cells = re.findall(r'<td class="[^"]*moved d(\d+) t(\d)[^"]*">', page)
    moved = indents([row[1] for row in table.rows])
    assert [int(d) + int(t) / 10 for d, t in cells] == pytest.approx([one for one in moved if one], abs=0.051)
    assert len(cells) == 2
    of_the_run = (Path(__file__).resolve().parents[3] / "static" / "css" / "report.css").read_text(encoding="utf-8")
    assert MOVES in page
    assert MOVES in of_the_run


def test_widths_fill_the_room_and_heads_span() -> None:
    rows = (("A long name of a finding that may be broken", "0.61 (0.49 to 0.71)", "0.50 (0.10 to 0.90)"),)
    table = Table("x", "X", ("Finding", "R1: kappa", "R1: weighted"), rows)
    set = setting(table)
    assert set.groups == (("", 1), ("R1", 2))
    assert set.heads == ("Finding", "kappa", "weighted")
    assert shares(set, 1000) == list(set.most)
    tight = shares(set, sum(set.most) - 5)
    assert sum(tight) == pytest.approx(sum(set.most) - 5)
    assert tight[1:] == pytest.approx(set.most[1:]), "the name of the row gives way first"
    same = (Section("x", "X", (table,)), Section("y", "Y", (Table("y", "Y", ("",), ()),)))
    assert list(numbering(Report("r", {}, same)).values()) == ["Table 1", "Table 2"]


def test_a_number_that_is_printed_scaled_is_not_unrounded() -> None:
    results = Results({}, {}, 0, (Entry("share", 8, "m", {"p": 0.125, "exact": 12.46}),))
    rows = ((("a"), marked("12.5", "share", "p"), marked("12.5", "share", "exact")),)
    made = Report("r", {}, (Section("t", "T", (Table("t", "T", ("", "b", "c"), rows),)),), results)
    sheet = openpyxl.load_workbook(io.BytesIO(report.xlsx(made))).worksheets[1]
    assert (sheet["B4"].value, sheet["C4"].value, sheet["C4"].number_format) == (12.5, 12.46, "0.0")

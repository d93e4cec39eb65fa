"""The report as a Word file: native tables in journal style, real headings, captions, contents; equal bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, assert_never

from analytics.report.document import Block, Figure, Paragraph, Report, Section, Table, plain
from analytics.report.layout import (
    DIGIT,
    Setting,
    contents,
    fitted,
    indents,
    is_level,
    is_wide,
    numbering,
    setting,
    stands_alone,
)
from analytics.report.packed import NO_TIME, repacked

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["docx"]

FACE = "Arial"
BODY_PT, TABLE_PT, NOTE_PT = 10.0, 8.0, 7.5
SMALLEST_PT = 6.5
PAGE_CM = (21.0, 29.7)
MARGIN_CM = 2.0
PT_PER_CM = 72 / 2.54
DARK, SOFT = "1B1E23", "5B626C"
HEAVY, LIGHT = 12, 6  # eighths of a point
LEVEL_PT = 8.0
PT_PER_INCH, NO_DPI = 72, 96  # of a picture that does not say; none is blown up
FIGURE_PT = PAGE_CM[0] * PT_PER_CM - 2 * MARGIN_CM * PT_PER_CM
HIGHEST_PT = 560.0  # a figure and its caption stay on one page


def docx(report: Report, figures: Mapping[str, Mapping[str, bytes]]) -> bytes:
    """Write the report as a Word document; wide tables stand on landscape pages.

    Parameters
    ----------
    report : Report
        What is to be written.
    figures : mapping of str to mapping of str to bytes
        By a figure's code and format; the document takes ``png``.
    """
    import docx as word

    document = word.Document()
    _properties(document, report)
    _styles(document)
    _shape(document.sections[0], wide=False)
    _footer(document)
    writer = _Writer(document, report, figures)
    writer.head()
    for section in report.sections:
        writer.section(section)
    saved = io.BytesIO()
    document.save(saved)
    return repacked(saved.getvalue())


def _properties(document: Document, report: Report) -> None:
    known = document.core_properties
    # A file's dates would make equal results unequal files.
    known.created = known.modified = datetime(*NO_TIME, tzinfo=UTC)
    known.author = known.last_modified_by = "Spondy"
    known.title, known.comments, known.language = report.title, "", "en-GB"


def _styles(document: Document) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Pt

    normal = document.styles["Normal"]
    _face(normal, BODY_PT)
    normal.paragraph_format.space_after = Pt(6)
    normal.paragraph_format.line_spacing = 1.15
    for name, size, before in (("Title", 20, 0), ("Heading 1", 14, 18), ("Heading 2", 11.5, 12), ("Caption", 9, 12)):
        style = document.styles[name]
        _face(style, size, bold=name != "Caption")
        style.font.italic = False
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(4)
        style.paragraph_format.keep_with_next = True
    _plain_title(document)
    for name, size, colour in (("Table text", TABLE_PT, DARK), ("Table note", NOTE_PT, SOFT), ("Fact", 9, DARK)):
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = normal
        _face(style, size, colour=colour)
        style.paragraph_format.space_after = Pt(2 if name == "Fact" else 0)
        style.paragraph_format.line_spacing = 1.0


def _plain_title(document: Document) -> None:
    """Take the rule from under the title that the template draws."""
    from docx.oxml.ns import qn

    properties = document.styles["Title"].element.get_or_add_pPr()
    for border in properties.findall(qn("w:pBdr")):
        properties.remove(border)


def _face(style: Any, size: float, *, bold: bool = False, colour: str = DARK) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    style.font.name, style.font.size, style.font.bold = FACE, Pt(size), bold
    style.font.color.rgb = RGBColor.from_string(colour)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        if name.endswith("Theme"):  # a theme's face would win over the one named here
            del fonts.attrib[name]
    for name in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(name), FACE)


def _shape(section: Any, *, wide: bool) -> None:
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm

    short, long = PAGE_CM
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (Cm(long), Cm(short)) if wide else (Cm(short), Cm(long))
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(MARGIN_CM)


def _footer(document: Document) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph = document.sections[0].footer.paragraphs[0]
    paragraph.style = document.styles["Table note"]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _field(paragraph, "PAGE", "1")


def _element(tag: str, /, **attributes: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made = OxmlElement(tag)
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), value)
    return made


def _field(paragraph: Any, instruction: str, shown: str, *, bold: bool = False) -> None:
    """Add a field with the result a program shows that does not compute it anew."""
    _mark(paragraph, "begin")
    _code(paragraph, instruction)
    _mark(paragraph, "separate")
    paragraph.add_run(shown).bold = bold or None
    _mark(paragraph, "end")


def _mark(paragraph: Any, kind: str) -> None:
    paragraph.add_run()._r.append(_element("w:fldChar", fldCharType=kind))


def _code(paragraph: Any, instruction: str) -> None:
    code = _element("w:instrText")
    code.text = f" {instruction} "
    paragraph.add_run()._r.append(code)


class _Writer:
    def __init__(self, document: Document, report: Report, figures: Mapping[str, Mapping[str, bytes]]) -> None:
        self.document, self.report, self.figures = document, report, figures
        self.numbers = numbering(report)
        self.wide = False
        self.places: dict[int, str] = {}

    def head(self) -> None:
        """Write title, facts and contents."""
        self.document.add_paragraph(plain(self.report.title), style="Title")
        for name, value in self.report.facts.items():
            line = self.document.add_paragraph(style="Fact")
            line.add_run(f"{name}: ").bold = True
            line.add_run(plain(value))
        self.document.add_paragraph("Contents", style="Heading 1").paragraph_format.keep_with_next = True
        self.contents()

    def contents(self) -> None:
        """Write a contents field that is filled already: nobody is asked to update it, and its entries are links."""
        listed = list(contents(self.report))
        for place, (level, one, words) in enumerate(listed):
            line = self.document.add_paragraph(style="Fact")
            line.paragraph_format.left_indent = _pt(12.0 * (level - 1))
            if place == 0:
                _mark(line, "begin")
                _code(line, 'TOC \\o "1-2" \\h \\n \\u')
                _mark(line, "separate")
            self.places[id(one)] = f"place_{place}"
            link = _element("w:hyperlink", anchor=f"place_{place}")
            run = line.add_run(words)
            run.bold = (isinstance(one, Section) and level == 1) or None
            link.append(run._r)
            line._p.append(link)
            if place == len(listed) - 1:
                _mark(line, "end")

    def placed(self, line: Any, one: Section | Table | Figure) -> Any:
        """Mark a heading or caption as the place a line of the contents leads to."""
        name = self.places[id(one)]
        number = name.removeprefix("place_")
        line._p.append(_element("w:bookmarkStart", id=number, name=name))
        line._p.append(_element("w:bookmarkEnd", id=number))
        return line

    def section(self, section: Section) -> None:
        """Write a section; its heading goes where its first block goes."""
        first = section.blocks[0] if section.blocks else None
        self.turn(wide=isinstance(first, Table) and is_wide(setting(first), TABLE_PT, _room(wide=False)))
        if not stands_alone(section):
            heading = self.document.add_paragraph(style=f"Heading {min(section.level, 2)}")
            self.placed(heading, section).add_run(plain(section.title))
        for block in section.blocks:
            self.block(block, leads=section.level if stands_alone(section) else 0)

    def block(self, block: Block, *, leads: int) -> None:
        match block:
            case Paragraph():
                self.turn(wide=False)
                self.document.add_paragraph(plain(block.text))
            case Table():
                set = setting(block)
                self.turn(wide=is_wide(set, TABLE_PT, _room(wide=False)))
                self.table(block, set, leads=leads)
            case Figure():
                self.turn(wide=False)
                self.figure(block)
            case _:
                assert_never(block)

    def turn(self, *, wide: bool) -> None:
        """Begin a page of the other direction where that changes."""
        from docx.enum.section import WD_SECTION

        if wide is not self.wide:
            _shape(self.document.add_section(WD_SECTION.NEW_PAGE), wide=wide)
            self.wide = wide

    def caption(self, one: Table | Figure, text: str, *, before: bool) -> Any:
        kind, _, place = self.numbers[type(one), one.code].partition(" ")
        line = self.placed(self.document.add_paragraph(style="Caption"), one)
        line.paragraph_format.keep_with_next = before
        line.add_run(f"{kind} ").bold = True
        _field(line, f"SEQ {kind} \\* ARABIC", place, bold=True)
        line.add_run(f". {plain(text)}")
        return line

    def figure(self, figure: Figure) -> None:
        from PIL import Image

        data = self.figures[figure.code]["png"]
        with Image.open(io.BytesIO(data)) as picture:
            across, down = picture.size
            own = across / float(picture.info.get("dpi", (NO_DPI,))[0]) * PT_PER_INCH
        wide = min(own, FIGURE_PT, HIGHEST_PT * across / down)
        line = self.document.add_paragraph()
        line.paragraph_format.keep_with_next = True
        shown = line.add_run().add_picture(io.BytesIO(data), width=_pt(wide))
        shown._inline.docPr.set("descr", plain(figure.alt))
        shown._inline.docPr.set("name", self.numbers[Figure, figure.code])
        self.caption(figure, figure.caption, before=False)

    def table(self, table: Table, set: Setting, *, leads: int) -> None:
        """Write a table with its caption above and its notes below."""
        line = self.caption(table, table.title, before=True)
        if leads:  # it stands in the place of a heading
            line._p.get_or_add_pPr().append(_element("w:outlineLvl", val=str(leads - 1)))
        size, widths = fitted(set, _room(wide=self.wide), TABLE_PT, SMALLEST_PT)
        above = 2 if set.groups else 1
        grid = self.document.add_table(rows=above + len(table.rows), cols=len(set.heads))
        grid.autofit = False
        _outline(grid, plain(table.title), widths)
        cells = [[_Cell(cell) for cell in row._tr.tc_lst] for row in grid.rows]
        _heads(cells, set, size)
        moved = [indents([row[i] for row in table.rows]) for i in range(1, len(set.heads))]
        for place, row in enumerate(table.rows):
            last = place == len(table.rows) - 1
            line = cells[above + place]
            line[0].write(plain(row[0]).strip(), size, indent=LEVEL_PT if is_level(row[0]) else 0, keep=not last)
            for column, text in enumerate(row[1:], start=1):
                line[column].write(plain(text), size, indent=moved[column - 1][place] * DIGIT * size)
        _rules(grid, above)
        for place, note in enumerate(table.footnotes):
            line = self.document.add_paragraph(plain(note), style="Table note")
            line.paragraph_format.space_before = _pt(0 if place else 3)


class _Cell:
    """A table cell written straight into its XML: python-docx looks each one up anew, which takes seconds."""

    def __init__(self, element: Any) -> None:
        self.element = element

    def write(self, text: str, size: float, *, bold: bool = False, indent: float = 0, keep: bool = False) -> None:
        paragraph = self.element.p_lst[0]
        properties = paragraph.get_or_add_pPr()
        properties.get_or_add_pStyle().val = "Tabletext"
        if keep:
            properties.append(_element("w:keepNext", val="0"))
        if indent:
            properties.append(_element("w:ind", firstLine=str(round(indent * 20))))
        if not text:  # its style alone gives an empty line its height
            return
        run = paragraph.add_r()
        run.text = text
        if bold or size != TABLE_PT:
            style = run.get_or_add_rPr()
            if bold:
                style.append(_element("w:b"))
            if size != TABLE_PT:
                style.append(_element("w:sz", val=str(round(size * 2))))


def _pt(size: float) -> Any:
    from docx.shared import Pt

    return Pt(size)


def _room(*, wide: bool) -> float:
    return (PAGE_CM[1 if wide else 0] - 2 * MARGIN_CM) * PT_PER_CM


def _outline(grid: Any, title: str, widths: list[float]) -> None:
    """Say of the whole table what it is, how wide its columns are and how near its cells."""
    from docx.oxml.ns import qn

    properties = grid._tbl.tblPr
    margins = _element("w:tblCellMar")
    for side, points in (("top", 1.5), ("left", 0.0), ("bottom", 1.5), ("right", 4.0)):
        margins.append(_element(f"w:{side}", w=str(round(points * 20)), type="dxa"))
    # The schema wants the parts in its order: margins before the look, the caption after it.
    properties.find(qn("w:tblLook")).addprevious(margins)
    properties.append(_element("w:tblCaption", val=title))
    for column, points in zip(grid._tbl.tblGrid.gridCol_lst, widths, strict=True):
        column.w = _pt(points)
    for row in grid._tbl.tr_lst:
        row.get_or_add_trPr().append(_element("w:cantSplit"))
        for cell, points in zip(row.tc_lst, widths, strict=True):
            cell.width = _pt(points)


def _heads(cells: list[list[_Cell]], set: Setting, size: float) -> None:
    for cell, head in zip(cells[1 if set.groups else 0], set.heads, strict=True):
        cell.write(plain(head), size, bold=True)
    place = 0
    for word, span in set.groups:
        for one in cells[0][place : place + span]:
            one.write("", size)
        if word:
            cells[0][place].write(plain(word), size, bold=True)
            _merge(cells[0], place, span)
        place += span


def _merge(line: list[_Cell], place: int, span: int) -> None:
    """Let a head span its columns, with a thin rule below it."""
    first = line[place].element
    first.width = sum(one.element.width for one in line[place : place + span])
    first.grid_span = span
    _border(first, "bottom", LIGHT // 2)
    for one in line[place + 1 : place + span]:
        one.element.getparent().remove(one.element)


def _rules(grid: Any, above: int) -> None:
    """Draw the three rules, and repeat the head on every page."""
    rows = grid._tbl.tr_lst
    for row in rows[:above]:
        row.get_or_add_trPr().append(_element("w:tblHeader"))
    for cell in rows[0].tc_lst:
        _border(cell, "top", HEAVY)
    for cell in rows[above - 1].tc_lst:
        _border(cell, "bottom", LIGHT)
        cell.get_or_add_tcPr().append(_element("w:vAlign", val="bottom"))
    for cell in rows[-1].tc_lst:
        _border(cell, "bottom", HEAVY)


def _border(cell: Any, side: str, weight: int) -> None:
    from docx.oxml.ns import qn

    properties = cell.get_or_add_tcPr()
    borders = properties.find(qn("w:tcBorders"))
    if borders is None:
        borders = _element("w:tcBorders")
        properties.append(borders)
    borders.insert(
        0 if side == "top" else len(borders), _element(f"w:{side}", val="single", sz=str(weight), space="0", color=DARK)
    )

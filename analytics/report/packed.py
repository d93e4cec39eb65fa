"""Office files without the times of the moment they were saved, and cells whose text is never a formula."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["NO_TIME", "put", "repacked"]

NO_TIME = (2000, 1, 1, 0, 0, 0)
STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")


def repacked(archive: bytes) -> bytes:
    """Give an Office file whose bytes depend on nothing but its content.

    Parameters
    ----------
    archive : bytes
        A DOCX or XLSX file as its library saved it.
    """
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = STAMP.sub(rb"\g<1>2000-01-01T00:00:00Z", content)
            new.writestr(zipfile.ZipInfo(name, NO_TIME), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()


def put(sheet: Worksheet, line: int, place: int, value: str | float | None) -> Cell | MergedCell:
    """Write one cell; text that begins with a sign of equality is no formula, nor is any other."""
    cell = sheet.cell(line, place)
    if not isinstance(value, str):
        cell.value = value
    elif value:
        cell.value = value
        cell.data_type = "s"
    return cell

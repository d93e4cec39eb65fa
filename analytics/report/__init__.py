"""Results as tables of strings, as a page and as a Word file: the only place that rounds."""

from __future__ import annotations

from analytics.report.page import html
from analytics.report.tables import tables
from analytics.report.text import Table
from analytics.report.word import docx

__all__ = ["Table", "docx", "html", "tables"]

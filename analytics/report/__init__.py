"""A report from results to files: composed once, then written as page, Word, PDF and workbook; the only rounding."""

from __future__ import annotations

from analytics.report.book import sheets, xlsx
from analytics.report.compose import compose
from analytics.report.facts import Dated, StudyFacts
from analytics.report.page import html
from analytics.report.pdf import pdf
from analytics.report.tables import tables
from analytics.report.text import Table
from analytics.report.word import docx

__all__ = ["Dated", "StudyFacts", "Table", "compose", "docx", "html", "pdf", "sheets", "tables", "xlsx"]

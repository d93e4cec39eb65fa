"""What leaves the program: estimates, tables, figures and report as files, and the data in every format."""

from __future__ import annotations

from analytics.export.estimates import estimates_csv, estimates_rows, manifest, tables_csv, versions
from analytics.export.whole import bundle

__all__ = ["bundle", "estimates_csv", "estimates_rows", "manifest", "tables_csv", "versions"]

"""The report as one self-contained page that also prints well."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape

from analytics.report.document import plain
from analytics.report.tables import tables
from analytics.report.text import Table
from analytics.stats.result import Results

__all__ = ["CAPTIONS", "html"]

CAPTIONS = {
    "kappa_forest": "Agreement: unweighted kappa or ICC with 95 % confidence interval, over the bands of kappa.",
    "odds_ratios_15min": "Odds ratios of success at 15 minutes with 95 % confidence intervals, both readers.",
    "odds_ratios_1month": "Odds ratios of success at 1 month with 95 % confidence intervals, both readers.",
    "response_flow": "How the response classes at 15 minutes flow into those at 1 month.",
}
LEAD = "Every number can be followed to its line in estimates.csv, which keeps all digits."
SHORT_CELL = ' class="short"'
SHORT = 31  # characters of a cell that is kept on one line
MOST_ON_ONE_LINE = 6  # columns; in wider tables every cell may break
STYLE = """
:root { --ink: #1b2430; --soft: #5b6776; --line: #c9d1da; --paper: #ffffff; --accent: #22577a; }
* { box-sizing: border-box; }
body {
  margin: 0; background: #eef1f4; color: var(--ink);
  font: 15px/1.5 "Source Sans 3", "Segoe UI", system-ui, sans-serif;
}
main {
  max-width: 76rem; margin: 2rem auto; padding: 2.5rem 3rem 3rem;
  background: var(--paper); box-shadow: 0 1px 6px rgb(0 0 0 / 12%);
}
h1 { margin: 0 0 .25rem; font-size: 1.8rem; line-height: 1.2; }
h2 { margin: 2.6rem 0 .4rem; font-size: 1.05rem; }
h2 span { color: var(--accent); margin-right: .5rem; }
p.lead { margin: 0 0 1rem; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem; margin: 1rem 0 0; font-size: .88rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
nav ol { columns: 2; font-size: .9rem; padding-left: 1.4rem; }
nav a { color: var(--accent); }
.wide { overflow-x: auto; }
table {
  border-collapse: collapse; width: 100%; font-size: .84rem; font-variant-numeric: tabular-nums;
  border-top: 2px solid var(--ink); border-bottom: 2px solid var(--ink);
}
th, td { padding: .28rem .6rem; text-align: left; vertical-align: top; }
td.short { white-space: nowrap; }
thead th { border-bottom: 1px solid var(--ink); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 400; min-width: 11rem; }
tbody th.level { padding-left: 1.6rem; color: var(--soft); }
tbody tr + tr > * { border-top: 1px solid #edf0f3; }
.notes { margin: .45rem 0 0; padding: 0; list-style: none; font-size: .78rem; color: var(--soft); }
figure { margin: 2.6rem 0 0; }
figure img { max-width: 100%; height: auto; display: block; margin: 0 auto; }
figcaption { font-size: .84rem; color: var(--soft); margin-top: .4rem; }
figcaption b { color: var(--accent); margin-right: .4rem; }
@media (max-width: 50rem) { main { margin: 0; padding: 1.2rem; } nav ol { columns: 1; } }
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  body { background: none; font-size: 10.5px; }
  main { max-width: none; margin: 0; padding: 0; box-shadow: none; }
  nav { display: none; }
  h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  table { font-size: 8.5px; }
  th, td { padding: .16rem .35rem; }
  tbody th { min-width: 8rem; }
  .wide { overflow: visible; }
  thead { display: table-header-group; }
}
"""


def html(results: Results, title: str, facts: Mapping[str, str]) -> str:
    """Write the report as one HTML page without anything fetched from elsewhere.

    Parameters
    ----------
    results : Results
        What a plan computed.
    title : str
        Heading of the page.
    facts : mapping of str to str
        Lines for the head, such as study, date and version.
    """
    from analytics.figures import draw

    listed = tables(results)
    shown = {"Plan": f"{results.plan['title']} ({results.plan['code']}, digest {results.plan['digest'][:12]})"}
    shown |= {"Cases": str(results.subject["cases"]), "Readers": ", ".join(results.subject["readers"])}
    shown |= {"Instrument": f"{results.subject['protocol']}, version {results.subject['version']}", **facts}
    head = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in shown.items())
    links = "".join(f'<li><a href="#{table.code}">{escape(table.title)}</a></li>' for table in listed)
    body = "".join(_section(place, table) for place, table in enumerate(listed, start=1))
    drawn = enumerate(draw(results).items(), start=1)
    pictures = "".join(_figure(place, name, svg) for place, (name, svg) in drawn)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>"
        f'<header><h1>{escape(title)}</h1><p class="lead">{LEAD}</p><dl>{head}</dl></header>'
        f'<nav aria-label="Tables"><h2>Tables</h2><ol>{links}</ol></nav>{body}{pictures}</main></body></html>\n'
    )


def _section(place: int, table: Table) -> str:
    columns = "".join(f'<th scope="col">{escape(plain(column))}</th>' for column in table.columns)
    short = SHORT if len(table.columns) <= MOST_ON_ONE_LINE else 0
    rows = "".join(_row(row, short) for row in table.rows)
    notes = "".join(f"<li>{escape(plain(note))}</li>" for note in table.footnotes)
    return (
        f'\n<section id="{table.code}"><h2><span>Table {place}</span>{escape(table.title)}</h2>'
        f'<div class="wide"><table>'
        f"<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>"
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
        + "</section>"
    )


def _row(row: tuple[str, ...], short: int) -> str:
    level = ' class="level"' if row[0].startswith("  ") else ""
    shown = [plain(cell) for cell in row[1:]]
    cells = "".join(f"<td{SHORT_CELL if len(cell) <= short else ''}>{escape(cell)}</td>" for cell in shown)
    return f'<tr><th scope="row"{level}>{escape(plain(row[0]).strip())}</th>{cells}</tr>'


def _figure(place: int, name: str, svg: bytes) -> str:
    caption = CAPTIONS.get(name, name)
    source = base64.b64encode(svg).decode()
    return (
        f'\n<figure id="{name}"><img alt="{escape(caption)}" src="data:image/svg+xml;base64,{source}">'
        f"<figcaption><b>Figure {place}</b>{escape(caption)}</figcaption></figure>"
    )

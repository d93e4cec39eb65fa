"""The atlas of grades: small pictures of the phantom that stand beside the criteria in the reading room.

They are the same for all cases and readers, and no case that anybody reads: every case takes the seed of its images
from below ``2**31``, and the atlas one from beyond.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from annotation.phantom import Phantom

from . import contact, places
from .tiles import INK, PAPER, View, spot, tile

SEED = 2**31 + 2
SIZE = "clinical"
QUALITY = 80
WIDE, HIGH = 336, 252
TALL = (218, 336)
MANIFEST = "atlas.json"
FIGURE = "figure"
"""What a measurement has in place of a level."""
ABOUT = "Drawn by Spondy's own phantom: synthetic, no patient."

Key = tuple[str, str, str]
Entry = dict[str, Any]


@dataclass(frozen=True)
class Plate:
    """One picture of a grade: which item and level, the row of the contact sheet and its case, how it is shown."""

    item: str
    code: str
    row: str
    grade: str
    title: str
    look: Callable[[Phantom], View]
    measured: bool = False
    """The three points of the slip are drawn in."""

    @property
    def key(self) -> Key:
        return self.item, self.code, self.title


def _cut(view: View, wide_mm: float, move: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> View:
    """Another crop of the same slice, 4 to 3."""
    centre = view.centre + np.array(move)
    return replace(view, centre=centre, size_mm=(wide_mm, wide_mm * HIGH / WIDE), zoom=WIDE / wide_mm, title="")


def _disc(role: str) -> Callable[[Phantom], View]:
    return lambda case: _cut(places.middle_cut(case, role), 72.0)


def _slip(case: Phantom) -> View:
    """All grades in one scale, so that they can be compared: the room that the farthest slip needs."""
    return _cut(places.middle_cut(case, "SAG_T2"), 108.0)


def _side(role: str, which: int, wide_mm: float, move: tuple[float, float, float]) -> Callable[[Phantom], View]:
    return lambda case: _cut(places.parasagittal(case, role, "right")[which], wide_mm, move)


def _isthmus(role: str) -> Callable[[Phantom], View]:
    return lambda case: _cut(places.at_defect(case, role, "right"), 62.0)


def _axial(which: int, wide_mm: float, back_mm: float) -> Callable[[Phantom], View]:
    return lambda case: _cut(places.axial(case)[which], wide_mm, (0.0, back_mm, 0.0))


def _ct(case: Phantom) -> View:
    return _cut(places.ct(case, "CT_POST", "right")[2], 60.0, (14.0, 0.0, 0.0))


def _column(case: Phantom) -> View:
    view = places.midline(case, "SAG_T2")
    high_mm = view.size_mm[1]
    return replace(view, size_mm=(high_mm * TALL[0] / TALL[1], high_mm), zoom=TALL[1] / high_mm, title="")


def _graded(item: str, row: str, levels: Iterable[int], title: str, look: Callable[[Phantom], View]) -> Iterator[Plate]:
    """The rows of the contact sheet name their grades by the codes of the levels."""
    return (Plate(item, str(code), row, str(code), title, look) for code in levels)


def plates() -> tuple[Plate, ...]:
    """Every picture of the atlas."""
    close, behind = (0.0, -9.0, -1.0), (0.0, 6.0, -1.0)
    modic = [("1", "yes (I)", "sagittal "), ("0", "no", "sagittal "), ("0", "no (II)", "type II, ")]
    return (
        *_graded("pfirrmann", "disc", range(1, 6), "sagittal T2", _disc("SAG_T2")),
        *(Plate("modic_type1", code, "modic", grade, f"{kind}{name}", _disc(f"SAG_{name}"))
          for code, grade, kind in modic for name in ("T1", "T2")),
        *_graded("weishaupt", "facet", range(4), "axial T2", _axial(1, 62.0, 8.0)),
        *_graded("weishaupt", "facet", range(4), "next slice", _axial(2, 62.0, 8.0)),
        *_graded("bartynski", "recess", range(4), "axial T2", _axial(1, 54.0, -2.0)),
        *_graded("lee", "foramen", range(4), "sagittal T1", _side("SAG_T1", 1, 46.0, close)),
        Plate("slip_mm", FIGURE, "slip", "2", "midline T2", _slip, measured=True),
        *_graded("meyerding", "slip", range(6), "midline T2", _slip),
        *(plate for name in ("STIR", "T1") for plate in
          _graded("isthmic_bme", "isthmus", range(2), f"sagittal {name}", _isthmus(f"SAG_{name}"))),
        *(Plate("soft_tissue_edema_cyst", code, "soft", grade, f"{kind}STIR", _side("SAG_STIR", 2, 66.0, behind))
          for code, grade, kind in (("0", "none", "sagittal "), ("1", "oedema", "oedema, "), ("1", "cyst", "cyst, "))),
        *_graded("contrast_pattern", "contrast", range(1, 4), "CT after", _ct),
        *(Plate("segment_degeneration", code, "extent", grade, "sagittal T2", _column)
          for code, grade in (("0", "uni"), ("1", "multi"))),
    )  # fmt: skip


def picture(plate: Plate, case: Phantom) -> Image.Image:
    """Draw one picture, with side letters, a bar of millimetres, and the word that says what it is."""
    view = plate.look(case)
    cut = tile(view)
    if plate.measured:
        _measure(cut, view, case.landmarks_lps_mm)
    ImageDraw.Draw(cut).text((cut.width - 4, cut.height - 5), "synthetic", fill=INK, font=ImageFont.load_default(12),
                             anchor="rs", stroke_width=1, stroke_fill=PAPER)  # fmt: skip
    return cut


def _measure(cut: Image.Image, view: View, landmarks: Mapping[str, tuple[float, float, float]]) -> None:
    """Endplate line from P to A, and the perpendicular from Q, as the room draws them."""
    p, a, q = (np.array(spot(view, np.array(landmarks[name]))) for name in ("P", "A", "Q"))
    along = (a - p) / np.linalg.norm(a - p)
    foot = p + float((q - p) @ along) * along
    pen = ImageDraw.Draw(cut)
    for ink, width in ((PAPER, 4), (INK, 2)):
        for start, end in ((p, a), (q, foot)):
            pen.line((*start, *end), fill=ink, width=width)
        for point in (p, a, q):
            pen.circle(tuple(point), 4, outline=ink, width=width)
    for name, point, anchor in (("P", p, "ls"), ("A", a, "la"), ("Q", q, "rs")):
        pen.text((point[0] + (-7 if name == "Q" else 7), point[1] + (9 if name == "A" else -5)), name, fill=INK,
                 font=ImageFont.load_default(15), anchor=anchor, stroke_width=2, stroke_fill=PAPER)  # fmt: skip


def coded(cut: Image.Image) -> bytes:
    """A picture as it is kept."""
    out = io.BytesIO()
    cut.save(out, "WEBP", quality=QUALITY, method=6)
    return out.getvalue()


def planted(row: contact.Row) -> dict[str, Any]:
    """What is planted in each case of a row, beside the plain spine."""
    return {label: json.loads(json.dumps(changes)) for label, changes in row.grades}


def write_plates(folder: Path, row: contact.Row, drawn: Mapping[str, Phantom]) -> dict[Key, Entry]:
    """Write the pictures of one row; each file has the hash of its content in its name, so that it never changes."""
    found = {}
    for plate in (one for one in plates() if one.row == row.name):
        cut = picture(plate, drawn[plate.grade])
        content = coded(cut)
        stem = f"{plate.item}-{plate.code}-{hashlib.sha256(content).hexdigest()[:8]}"
        (folder / f"{stem}.webp").write_bytes(content)
        found[plate.key] = {
            "file": f"{stem}.webp",
            "title": plate.title,
            "width": cut.width,
            "height": cut.height,
            "case": f"{row.name}: {plate.grade}",
        }
    return found


def write_manifest(folder: Path, written: Mapping[Key, Entry]) -> Path:
    """Write which picture belongs to which level, and what is planted in it; pictures of before are taken away."""
    items: dict[str, dict[str, list[Entry]]] = {}
    for plate in plates():
        items.setdefault(plate.item, {}).setdefault(plate.code, []).append(written[plate.key])
    kept = {entry["file"] for entry in written.values()}
    for old in folder.glob("*.webp"):
        if old.name not in kept:
            old.unlink()
    used = {plate.row for plate in plates()}
    content = {
        "about": ABOUT,
        "seed": SEED,
        "size": SIZE,
        "plain": json.loads(json.dumps(contact.plain().to_json())),
        "planted": {row.name: planted(row) for row in contact.rows() if row.name in used},
        "items": items,
    }
    path = folder / MANIFEST
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path

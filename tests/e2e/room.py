"""The reading room as a person meets it: what is on the screen, and where things are."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import Visitor

Array = NDArray[np.float64]

GREY = """canvas => {
  const { width, height } = canvas;
  const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  const grey = new Uint8Array(width * height);
  let colour = 0;
  for (let i = 0; i < grey.length; i += 1) {
    grey[i] = data[4 * i];
    if (data[4 * i] !== data[4 * i + 1] || data[4 * i] !== data[4 * i + 2]) colour += 1;
  }
  let text = '';
  for (let i = 0; i < grey.length; i += 8192) text += String.fromCharCode(...grey.subarray(i, i + 8192));
  const box = canvas.getBoundingClientRect();
  const sharp = width === box.width && height === box.height && box.x % 1 === 0 && box.y % 1 === 0;
  return { width, height, colour, sharp, grey: btoa(text) };
}"""


@dataclass(frozen=True)
class Frame:
    """One slice as the page got it: its address and the geometry in its metadata."""

    image: str
    uid: str
    metadata: dict[str, Any]

    def values(self, tag: str) -> list[Any]:
        found: list[Any] = self.metadata.get(tag, {}).get("Value", [])
        return found

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.values("00280010")[0]), int(self.values("00280011")[0])

    @property
    def origin(self) -> Array:
        return np.array(self.values("00200032"), dtype=float)

    @property
    def axes(self) -> tuple[Array, Array, Array]:
        """Give the direction of growing columns, of growing rows, and the normal."""
        both = np.array(self.values("00200037"), dtype=float)
        return both[:3], both[3:], np.cross(both[:3], both[3:])

    def depth(self, point: Array) -> float:
        return float((point - self.origin) @ self.axes[2])

    def pixel(self, point: Array) -> Array:
        """Give the continuous column and row of a patient point."""
        row_mm, column_mm = (float(v) for v in self.values("00280030"))
        along, down, _ = self.axes
        away = point - self.origin
        return np.array([away @ along / column_mm, away @ down / row_mm])

    def patient(self, column: float, row: float) -> Array:
        row_mm, column_mm = (float(v) for v in self.values("00280030"))
        along, down, _ = self.axes
        return np.asarray(self.origin + along * column * column_mm + down * row * row_mm)


@dataclass(frozen=True)
class PixelMap:
    """Where pixel (0, 0) lies in a view, and how far one column and one row go, in screen pixels."""

    origin: Array
    column: Array
    row: Array

    @classmethod
    def of(cls, text: str) -> PixelMap:
        x, y, cx, cy, rx, ry = (float(part) for part in text.split(","))
        return cls(np.array([x, y]), np.array([cx, cy]), np.array([rx, ry]))

    def screen(self, pixel: Array) -> Array:
        return np.asarray(self.origin + pixel[0] * self.column + pixel[1] * self.row)

    def pixel(self, screen: Array) -> Array:
        """Give column and row of screen positions, shape (..., 2)."""
        inverse = np.linalg.inv(np.stack([self.column, self.row], axis=1))
        return np.asarray((screen - self.origin) @ inverse.T)


class View:
    def __init__(self, element: Locator) -> None:
        self.element = element

    def data(self, name: str) -> str:
        return self.element.get_attribute(f"data-{name}") or ""

    @property
    def slice(self) -> int:
        return int(self.data("slice") or 0)

    @property
    def map(self) -> PixelMap:
        return PixelMap.of(self.data("pixel-map"))

    @property
    def window(self) -> tuple[int, int]:
        found = re.fullmatch(r"W (-?\d+) L (-?\d+)", self.element.locator(".window").inner_text().strip())
        assert found, self.element.locator(".window").inner_text()
        return int(found[1]), int(found[2])

    @property
    def letters(self) -> dict[str, str]:
        return {side: self.element.locator(f".at-{side}").inner_text() for side in ("left", "right", "top", "bottom")}

    def expect_slice(self, number: int) -> None:
        expect(self.element).to_have_attribute("data-slice", str(number))

    def on_page(self, spot: Array) -> tuple[float, float]:
        """Turn a position in the view into one of the page, as whole pixels: a mouse has no others."""
        x, y = self.element.evaluate(
            "e => { const b = e.getBoundingClientRect(); return [b.left + e.clientLeft, b.top + e.clientTop]; }"
        )
        return float(round(x + spot[0])), float(round(y + spot[1]))

    def settle(self) -> None:
        """Wait until what is drawn is what is said: two frames after the last change."""
        self.element.evaluate("() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))")

    def pixels(self) -> Array:
        """Read the canvas on the screen as grey levels, shape (height, width)."""
        self.settle()
        found = self.element.locator("canvas").first.evaluate(GREY)
        assert found["colour"] == 0, "a grey image has no coloured pixel"
        assert found["sharp"], "the canvas has one pixel for every pixel of the screen, and lies on it"
        grey = np.frombuffer(base64.b64decode(found["grey"]), dtype=np.uint8)
        return grey.reshape(found["height"], found["width"]).astype(float)


class Room:
    """The reading page of one form."""

    def __init__(self, visitor: Visitor, study: str, form: str, page: Page | None = None) -> None:
        self.visitor = visitor
        self.page = page or visitor.page
        self.study, self.form = study, form
        self.cockpit = self.page.locator("#cockpit")
        self.presses = 0

    def open(self, *, complete: bool = True) -> Room:
        self.page.goto(f"{self.visitor.url}/room/{self.study}/{self.form}/")
        return self.ready(complete=complete)

    def reload(self) -> Room:
        self.page.reload()
        return self.ready()

    def ready(self, *, complete: bool = True) -> Room:
        """Wait until the case is on the screen and, unless something is to fail, all its images are here."""
        expect(self.cockpit).to_have_attribute("data-curtain", "open")
        if complete:
            # It opens with the first picture: what is said of the others holds when all have come.
            expect(self.page.locator("section.images")).to_have_attribute("data-settled", "true")
            expect(self.page.locator("section.images")).to_have_attribute("data-complete", "true")
        return self

    # What is said ------------------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        return self.cockpit.get_attribute("data-label") or ""

    @property
    def reading_id(self) -> str:
        return self.cockpit.get_attribute("data-reading") or ""

    def reading(self) -> dict[str, Any]:
        """Ask the API for the current reading as it is on the server."""
        status, step = self.visitor.api(f"/api/room/{self.study}/{self.form}/next")
        assert status == 200, step
        found: dict[str, Any] = step["reading"]
        return found

    def frames(self, role: str) -> list[Frame]:
        stack = next(one for one in self.reading()["stacks"] if one["role"] == role)
        return [Frame(one["image"], one["uid"], one["metadata"]) for one in stack["frames"]]

    def expect_saved(self, state: str = "clean") -> None:
        expect(self.cockpit).to_have_attribute("data-save-state", state)

    def sheet(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.page.locator("script#sheet").text_content() or "")
        return found

    def shown_answers(self) -> dict[str, str]:
        """Give what the sheet on the screen holds, answered cells only."""
        found: list[list[str]] = self.page.locator("[data-cell]").evaluate_all(
            "cells => cells.map(c => [c.dataset.cell, c.dataset.value]).filter(([, v]) => v !== '')"
        )
        return {cell: value for cell, value in found}

    def view(self, role: str, nth: int = 0) -> View:
        return View(self.page.locator(f".view[data-role={role}]").nth(nth))

    # What is done ------------------------------------------------------------------------------------------------

    def open_cell(self) -> str:
        """Give the cell where the keyboard is, or `submit`."""
        found: str = self.page.evaluate(
            """() => { const a = document.activeElement;
              const cell = a.closest('[data-open-cell]');
              return cell ? cell.dataset.openCell : a.classList.contains('submit') ? 'submit' : ''; }"""
        )
        return found

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.presses += 1

    def grade(self, answers: dict[str, int], *, until: str = "submit") -> list[str]:
        """Answer cell after cell by keyboard alone until a cell is reached; cells without an answer are passed."""
        scales = {cell["key"]: item["scale"] for item in self.sheet()["items"] for cell in item["cells"]}
        walked: list[str] = []
        while (cell := self.open_cell()) != until:
            assert cell, "the keyboard is nowhere in the sheet"
            assert len(walked) < 40, walked
            walked.append(cell)
            if cell in answers:
                level = next(level for level in scales[cell]["levels"] if level["code"] == answers[cell])
                self.press(level["key"])
            else:
                self.press("ArrowDown")
        return walked

    def spot(self, role: str, point: Array, frame: Frame) -> tuple[float, float]:
        """Give where on the page a patient point of a shown slice lies."""
        view = self.view(role)
        return view.on_page(view.map.screen(frame.pixel(point)))

    def measure(self, landmarks: dict[str, list[float]]) -> None:
        """Set the three points of the slip with the mouse, on the slice that holds them, in the one-view layout."""
        points = [np.array(landmarks[name]) for name in ("P", "A", "Q")]
        frames = self.frames("SAG_T2")
        number = int(np.argmin([abs(frame.depth(points[0])) for frame in frames]))
        self.press("v", "s")
        view = self.view("SAG_T2")
        view.expect_slice(len(frames) // 2 + 1)
        while view.slice != number + 1:
            before = view.slice
            self.press("PageDown" if number + 1 > before else "PageUp")
            view.expect_slice(before + (1 if number + 1 > before else -1))
        view.settle()
        for point in points:
            self.page.mouse.click(*self.spot("SAG_T2", point, frames[number]))
        self.press("v")

    def submit(self) -> None:
        """Open the summary and submit, from the button where the keyboard stands after the last answer."""
        self.press("Enter")
        expect(self.page.locator("dialog.summary")).to_be_visible()
        button = self.page.locator("dialog.summary footer button.primary")
        expect(button).to_be_enabled()
        expect(button).to_be_focused()
        self.press("Enter")
        expect(self.page.locator("dialog.summary")).to_have_count(0)

"""A stand-in for the room's server: the page, its frames and its writes, in memory, with faults on demand.

Run from the repository's root with the project's Python::

    python -m viewer.test.room_server --port 8123

Pictures come from the phantom, the sheet from the protocol, so both stay in step with the product.
``POST /__switch`` with JSON sets faults: ``{"frames": "part of an address", "save": 409 | 422 | 500 | 401 | "drop",
"lock": ..., "next": ..., "delay_ms": 0, "upcoming": "wrong"}``; null takes one away. ``GET /__log``
tells what was written.
"""

from __future__ import annotations

import argparse
import copy
import functools
import hashlib
import json
import re
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jpeg_ls
import numpy as np

from annotation.phantom import build, draw
from annotation.protocol import Facts, Invalid, Measured, catalogue, check, remarks

ROOT = Path(__file__).resolve().parents[2]
CSP = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "img-src 'self'; style-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
TYPES = {".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".json": "application/json"}
TITLES = {
    "SAG_T2": "Sagittal T2",
    "SAG_T1": "Sagittal T1",
    "SAG_STIR": "Sagittal STIR",
    "AX_T2": "Axial T2",
    "CT_PRE": "CT before contrast",
    "CT_POST": "CT after contrast",
}
PROTOCOL = catalogue.get("spondylolysis", 1)


def _uid(*parts: object) -> str:
    return "2.25." + str(int(hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:30], 16))


def _element(vr: str, *values: object) -> dict[str, object]:
    return {"vr": vr, "Value": list(values)}


def _metadata(series: Any, index: int, case: int, window: tuple[float, float]) -> dict[str, object]:
    plane = series.planes[index]
    ct = series.role.startswith("CT")
    signed = series.pixels.dtype.kind == "i"
    return {
        "00080016": _element("UI", "1.2.840.10008.5.1.4.1.1." + ("2" if ct else "4")),
        "00080018": _element("UI", _uid(case, series.role, index)),
        "00080060": _element("CS", "CT" if ct else "MR"),
        "0020000E": _element("UI", _uid(case, series.role)),
        "00200032": _element("DS", *(float(v) for v in plane.position_lps_mm)),
        "00200037": _element("DS", *(float(v) for v in (*plane.row_lps, *plane.column_lps))),
        "00200052": _element("UI", _uid(case, "ct" if ct else "mr")),
        "00280002": _element("US", 1),
        "00280004": _element("CS", "MONOCHROME2"),
        "00280010": _element("US", plane.rows),
        "00280011": _element("US", plane.columns),
        "00280030": _element("DS", *(float(v) for v in plane.spacing_rc_mm)),
        "00280100": _element("US", 16),
        "00280101": _element("US", 16),
        "00280102": _element("US", 15),
        "00280103": _element("US", int(signed)),
        "00281050": _element("DS", 40 if ct else window[1]),
        "00281051": _element("DS", 400 if ct else window[0]),
        "00281052": _element("DS", 0 if signed or not ct else -1024),
        "00281053": _element("DS", 1),
    }


@functools.cache
def _phantom(number: int) -> Any:
    return build(draw(np.random.default_rng(100 + number)), seed=100 + number)


@functools.cache
def _encoded(role: str, number: int) -> tuple[bytes, ...]:
    series = next(s for s in _phantom(number).series if s.role == role)
    return tuple(bytes(jpeg_ls.encode_array(np.ascontiguousarray(f).view(np.uint16))) for f in series.pixels)


def _bend(frames: list[dict[str, Any]], fault: str) -> None:
    """Make a series what no plane can be computed from: leaning slices, a missing one, thick ones."""
    if fault == "gap":
        del frames[7]
    for i, frame in enumerate(frames):
        position = frame["metadata"]["00200032"]["Value"]
        position[1] += 0.3 * i if fault == "tilt" else 0
        position[2] += 1.0 * i if fault == "thick" else 0


class Case:
    """One phantom, its frames and its reading of one form."""

    def __init__(self, form: str, number: int, of: int) -> None:
        self.form, self.number, self.of = form, number, of
        self.phantom = _phantom(number)
        self.revisions: list[dict[str, Any]] = []
        self.locked = False
        self.frames: dict[str, bytes] = {}
        self.address("")

    def address(self, hour: str) -> None:
        """Give every frame a new address; the old ones end."""
        frames: dict[str, bytes] = {}
        stacks = [self._stack(k, s, hour, frames) for k, s in enumerate(self._series())]
        self.stacks, self.frames = stacks, frames

    def _series(self) -> list[Any]:
        wanted = ("CT_PRE", "CT_POST") if self.form == "ct" else ("SAG_T2", "SAG_T1", "SAG_STIR", "AX_T2")
        return [next(s for s in self.phantom.series if s.role == role) for role in wanted]

    def _stack(self, k: int, series: Any, hour: str, kept: dict[str, bytes]) -> dict[str, Any]:
        low, high = np.percentile(series.pixels, [1, 99])
        window = (float(high - low), float(high + low) / 2)
        frames = []
        for i, data in enumerate(_encoded(series.role, self.number)):
            token = hashlib.sha256(f"{self.form}{self.number}{k}{i}{hour}".encode()).hexdigest()[:24]
            kept[token] = data
            frames.append(
                {
                    "image": f"/frames/{token}/frames/1",
                    "uid": _uid(self.number, series.role, i),
                    "metadata": _metadata(series, i, self.number, window),
                }
            )
        return {
            "id": f"k{k + 1}",
            "role": series.role,
            "title": TITLES[series.role],
            "plane": "axial" if series.role[:2] in ("AX", "CT") else "sagittal",
            "automatic_window": {"width": window[0], "level": window[1]},
            "frames": frames,
        }

    @property
    def id(self) -> str:
        return (
            f"00000000-0000-4000-8000-{self.number:012d}"
            if self.form == "mr"
            else (f"00000000-0000-4000-9000-{self.number:012d}")
        )

    @property
    def newest(self) -> dict[str, Any]:
        empty = {"revision": 0, "saved_at": None, "answers": {}, "evidence": {}, "kept": []}
        return self.revisions[-1] if self.revisions else empty

    def labels(self) -> list[dict[str, Any]]:
        """The vertebrae as a coordinator would have named them: the middles of their bodies."""
        bones = self.phantom.anatomy.vertebrae
        corners = {n: (b.upper_p + b.upper_a + b.lower_p + b.lower_a) / 4 for n, b in bones.items()}
        return [
            {"text": n, "point_lps_mm": [float(bones[n].x), *map(float, middle)]}
            for n, middle in corners.items()
            if n[0] == "L" or n == "S1"
        ]

    def judged(self) -> dict[str, Any]:
        """Remarks and measured values of the newest revision."""
        measured: dict[str, Any] = {}
        facts: dict[str, Measured] = {}
        answers = self.newest["answers"]
        percent = PROTOCOL.reveals_percent(self.form, answers)
        for cell, evidence in self.newest["evidence"].items():
            if cell == "marks" or "points_lps_mm" not in evidence:
                continue
            p, a, q = (np.array(v) for v in evidence["points_lps_mm"])
            base = float(np.linalg.norm(a - p))
            value = float((q - p) @ (a - p)) / base
            measured[cell] = {
                "value_mm": value,
                "endplate_mm": base,
                "slip_pct": 100 * value / base if percent else None,
            }
            facts[cell] = Measured(value_mm=value, base_mm=base, plane="sagittal")
        found = remarks(PROTOCOL, self.form, answers, Facts(measured=facts))
        told = [{"code": r.code, "text": r.text, "cells": list(r.cells), "severity": r.severity} for r in found]
        return {"remarks": told, "measured": measured, "kept": self.newest["kept"]}

    def reading(self) -> dict[str, Any]:
        newest = self.newest
        base = f"/api/room/readings/{self.id}"
        return {
            "id": self.id,
            "label": f"Case {self.number:03d}",
            "position": self.number,
            "of": self.of,
            "form": self.form,
            "index_level": self.phantom.truth.level,
            "index_segment": self.phantom.truth.index_segment,
            "synthetic": True,
            "revision": newest["revision"],
            "saved_at": newest["saved_at"],
            "answers": newest["answers"],
            "evidence": newest["evidence"],
            **self.judged(),
            "stacks": self.stacks,
            "save_url": base,
            "lock_url": base + "/lock",
            "set_aside_url": base + "/set-aside",
        }


class World:
    """All cases, faults and the log of writes."""

    def __init__(self, cases: int) -> None:
        self.lock = threading.Lock()
        self.cases = {form: [Case(form, n, cases) for n in range(1, cases + 1)] for form in ("mr", "ct")}
        self.faults: dict[str, Any] = {}
        self.log: list[dict[str, Any]] = []
        self.fetched: list[str] = []

    def left(self, form: str) -> list[Case]:
        return [case for case in self.cases[form] if not case.locked]

    def by_id(self, key: str) -> Case | None:
        return next((c for cases in self.cases.values() for c in cases if c.id == key and not c.locked), None)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    world: World

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def _answer(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", CSP)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _json(self, status: int, value: object) -> None:
        kind = "application/json" if status < 400 else "application/problem+json"
        self._answer(status, json.dumps(value).encode(), kind, Cache_Control="no-store")

    def _fault(self, what: str) -> bool:
        fault = self.world.faults.get(what)
        if fault is None:
            return False
        if fault == "drop":
            self.close_connection = True
            self.connection.close()
        else:
            self._json(int(fault), {"title": "fault", "status": fault, "detail": "A fault was asked for."})
        return True

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if page := re.fullmatch(r"/room/DEMO/(ct|mr)/", path):
            self._page(page[1])
        elif frame := re.fullmatch(r"/frames/(\w+)/frames/1", path):
            self._frame(frame[1])
        elif found := re.fullmatch(r"/api/room/DEMO/(ct|mr)/(next|upcoming)", path):
            if not self._fault("next"):
                self._next(found[1], found[2])
        elif path == "/__log":
            self._json(200, self.world.log)
        elif path.startswith("/static/") and (file := ROOT / path[1:]).is_file():
            self._answer(200, file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream"))
        else:
            self._answer(404, b"", "text/plain")

    def _page(self, form: str) -> None:
        if self.world.faults.get("page"):
            self._answer(401, b"", "text/plain")
            return
        manifest = json.loads((ROOT / "static/viewer/.vite/manifest.json").read_text())
        bundle = f'<script type="module" src="/static/viewer/{manifest["src/main.ts"]["file"]}"></script>'
        room = {
            "study": "DEMO",
            "study_title": "Demo study",
            "form": form,
            "user": "reader1",
            "csrf": "token",
            "next_url": f"/api/room/DEMO/{form}/next",
            "upcoming_url": f"/api/room/DEMO/{form}/upcoming",
            "home_url": "/room/DEMO/",
            "signin_url": "/accounts/login/",
            "display_url": f"/api/room/DEMO/{form}/display",
            "preferences_url": "/api/preferences",
            "comfort": {"habit": "", "habits": [], "questions": [], "said": {}},
            "drawings": {},
            "atlas": {},
        }
        page = (ROOT / "templates/room/reading.html").read_text()
        page = re.sub(r"\{% load .*?%\}", "", page)
        page = re.sub(r"\{% static '(.*?)' %\}", r"/static/\1", page)
        page = re.sub(r"\{% bundle .*?%\}", bundle, page)
        page = page.replace("{{ room.next_url }}", room["next_url"])
        for name, value in (("sheet", PROTOCOL.sheet(form)), ("room", room)):
            text = json.dumps(value).replace("<", "\\u003C")
            island = f'<script id="{name}" type="application/json">{text}</script>'
            page = page.replace(f'{{{{ {name}|json_script:"{name}" }}}}', island)
        self._answer(200, page.encode(), "text/html; charset=utf-8")

    def _frame(self, token: str) -> None:
        self.world.fetched.append(token)
        time.sleep(self.world.faults.get("delay_ms", 0) / 1000)
        broken = self.world.faults.get("frames")
        cases = [c for cases in self.world.cases.values() for c in cases]
        data = next((c.frames[token] for c in cases if token in c.frames), None)
        if broken and broken in token:
            self._answer(500, b"", "text/plain")
        elif data is None:
            self._answer(404, b"", "text/plain")
        else:
            kind = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.80"
            self._answer(200, data, kind, Cache_Control="private, max-age=3600")

    def _next(self, form: str, which: str) -> None:
        left = self.world.left(form)
        if which == "upcoming":
            wrong = self.world.faults.get("upcoming")  # another case than the one that comes
            following = left[:1] if wrong else left[1:2]
            ahead = {"stacks": following[0].stacks, "mark": following[0].id} if following else None
            self._json(200, {"reading": ahead})
        else:
            self._json(200, self._step(form))

    def _step(self, form: str) -> dict[str, Any]:
        left = self.world.left(form)
        cases = self.world.cases[form]
        reading = copy.deepcopy(left[0].reading()) if left else None
        if reading and self.world.faults.get("geometry"):
            for frame in reading["stacks"][0]["frames"]:
                del frame["metadata"]["00200032"]
        if reading and self.world.faults.get("labels"):
            labels = left[0].labels()
            for stack in reading["stacks"]:
                stack["labels"] = labels if stack["plane"] == "sagittal" else []
        if reading and (fault := self.world.faults.get("slices")):
            for stack in reading["stacks"]:
                _bend(stack["frames"], fault)
        if reading and (role := self.world.faults.get("without")):
            reading["stacks"] = [s for s in reading["stacks"] if s["role"] != role]
        return {"reading": reading, "done": len(cases) - len(left), "of": len(cases)}

    def _onward(self, form: str, body: dict[str, Any]) -> dict[str, Any]:
        """What follows a closed case; null where `next` would fail as well."""
        if not body.get("onward"):
            return {}
        step = self._step(form)
        if step["reading"] and step["reading"]["id"] == body["ahead"]:
            step["reading"] |= {"stacks": [], "as_ahead": True}
        return {"next": None if "next" in self.world.faults else step}

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/__switch":
            for key, value in body.items():
                if value is None:
                    self.world.faults.pop(key, None)
                else:
                    self.world.faults[key] = value
            self._json(200, self.world.faults)
        elif self.path == "/__elsewhere":
            self._elsewhere(body)
        elif found := re.fullmatch(r"/api/room/readings/([\w-]+)/(lock|set-aside)", self.path):
            self._close(found[1], found[2], body)
        else:
            self._answer(404, b"", "text/plain")

    def _elsewhere(self, body: dict[str, Any]) -> None:
        """Another tab saves."""
        case = self.world.left(body["form"])[0]
        self._append(case, {**case.newest, "answers": {**case.newest["answers"], **body["answers"]}})
        self._json(200, case.newest)

    def _append(self, case: Case, content: dict[str, Any]) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        kept = {k: content[k] for k in ("answers", "evidence", "kept")}
        case.revisions.append({"revision": case.newest["revision"] + 1, "saved_at": now, **kept})

    def do_PUT(self) -> None:
        body = self._body()
        found = re.fullmatch(r"/api/room/readings/([\w-]+)", self.path)
        fault = self.world.faults.get("save")
        if fault and fault != "ack" and self._fault("save"):
            return
        with self.world.lock:
            case = self.world.by_id(found[1]) if found else None
            if case is None or self.headers.get("X-CSRFToken") != "token":
                self._json(404 if case is None else 403, {"status": 404, "code": "gone"})
                return
            self._save(case, body, lose=fault == "ack")

    def _save(self, case: Case, body: dict[str, Any], *, lose: bool) -> None:
        content = {k: body[k] for k in ("answers", "evidence", "kept")}
        newest = case.newest
        same = all(newest[k] == content[k] for k in content)
        if not same and body["base"] != newest["revision"]:
            self._json(409, {"code": "stale", "status": 409, **newest})
            return
        try:
            check(PROTOCOL, case.form, content["answers"], complete=False)
        except Invalid as invalid:
            self._json(
                422, {"code": "invalid", "faults": [{"cell": f.cell, "message": f.message} for f in invalid.faults]}
            )
            return
        if not same:
            self._append(case, content)
            self.world.log.append({"case": case.number, "form": case.form, **case.newest})
        if lose:
            self.close_connection = True
            self.connection.close()
            return
        self._json(200, {"revision": case.newest["revision"], "saved_at": case.newest["saved_at"], **case.judged()})

    def _close(self, key: str, verb: str, body: dict[str, Any]) -> None:
        if self._fault("lock"):
            return
        case = self.world.by_id(key)
        if case is None:
            self._json(404, {"status": 404})
        elif verb == "set-aside":
            self.world.cases[case.form].remove(case)
            self.world.cases[case.form].append(case)
            self._json(200, {"locked": False} | self._onward(case.form, body))
        elif body["base"] != case.newest["revision"]:
            self._json(409, {"code": "stale", **case.newest})
        else:
            try:
                check(PROTOCOL, case.form, case.newest["answers"], complete=True)
            except Invalid as invalid:
                faults = [{"cell": f.cell, "message": f.message} for f in invalid.faults]
                self._json(422, {"code": "invalid", "faults": faults})
                return
            case.locked = True
            self.world.log.append({"locked": case.number, "form": case.form, **case.newest})
            self._json(200, {"locked": True} | self._onward(case.form, body))


def serve(port: int, cases: int) -> ThreadingHTTPServer:
    """Start serving in the background; the caller shuts it down."""
    handler = type("BoundHandler", (Handler,), {"world": World(cases)})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--cases", type=int, default=3)
    options = parser.parse_args()
    serve(options.port, options.cases)
    print(f"http://127.0.0.1:{options.port}/room/DEMO/mr/", flush=True)
    threading.Event().wait()

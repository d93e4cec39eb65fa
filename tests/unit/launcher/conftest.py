"""The launcher is imported by path, as `./run` does it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "deploy"))

from launcher.context import Context


@pytest.fixture
def context() -> Iterator[Context]:
    made = Context()
    yield made
    made.children.stop.clear()
    made.children.end_all(patience_s=1)

"""Hostile values are written as they are, without warnings, in these tests only."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from pydicom import config


@pytest.fixture(autouse=True)
def _write_anything() -> Iterator[None]:
    before = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.IGNORE
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="pydicom")
        yield
    config.settings.writing_validation_mode = before

"""Programs of other people that tests start: where one is missing, a test fails in CI and is skipped elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = {
    "pspp": "pspp",
    "Rscript": "r-base-core",
    "soffice": "libreoffice-writer-nogui",
    "pdftotext": "poppler-utils",
}


def run(name: str, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program; a failure of it is the caller's to judge."""
    found = shutil.which(name)
    if found is None:
        said = f"{name} is missing (on Debian: apt-get install {PACKAGES[name]})."
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(said)
        pytest.skip(said)  # never with CI=true: there a missing program has failed above
    env = {**os.environ, "HOME": str(cwd), "LC_ALL": "C.UTF-8"}
    return subprocess.run([found, *map(str, arguments)], cwd=cwd, env=env, capture_output=True, text=True, timeout=120)

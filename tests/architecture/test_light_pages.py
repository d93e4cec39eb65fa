"""The process that serves pages does not load what only the worker computes with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("pandas", "scipy", "statsmodels", "matplotlib", "analytics.stats", "analytics.plans")
PROGRAM = f"""
import sys
import spondy.wsgi
from django.urls import get_resolver
get_resolver().url_patterns
print(*(name for name in {HEAVY} if name in sys.modules))
"""


def test_a_web_process_loads_nothing_heavy(tmp_path: Path) -> None:
    env = {**os.environ, "SPONDY_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "spondy.settings"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []

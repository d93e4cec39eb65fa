"""The house's layers hold: import-linter reads the code, and two holes it leaves are looked for here."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps  # noqa: TID251  the tables themselves are what is looked at
from django.contrib.auth import get_user_model
from django.db.models import ForeignObject

ROOT = Path(__file__).resolve().parents[2]
MUST_HAVE = 9


def test_all_contracts_are_kept() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = sum(line.rstrip().endswith("KEPT") for line in done.stdout.splitlines())
    assert kept >= MUST_HAVE, done.stdout


def test_a_violation_is_found(tmp_path: Path) -> None:
    """The contracts would not be kept by chance: a page that imports a table breaks them."""
    for name in ("annotation", "analytics", "spondy"):
        (tmp_path / name).symlink_to(ROOT / name) if name != "annotation" else None
    copy = tmp_path / "annotation"
    copy.mkdir()
    for path in (ROOT / "annotation").iterdir():
        if path.name != "web":
            (copy / path.name).symlink_to(path)
    (copy / "web").mkdir()
    for path in (ROOT / "annotation" / "web").glob("*.py"):
        text = path.read_text()
        if path.name == "home.py":
            text += "\nfrom annotation.models import Case\n"
        (copy / "web" / path.name).write_text(text)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "Only the doors touch the tables BROKEN" in done.stdout, done.stdout


def test_no_foreign_key_leads_back_from_a_user() -> None:
    """`request.user.assignment_set` would pass every import contract."""
    user = get_user_model()
    ours = [model for model in apps.get_models() if model._meta.app_label in {"annotation", "analytics"}]
    keys = [
        field
        for model in ours
        for field in model._meta.get_fields()
        if isinstance(field, ForeignObject) and field.related_model is user
    ]
    assert len(keys) >= 6
    for key in keys:
        assert key.remote_field.related_name == "+", f"{key.model.__name__}.{key.name}"
    # The stock tables of Django hang on the user as well; nothing of a study may.
    back = {relation.related_model._meta.app_label for relation in user._meta.related_objects}
    assert not back & {"annotation", "analytics"}


NOT_A_DOOR = ["annotation/web", "annotation/tasks.py", "analytics", "spondy"]
LOOK_UPS = {"get_model", "get_models", "raw", "extra"}


def _own_past(tree: ast.AST, app: str) -> Iterator[ast.expr]:
    """Find where a migration asks for a table of its own app as it was: Django gives it in no other way."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get_model":
            label = node.args[0] if len(node.args) == 2 else None
            if isinstance(label, ast.Constant) and label.value == app:
                yield node.func


@pytest.mark.parametrize("place", NOT_A_DOOR)
def test_nobody_looks_a_table_up_by_name(place: str) -> None:
    home = ROOT / place
    for path in [home] if home.is_file() else sorted(home.rglob("*.py")):
        tree = ast.parse(path.read_text())
        past = set(_own_past(tree, path.parts[-3])) if path.parent.name == "migrations" else set()
        for node in ast.walk(tree):
            if node not in past and isinstance(node, ast.Attribute) and node.attr in LOOK_UPS:
                pytest.fail(f"{path.relative_to(ROOT)}:{node.lineno} uses {node.attr}")
            if isinstance(node, ast.ImportFrom) and node.module == "django.apps":
                names = {alias.name for alias in node.names}
                assert "apps" not in names, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_a_migration_may_look_up_its_own_app_alone() -> None:
    own, others = (ast.parse(f"apps.get_model('{app}', 'Run')") for app in ("analytics", "annotation"))
    assert len(list(_own_past(own, "analytics"))) == 1
    assert list(_own_past(others, "analytics")) == []

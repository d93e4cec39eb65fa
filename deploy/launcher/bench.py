"""`./run bench`: the programs of deploy/bench/, each of which prints JSON lines."""

from __future__ import annotations

import tempfile
from pathlib import Path

from launcher import bundle, packages
from launcher.context import Context, setup_lock
from launcher.places import ROOT, Stop, bare_environment, in_venv

FOLDER = ROOT / "deploy" / "bench"


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py"))


def carry_out(context: Context, name: str | None) -> int:
    known = names()
    if name is not None and name not in known:
        raise Stop(f"There is no benchmark {name}; there are {', '.join(known)}.", code=2)
    with setup_lock(context):
        packages.ensure(context, dev=True)
        bundle.ensure(context)
    worst = 0
    for chosen in [name] if name else known:
        with tempfile.TemporaryDirectory(prefix="spondy-bench-") as folder:
            env = bare_environment() | {"SPONDY_DATA_DIR": str(Path(folder) / "data"), "PYTHONPATH": str(ROOT)}
            # A benchmark may be called like a module of the standard library: its folder stays off the path.
            args: list[str | Path] = [in_venv("python"), "-P", FOLDER / f"{chosen}.py"]
            worst = max(worst, abs(context.children.run(args, env=env, cwd=ROOT)))
    return worst

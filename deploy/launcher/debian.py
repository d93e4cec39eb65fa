"""Debian's packages, where the launcher runs as root on Debian; elsewhere a sentence says what is missing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from launcher.context import Context
from launcher.places import ROOT


def can_install() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def installed(package: str) -> bool:
    """Ask dpkg's own table; `dpkg-query` would be one process a package."""
    info = Path("/var/lib/dpkg/info")
    return (info / f"{package}.list").exists() or any(info.glob(f"{package}:*.list"))


def missing(packages: Sequence[str]) -> list[str]:
    return [package for package in packages if not installed(package)]


def install(context: Context, packages: Sequence[str], *, title: str) -> None:
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    log = Path(tempfile.gettempdir()) / f"spondy-apt-{os.getpid()}.log"
    wait = ["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]
    with context.console.step(title) as step:
        args = ["apt-get", "-q", *wait, "update"]
        context.children.must("apt-get update", args, env=env, cwd=ROOT, log=log, on_line=step.heard, limit_s=300)
        args = ["apt-get", "-q", "-y", *wait, "install", "--no-install-recommends", *packages]
        what = f"apt-get install {' '.join(packages)}"
        context.children.must(what, args, env=env, cwd=ROOT, log=log, on_line=step.heard, limit_s=900)
    log.unlink(missing_ok=True)

"""A web application on loopback for the length of a block, behind the server that `./run serve` uses."""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from launcher.places import LOOPBACK, ROOT, in_venv
from launcher.services import free_port


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def gunicorn(application: str, env: Mapping[str, str], log: Path, *, healthy: str = "/") -> Iterator[str]:
    port = free_port()
    args: list[str | Path] = [in_venv("gunicorn"), application, "--bind", f"{LOOPBACK}:{port}"]
    args += ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--keep-alive", "30", "--preload"]
    args += ["--no-control-socket", "--graceful-timeout", "2"]
    with log.open("wb") as said:
        child = subprocess.Popen([str(arg) for arg in args], cwd=ROOT, env=dict(env), stdout=said, stderr=said)
    try:
        until = time.monotonic() + 60
        while not answers(port, healthy):
            if child.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{application} does not answer: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

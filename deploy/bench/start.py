"""How long `./run demo` takes to `Ready:` on an empty data folder, again on the same one, and to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def emit(metric: str, value: float) -> None:
    line = {"bench": "start", "metric": metric, "value": round(value, 3), "unit": "s"}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def once(data: Path) -> tuple[float, float]:
    """Start a demo, wait for its one line, end it; give both times in seconds."""
    began = time.monotonic()
    with subprocess.Popen(
        [ROOT / "run", "demo", "--data", data, "--cases", "4"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        said = []
        for line in demo.stdout:
            said.append(line)
            if line.startswith("Ready:"):
                break
        else:
            sys.exit("The demo did not get ready:\n" + "".join(said[-20:]))
        ready = time.monotonic()
        demo.send_signal(signal.SIGTERM)
        demo.stdout.read()
        demo.wait()
    return ready - began, time.monotonic() - ready


def main() -> None:
    data = Path(os.environ["SPONDY_DATA_DIR"])
    first, _ = once(data)
    emit("ready_on_empty_folder", first)
    second, ended = once(data)
    emit("ready_again", second)
    emit("ended_after_sigterm", ended)


main()

"""Orthanc on loopback with a folder of its own: plain ingest over REST, then anonymisation study by study."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from launcher.places import LOOPBACK
from launcher.services import free_port

PROGRAM = shutil.which("Orthanc")
AT_ONCE = 2


@contextmanager
def running(
    folder: Path, *, transcoding: str = "", more: Mapping[str, object] | None = None
) -> Iterator[tuple[int, int]]:
    """Run it for the length of a block; gives its port and process. No other Orthanc is touched."""
    assert PROGRAM is not None
    port = free_port()
    folder.mkdir(parents=True)
    settings: dict[str, object] = {
        "Name": "bench", "StorageDirectory": str(folder / "store"), "IndexDirectory": str(folder / "index"),
        "HttpPort": port, "DicomServerEnabled": False, "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "KeepAlive": True, "TcpNoDelay": True, "Plugins": [], "ConcurrentJobs": AT_ONCE,
    }  # fmt: skip
    if transcoding:
        settings |= {"IngestTranscoding": transcoding}
    settings |= more or {}
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen([PROGRAM, folder / "orthanc.json"], cwd=folder, stdout=log, stderr=log)
    try:
        _until_it_answers(port, child)
        yield port, child.pid
    finally:
        child.terminate()
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _until_it_answers(port: int, child: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if child.poll() is not None:
            raise RuntimeError(f"Orthanc ended with {child.returncode}.")
        try:
            ask(http.client.HTTPConnection(LOOPBACK, port, timeout=5), "GET", "/system")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("Orthanc does not answer.")


def ask(line: http.client.HTTPConnection, method: str, path: str, body: bytes = b"") -> Any:
    line.request(method, path, body or None, {"Content-Type": "application/dicom"} if body else {})
    answer = line.getresponse()
    data = answer.read()
    if answer.status != http.client.OK:
        raise RuntimeError(f"Orthanc answered {answer.status} to {method} {path}.")
    return json.loads(data)


def ingest(port: int, files: Sequence[Path]) -> float:
    """Send the files over connections that stay open, as many at once as Spondy has processors; gives seconds."""
    return _timed(port, files, lambda line, file: ask(line, "POST", "/instances", file.read_bytes()))


def anonymise(port: int) -> float:
    studies: list[str] = ask(http.client.HTTPConnection(LOOPBACK, port), "GET", "/studies")
    body = json.dumps({"Synchronous": True}).encode()
    return _timed(port, studies, lambda line, study: ask(line, "POST", f"/studies/{study}/anonymize", body))


def instances(port: int) -> int:
    return int(ask(http.client.HTTPConnection(LOOPBACK, port), "GET", "/statistics")["CountInstances"])


def _timed(port: int, what: Sequence[Any], act: Callable[[http.client.HTTPConnection, Any], object]) -> float:
    waiting, faults = iter(list(what)), list[BaseException]()
    lock = threading.Lock()

    def work() -> None:
        line = http.client.HTTPConnection(LOOPBACK, port, timeout=600)
        try:
            while True:
                with lock:
                    one = next(waiting, None)
                if one is None:
                    return
                act(line, one)
        except BaseException as fault:
            faults.append(fault)
        finally:
            line.close()

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError("Orthanc did not take everything.") from faults[0]
    return time.monotonic() - began

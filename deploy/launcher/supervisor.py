"""Services that must keep running: started in order, restarted when they die, ended in reverse."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launcher.children import Child, exit_code
from launcher.context import Context
from launcher.folder import DataFolder
from launcher.places import ROOT, Stop, shown, tail

RESTARTS = 5
RESTART_WINDOW_S = 60.0


@dataclass
class Service:
    name: str
    args: list[str | Path]
    env: Mapping[str, str]
    patience_s: float
    pass_fds: tuple[int, ...] = ()
    child: Child | None = None
    deaths: list[float] = field(default_factory=list)


class Supervisor:
    def __init__(self, context: Context, folder: DataFolder) -> None:
        self.context = context
        self.folder = folder
        self.services: list[Service] = []

    def start(self, service: Service) -> None:
        self.services.append(service)
        self._spawn(service)

    def _spawn(self, service: Service) -> None:
        with self.folder.log(service.name).open("ab") as log:
            service.child = self.context.children.start(
                service.args, env=service.env, cwd=ROOT, output=log, pass_fds=service.pass_fds
            )
        self.folder.note(service.name, service.child.pid)

    def wait_for(self, name: str, answers: Callable[[], bool], *, limit_s: float) -> None:
        """Wait until a service answers; one that dies on the way is an error, with the end of its log."""
        until = time.monotonic() + limit_s
        service = next(service for service in self.services if service.name == name)
        log = self.folder.log(name)
        while not answers():
            if service.child is not None and service.child.poll() is not None:
                code = exit_code(service.child.returncode)
                raise Stop(f"{name} did not start ({code}). The end of {shown(log)}:\n{tail(log)}")
            if time.monotonic() > until:
                raise Stop(f"{name} did not answer within {limit_s:.0f} s. The end of {shown(log)}:\n{tail(log)}")
            self.context.children.rest(0.1)

    def look(self) -> None:
        """Restart what has died since the last look."""
        for service in self.services:
            if service.child is not None and service.child.poll() is not None:
                self._restart(service, service.child)

    def _restart(self, service: Service, dead: Child) -> None:
        how = exit_code(dead.returncode)
        self.context.children.forget(dead)
        now = time.monotonic()
        service.deaths = [moment for moment in service.deaths if now - moment < RESTART_WINDOW_S] + [now]
        log = self.folder.log(service.name)
        if len(service.deaths) > RESTARTS:
            raise Stop(f"{service.name} keeps dying ({how}). The end of {shown(log)}:\n{tail(log)}")
        self._spawn(service)
        assert service.child is not None
        self.context.console.timed(
            f"{service.name} died ({how}) and was started again as process {service.child.pid}; see {shown(log)}"
        )

    def end(self) -> None:
        for service in reversed(self.services):
            if service.child is not None:
                self.context.children.end(service.child, patience_s=service.patience_s)
            self.folder.unnote(service.name)
        self.services = []

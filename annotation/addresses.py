"""Sealed frame addresses: which bytes, for which reading, for whose session, until when.

An address is an AES-SIV ciphertext. It says nothing to its holder, opens only together with the session cookie it
was made for, and is checked without the database, in front of Django. The same frame of the same reading keeps its
address for an hour or so, which is what lets the browser's cache serve a prefetched case.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import struct
import time
import uuid
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
LAYOUT = struct.Struct(">16s32sI")  # reading, SHA-256 of the frame, expiry in seconds


class Unopenable(ValueError):
    """Not an address of ours, not of this session, or no longer valid."""


@dataclass(frozen=True)
class Sealed:
    reading: uuid.UUID
    digest: str
    expires: int


@lru_cache(maxsize=2)
def _cipher(secret: str) -> AESSIV:
    return AESSIV(hashlib.sha512(b"frame addresses:" + secret.encode()).digest())


def expiry(now: float | None = None) -> int:
    """Give when an address that is sealed now runs out, in seconds; the same for all of an hour or so."""
    now = time.time() if now is None else now
    lifetime = settings.FRAME_LIFETIME_S
    return int((now // lifetime + 2) * lifetime)


def seal(reading: uuid.UUID, digest: str, *, session: str, now: float | None = None) -> str:
    plain = LAYOUT.pack(reading.bytes, bytes.fromhex(digest), expiry(now))
    token = _cipher(settings.SECRET_KEY).encrypt(plain, [session.encode()])
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def unseal(token: str, *, session: str, now: float | None = None) -> Sealed:
    try:
        # Strict: the lenient decoder skips foreign characters, and one frame would have many addresses.
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        plain = _cipher(settings.SECRET_KEY).decrypt(data, [session.encode()])
        reading, digest, expires = LAYOUT.unpack(plain)
    except (InvalidTag, ValueError, struct.error) as error:
        raise Unopenable("This address does not open.") from error
    if expires < (time.time() if now is None else now):
        raise Unopenable("This address has run out.")
    return Sealed(uuid.UUID(bytes=reading), digest.hex(), expires)


def close(reading: uuid.UUID) -> None:
    """End every address of a reading at once, for as long as one could still be valid.

    The reading is locked in the database by then; a cache that does not answer must not turn that into a failure.
    """
    try:
        cache.set(f"closed-reading:{reading}", 1, timeout=2 * settings.FRAME_LIFETIME_S)
    except RedisError:
        log.warning("the cache does not answer; the addresses of a closed reading live on until they run out")


def reopen(reading: uuid.UUID) -> None:
    try:
        cache.delete(f"closed-reading:{reading}")
    except RedisError:
        log.warning("the cache does not answer; frames wait until it does")


def is_closed(reading: uuid.UUID) -> bool:
    return cache.get(f"closed-reading:{reading}") is not None

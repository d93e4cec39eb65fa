"""What stands in for an identifier: functions of the project's key, so no table of pairs exists anywhere.

The same identifier gives the same substitute in every file and every run. Without the key nothing leads back.
"""

from __future__ import annotations

import hmac
from datetime import date, timedelta

from pydicom._uid_dict import UID_dictionary

SMALLEST_KEY = 16
# All dates of a patient move by one whole number of days, into the past, by at most about ten years.
LONGEST_SHIFT_DAYS = 3650


def check(key: bytes) -> None:
    """Raise ``ValueError`` for a key that is too short to protect anything."""
    if len(key) < SMALLEST_KEY:
        raise ValueError(f"The key has {len(key)} bytes; at least {SMALLEST_KEY} are needed.")


def _digest(key: bytes, purpose: str, text: str) -> bytes:
    check(key)
    return hmac.digest(key, f"{purpose}\0{text}".encode("utf-8", "surrogatepass"), "sha256")


def uid(source: str, *, key: bytes) -> str:
    """Map a UID to one under ``2.25.``, the same for the same source and key.

    Parameters
    ----------
    source : str
        The UID of the source. A UID of the standard itself (SOP class, transfer syntax) stays as it is.
    key : bytes
        The project's key, 16 bytes or more.

    Returns
    -------
    str
        At most 44 characters (PS3.5 annex B.2, a UUID as one decimal number).
    """
    source = source.strip("\0 ")
    if source in UID_dictionary:
        return source
    return f"2.25.{int.from_bytes(_digest(key, 'uid', source)[:16], 'big')}"


def patient_key(identifier: str, *, key: bytes) -> str:
    """Return the keyed hash of a hospital identifier, 32 hexadecimal digits; empty for an empty identifier.

    Blanks around the identifier do not count, so a typed one finds what a padded header gave.
    """
    identifier = identifier.strip("\0 ")
    return _digest(key, "patient", identifier).hex()[:32] if identifier else ""


def day_offset(person: str, *, key: bytes) -> int:
    """Days to add to every date of one person: -1 to -3650, the same in every file of the person."""
    return -1 - int.from_bytes(_digest(key, "days", person.strip("\0 "))[:8], "big") % LONGEST_SHIFT_DAYS


def shifted(day: date, offset: int) -> date | None:
    """Move a date by whole days; ``None`` if the calendar ends before that."""
    try:
        return day + timedelta(days=offset)
    except OverflowError:
        return None

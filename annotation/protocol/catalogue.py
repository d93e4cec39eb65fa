"""Every instrument the program knows, by code and version; filled when imported, then only read."""

from __future__ import annotations

from annotation.protocol import checks, spondylolysis
from annotation.protocol.instrument import Protocol, Unknown

__all__ = ["codes", "get", "latest", "protocols", "register"]

_KNOWN: dict[tuple[str, int], Protocol] = {}


def register(protocol: Protocol) -> None:
    """Make a protocol known.

    Parameters
    ----------
    protocol : Protocol
        Registering the same value again does nothing.

    Raises
    ------
    ValueError
        When a rule's kind or parameters do not exist, or another value already has this code and version: a
        published version never changes.
    """
    for rule in protocol.rules:
        checks.fits(protocol, rule)
    key = (protocol.code, protocol.version)
    if _KNOWN.setdefault(key, protocol) != protocol:
        raise ValueError(f"Protocol {protocol.code} version {protocol.version} is already known with other content.")


def get(code: str, version: int) -> Protocol:
    """The protocol with this code and version; ``Unknown`` with a sentence when there is none."""
    try:
        return _KNOWN[code, version]
    except KeyError:
        raise Unknown(f"There is no protocol {code!r} version {version}.") from None


def latest(code: str) -> Protocol:
    """The newest version of a protocol; ``Unknown`` with a sentence when there is none."""
    versions = [version for known, version in _KNOWN if known == code]
    if not versions:
        raise Unknown(f"There is no protocol {code!r}; known are {', '.join(codes())}.")
    return get(code, max(versions))


def codes() -> tuple[str, ...]:
    """Codes of all protocols, in alphabetical order."""
    return tuple(sorted({code for code, _ in _KNOWN}))


def protocols() -> tuple[Protocol, ...]:
    """Every version of every protocol, by code and version."""
    return tuple(_KNOWN[key] for key in sorted(_KNOWN))


register(spondylolysis.SPONDYLOLYSIS_1)

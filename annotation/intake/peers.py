"""Who may send to the DICOM receiver, and into which study: SPONDY_RECEIVER_PEERS and its companions, read."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings

TITLE = re.compile(r"(?! )[ !-\[\]-~]{1,16}(?<! )")
"""An AE title of PS3.5: up to 16 printable letters, no backslash, no space at its ends."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadReceiver(ValueError):
    """The receiver's settings cannot be used; the text is the sentence for the operator."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Peer:
    """One sender: its AE title, the study it fills, and where it may call from (anywhere, if nothing is said)."""

    title: str
    study: str
    network: Network | None = None

    def may_call_from(self, address: str) -> bool:
        if self.network is None:
            return True
        try:
            found = ipaddress.ip_address(address.split("%", 1)[0])
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        return (mapped or found) in self.network


@dataclass(frozen=True)
class Terms:
    """The receiver as it is set up."""

    title: str
    address: str
    port: int
    peers: dict[str, Peer]
    tls: bool


def peers(text: str) -> dict[str, Peer]:
    """Read `AE=STUDY, AE@address=STUDY`; an address may be a network such as 10.1.2.0/24."""
    found: dict[str, Peer] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        caller, equals, study = part.rpartition("=")
        title, _, place = caller.strip().partition("@")
        if not equals or not study.strip() or not TITLE.fullmatch(title.strip()):
            raise BadReceiver("SPONDY_RECEIVER_PEERS reads CALLING_AE=STUDY or CALLING_AE@ADDRESS=STUDY, by commas.")
        peer = Peer(title.strip(), study.strip(), _network(place.strip()))
        if peer.title in found:
            raise BadReceiver(f"SPONDY_RECEIVER_PEERS names {peer.title} twice; one sender fills one study.")
        found[peer.title] = peer
    return found


def _network(place: str) -> Network | None:
    if not place:
        return None
    try:
        return ipaddress.ip_network(place, strict=False)
    except ValueError:
        raise BadReceiver(f"SPONDY_RECEIVER_PEERS has {place!r}, which is no IP address or network.") from None


def terms() -> Terms:
    """Give the receiver's settings; raises BadReceiver with a sentence."""
    given: dict[str, Any] = settings.RECEIVER
    if not TITLE.fullmatch(given["AE"]):
        raise BadReceiver("SPONDY_RECEIVER_AE is no AE title: 1 to 16 printable letters.")
    if not 1 <= given["PORT"] <= 65535:
        raise BadReceiver("SPONDY_RECEIVER_PORT is no port: 1 to 65535.")
    if bool(given["TLS_CERT"]) != bool(given["TLS_KEY"]):
        raise BadReceiver("SPONDY_RECEIVER_TLS_CERT and SPONDY_RECEIVER_TLS_KEY are set both or neither.")
    if given["TLS_CA"] and not given["TLS_CERT"]:
        raise BadReceiver("SPONDY_RECEIVER_TLS_CA asks senders for a certificate, which needs TLS_CERT and TLS_KEY.")
    return Terms(given["AE"], given["ADDRESS"], given["PORT"], peers(given["PEERS"]), bool(given["TLS_CERT"]))

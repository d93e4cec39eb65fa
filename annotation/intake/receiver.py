"""The DICOM receiver: C-STORE and C-ECHO for the senders on a list. It writes bytes to the spool and reads none.

Names, identifiers and UIDs of what it receives are in no log line: a sender is known by its AE title, an object by its
number in the delivery. Data sets are never parsed here; `sort` and the limited children do that later.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
import uuid
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from pynetdicom import AE, _config, dimse_messages, evt
from pynetdicom.transport import ThreadedAssociationServer

from annotation.access import WrongState
from annotation.dicom import allowlist
from annotation.dicom.prescan import DEFLATED, EXPLICIT, HTJ2K, IMPLICIT, JPEG, JPEG_2000, JPEG_LS, RLE
from annotation.intake import deliveries, inbox, spool
from annotation.intake.gate import still_open
from annotation.intake.landing import Landing, clear
from annotation.intake.peers import BadReceiver, Peer, Terms
from annotation.models import Study, Way

log = logging.getLogger(__name__)

CLASSES = (
    allowlist.CT, allowlist.MR, allowlist.ENHANCED_CT, allowlist.ENHANCED_MR,
    allowlist.CONVERTED_CT, allowlist.CONVERTED_MR,
)  # fmt: skip
ECHO = "1.2.840.10008.1.1"
# Uncompressed first: a sender that offers several in one breath is not asked to compress, perhaps with loss.
SYNTAXES = [EXPLICIT, IMPLICIT, DEFLATED, RLE, *sorted(JPEG_LS | JPEG | JPEG_2000 | HTJ2K)]
SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
NOT_RECOGNISED, LATER = (0x01, 0x01, 0x03), (0x02, 0x03, 0x01)
MOST_ASSOCIATIONS = 8
MOST_CONNECTIONS = 32
LARGEST_PDU, MOST_OF_A_PDU = 131_072, 1024 * 1024
MOST_OF_A_COMMAND, MOST_WAITING = 64 * 1024, 32
"""Bytes of a command set, or of data that is no object to store; messages that one sender has waiting for an answer."""
PDU_S, IDLE_S, HANDSHAKE_S, PATIENCE_S = 60.0, 60.0, 15.0, 10.0
QUIET_S = 5.0
"""Some senders open an association for each image: what one sender brings within this time is one delivery."""


@dataclass
class _Batch:
    """What one sender has open at the moment."""

    delivery: uuid.UUID
    lines: set[threading.Thread] = field(default_factory=set)
    last: float = field(default_factory=time.monotonic)

    @property
    def is_quiet(self) -> bool:
        self.lines = {line for line in self.lines if line.is_alive()}
        return not self.lines and time.monotonic() - self.last > QUIET_S


class _Batches:
    """One open delivery a sender, for as long as it sends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, _Batch] = {}

    def of(self, peer: Peer) -> uuid.UUID:
        with self._lock:
            batch = self._open.get(peer.title)
            if batch is None:
                study = Study.objects.get(code=peer.study)
                batch = _Batch(deliveries.begin(study, way=Way.RECEIVER))
                self._open[peer.title] = batch
                log.info("%s begins a delivery for study %s", peer.title, peer.study)
            batch.lines.add(threading.current_thread())
            batch.last = time.monotonic()
            return batch.delivery

    def forget(self, peer: Peer, delivery: uuid.UUID) -> None:
        """Let go of a delivery that somebody sealed or cancelled meanwhile; the next object begins a new one."""
        with self._lock:
            batch = self._open.get(peer.title)
            if batch is not None and batch.delivery == delivery:
                del self._open[peer.title]

    def seal(self, *, everything: bool = False) -> None:
        with self._lock:
            for title, batch in list(self._open.items()):
                if everything or batch.is_quiet:
                    inbox.close(batch.delivery)
                    del self._open[title]
                    log.info("%s has ended its delivery", title)


class _Server(ThreadedAssociationServer):
    """The listening socket: a bounded number of connections, none of which can hold another up."""

    def verify_request(self, request: Any, client_address: Any) -> bool:
        if len(self.active_associations) < MOST_CONNECTIONS:
            return True
        log.warning("a connection is refused: %d are open already", MOST_CONNECTIONS)
        return False

    def get_request(self) -> tuple[Any, Any]:
        client, address = cast(socket.socket, self.socket).accept()
        client.settimeout(HANDSHAKE_S)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.ssl_context:  # the handshake follows in the thread of this connection, not in the one that listens
            client = self.ssl_context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        return client, address

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        if self.ssl_context:
            try:
                request.do_handshake()
            except OSError as fault:
                log.warning("a TLS handshake failed (%s)", type(fault).__name__)
                self.shutdown_request(request)
                return
        super().process_request_thread(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.warning("a connection ended in a fault before an association was made")


class Receiver:
    """Listens until it is told to stop."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.batches = _Batches()
        self.stopping = threading.Event()
        self._server: Any = None

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Open the port; raises BadReceiver when that cannot be."""
        _hush()
        clear()
        ae = AE(self.terms.title)
        ae.maximum_associations = MOST_ASSOCIATIONS
        ae.maximum_pdu_size = LARGEST_PDU
        ae.network_timeout = ae.dimse_timeout = IDLE_S
        ae.acse_timeout = HANDSHAKE_S
        ae.require_called_aet = True
        ae.require_calling_aet = sorted(self.terms.peers)
        ae.add_supported_context(ECHO)
        for one in CLASSES:
            ae.add_supported_context(one, SYNTAXES)
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, _bound), (evt.EVT_REQUESTED, self._requested), (evt.EVT_C_STORE, self._store),
            (evt.EVT_REJECTED, _rejected), (evt.EVT_RELEASED, _ended), (evt.EVT_ABORTED, _ended),
        ]  # fmt: skip
        where = (self.terms.address, self.terms.port)
        try:
            self._server = ae.make_server(
                where, ssl_context=_tls() if self.terms.tls else None, evt_handlers=handlers, server_class=_Server
            )
        except OSError as fault:
            raise BadReceiver(f"The receiver cannot listen on {where[0]}:{where[1]}: {fault.strerror}.") from None
        ae._servers.append(self._server)  # what AE.start_server does with a server of its own making
        threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True).start()

    def serve(self) -> None:
        """Seal what has gone quiet, until it is told to stop; then end every association and seal the rest."""
        while not self.stopping.wait(1.0):
            self._seal()
        self.stop()

    def stop(self) -> None:
        self.stopping.set()
        lines = self._server.active_associations
        for line in lines:
            line.abort()
        self._server.shutdown()
        for line in lines:  # an object that is being kept is kept before its delivery is sealed
            line.join(PATIENCE_S)
        self._seal(everything=True)

    def _seal(self, *, everything: bool = False) -> None:
        try:
            self.batches.seal(everything=everything)
        except DatabaseError as fault:  # the next look tries again, and at the end the worker's sweep does
            log.warning("a delivery could not be sealed (%s)", type(fault).__name__)
        finally:
            connections.close_all()

    def _peer(self, association: Any) -> Peer | None:
        title = str(association.requestor.ae_title or association.requestor.primitive.calling_ae_title)
        peer = self.terms.peers.get(title.strip())
        return peer if peer and peer.may_call_from(str(association.requestor.address)) else None

    def _requested(self, event: Any) -> None:
        """Refuse whom the list does not know from there, and everybody while nothing can be kept."""
        association = event.assoc
        peer = self._peer(association)
        if peer is None:
            return _refuse(association, NOT_RECOGNISED, "its title or address is not on the list")
        try:
            with transaction.atomic():
                still_open(Study.objects.get(code=peer.study), images=True)
            spool.check_room(0)
        except Study.DoesNotExist:
            _refuse(association, NOT_RECOGNISED, f"there is no study {peer.study}")
        except WrongState as closed:
            _refuse(association, NOT_RECOGNISED, closed.sentence)
        except (DatabaseError, OSError) as fault:
            _refuse(association, LATER, f"nothing can be kept now ({type(fault).__name__})")
        finally:
            connections.close_all()
        return None

    def _store(self, event: Any) -> int:
        try:
            path = Path(event.dataset_path)
        except (AttributeError, TypeError):
            return CANNOT_UNDERSTAND
        peer = self._peer(event.assoc)
        if peer is None:
            return CANNOT_UNDERSTAND
        if not path.is_file():
            log.warning("%s sent an object that is too large, or the disk is nearly full", peer.title)
            return OUT_OF_RESOURCES
        try:
            spool.check_room(0)
        except spool.Unwritable as fault:
            path.unlink(missing_ok=True)
            log.warning("an object of %s is not kept: %s", peer.title, fault.sentence)
            return OUT_OF_RESOURCES
        return self._keep(peer, path)

    def _keep(self, peer: Peer, path: Path) -> int:
        """Bring a whole object into the peer's delivery; a second try meets a restarted database or a sealed one."""
        for _ in range(2):
            try:
                delivery = self.batches.of(peer)
                try:
                    deliveries.place(delivery, path, move=True)
                except WrongState:
                    self.batches.forget(peer, delivery)
                    continue
                return SUCCESS
            except (DatabaseError, OSError, WrongState, Study.DoesNotExist) as fault:
                log.warning("an object of %s could not be kept (%s)", peer.title, type(fault).__name__)
                connection.close()
                if not path.is_file():
                    break
        return OUT_OF_RESOURCES


def _bound(event: Any) -> None:
    """Bound how much a protocol unit and a message may hold and how long a unit may take; pynetdicom bounds none."""
    _bound_messages(event.assoc)
    wrapped = event.assoc.dul.socket

    def recv(most: int) -> bytearray:
        if most > MOST_OF_A_PDU:
            raise OSError("a protocol unit is larger than this receiver takes")
        data, there, until = bytearray(most), 0, time.monotonic() + PDU_S
        while there < most:
            got = wrapped.socket.recv_into(memoryview(data)[there:])
            if not got or time.monotonic() > until:
                return data[:there]
            there += got
        return data

    wrapped.recv = recv


def _bound_messages(association: Any) -> None:
    """End an association whose messages do not end: only an object to store, which goes to the disk, may be long."""
    dimse = association.dimse
    receive = dimse.receive_primitive

    def receive_primitive(primitive: Any) -> None:
        try:
            receive(primitive)
            if not _is_long(dimse.message) and dimse.msg_queue.qsize() <= MOST_WAITING:
                return
            why = "its messages are larger or more than this receiver takes"
        except Exception as fault:  # whatever the bytes have led to; left alone it would end the thread, not the line
            why = f"a message cannot be read ({type(fault).__name__})"
        log.warning("an association is ended: %s", why)
        dimse.message = None
        association.dul.event_queue.put("Evt19")  # what pynetdicom does with a message that is none

    dimse.receive_primitive = receive_primitive


def _is_long(message: Any) -> bool:
    """Say whether an unfinished message holds more in memory than it may."""
    if message is None:
        return False
    held = (message.encoded_command_set, message.data_set)
    return any(one is not None and one.getbuffer().nbytes > MOST_OF_A_COMMAND for one in held)


def _refuse(association: Any, answer: tuple[int, int, int], why: str) -> None:
    title = str(association.requestor.primitive.calling_ae_title)[:16]
    log.warning("an association of %r is refused: %s", title, why)
    association.acse.send_reject(*answer)
    association.kill()


def _rejected(event: Any) -> None:
    log.warning("an association is refused: called by another name, or too many at once")


def _ended(event: Any) -> None:
    connections.close_all()  # each association has a thread, and each thread a connection of its own


def _tls() -> ssl.SSLContext:
    given: dict[str, Any] = settings.RECEIVER
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(given["TLS_CERT"], given["TLS_KEY"])
        if given["TLS_CA"]:
            context.load_verify_locations(given["TLS_CA"])
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as fault:
        raise BadReceiver(
            f"The receiver's TLS files cannot be used: {fault.strerror or type(fault).__name__}."
        ) from None
    return context


def _hush() -> None:
    """Libraries quote what they receive in warnings, logs and tracebacks; none of it may be written down."""
    _config.STORE_RECV_CHUNKED_DATASET = True
    _config.LOG_HANDLER_LEVEL = "none"
    setattr(dimse_messages, "NamedTemporaryFile", Landing)  # noqa: B010  the one place where its temporary files are made
    for name in ("pynetdicom", "pydicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    warnings.simplefilter("ignore")

    def died(given: threading.ExceptHookArgs) -> None:
        log.error("a thread of the receiver ended in a fault (%s)", given.exc_type.__name__)

    threading.excepthook = died

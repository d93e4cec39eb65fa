from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.intake.peers import BadReceiver, terms


class Command(BaseCommand):
    help = "Receive images over the network (DICOM C-STORE) from the senders that SPONDY_RECEIVER_PEERS lists."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = terms()
            if not found.peers:
                raise BadReceiver(
                    "The DICOM receiver is off: SPONDY_RECEIVER_PEERS lists no sender. "
                    "Say who may send into which study, e.g. SPONDY_RECEIVER_PEERS=CT1=MYSTUDY."
                )
            from annotation.intake.receiver import Receiver  # heavy, and only this command needs it

            receiver = Receiver(found)
            receiver.start()
        except BadReceiver as fault:
            raise CommandError(fault.sentence, returncode=2) from None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: receiver.stopping.set())
        senders = ", ".join(f"{peer.title} into {peer.study}" for peer in found.peers.values())
        tls = " with TLS" if found.tls else ""
        self.stdout.write(f"{found.title} receives on {found.address}:{receiver.port}{tls}: {senders}.")
        self.stdout.flush()
        receiver.serve()
        self.stdout.write("The receiver has ended.")

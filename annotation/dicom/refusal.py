"""Why a file is not taken: one sentence a person can read, never a value of the source."""

from __future__ import annotations


class Refused(Exception):
    """The file is not taken, and nothing of it is kept.

    Parameters
    ----------
    code : str
        A short stable word for counting and for tests, such as ``"truncated"``.
    sentence : str
        What to tell the coordinator. It quotes no text of the file, so it may be shown and logged.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Quarantined(Exception):
    """The file could be taken, but a person has to look at it first.

    Parameters
    ----------
    code : str
        A short stable word; an operator releases a file by naming it in ``TakeRules.released``.
    sentence : str
        What made the file suspicious. It quotes no text of the file.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence

"""What a received file is, by its first bytes and never by its name; a sentence for each that is no image."""

from __future__ import annotations

import re

HEAD = 512
"""So many bytes decide."""

DICOM, ARCHIVE, DIRECTORY = "dicom", "archive", "dicomdir"

Kind = tuple[str, str]
"""A code, and for what is not taken the sentence that says what it is."""

_NOT_AN_IMAGE = "It is no image of the examination and stays out."
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "pdf", f"This is a PDF document. {_NOT_AN_IMAGE}"),
    (b"MZ", "program", f"This is a Windows program or a part of one, as on media with a viewer. {_NOT_AN_IMAGE}"),
    (b"\x7fELF", "program", f"This is a program. {_NOT_AN_IMAGE}"),
    (b"\xcf\xfa\xed\xfe", "program", f"This is a program. {_NOT_AN_IMAGE}"),
    (b"\xca\xfe\xba\xbe", "program", f"This is a program. {_NOT_AN_IMAGE}"),
    (b"#!", "program", f"This is a script. {_NOT_AN_IMAGE}"),
    (b"\x89PNG", "picture", "This is a picture (PNG), as of a screen; only DICOM images are taken."),
    (b"\xff\xd8\xff", "picture", "This is a picture (JPEG); only DICOM images are taken."),
    (b"GIF8", "picture", "This is a picture (GIF); only DICOM images are taken."),
    (b"BM", "picture", "This is a picture (BMP); only DICOM images are taken."),
    (b"II*\0", "picture", "This is a picture (TIFF); only DICOM images are taken."),
    (b"MM\0*", "picture", "This is a picture (TIFF); only DICOM images are taken."),
    (b"RIFF", "film", "This is a film or a sound; only DICOM images are taken."),
    (b"7z\xbc\xaf", "archive_kind", "This is a 7z archive; unpack it, or pack it as ZIP."),
    (b"Rar!", "archive_kind", "This is a RAR archive; unpack it, or pack it as ZIP."),
    (b"\x1f\x8b", "archive_kind", "This is a gzip archive; unpack it, or pack it as ZIP."),
    (b"BZh", "archive_kind", "This is a bzip2 archive; unpack it, or pack it as ZIP."),
    (b"\xfd7zXZ", "archive_kind", "This is an xz archive; unpack it, or pack it as ZIP."),
    (b"MSCF", "archive_kind", "This is a Windows cabinet file. It stays out."),
    (
        b"\xd0\xcf\x11\xe0",
        "office",
        "This is an Office document. A clinical table comes in on the page Clinical table.",
    ),
    (b"{\\rtf", "office", f"This is a text document. {_NOT_AN_IMAGE}"),
    (b"SQLite format 3", "database", f"This is a database. {_NOT_AN_IMAGE}"),
    (b"n+1\0", "nifti", "This is a NIfTI volume; only DICOM images are taken."),
)
_OFFICE = (b"[Content_Types].xml", b"mimetypeapplication/vnd.oasis")
_DIRECTORY_CLASS = re.compile(rb"1\.2\.840\.10008\.1\.3\.10(?![0-9.])")
UNKNOWN = ("not_dicom", "This is no DICOM file, and no kind of file this program knows.")
EMPTY = ("empty", "The file is empty.")
TEXT = ("text_file", "This is a text file. A clinical table comes in on the page Clinical table.")
MARKUP = ("markup", f"This is a web page or an XML file. {_NOT_AN_IMAGE}")
OFFICE = ("office", "This is an Office document. A clinical table comes in on the page Clinical table.")


def sniff(head: bytes) -> Kind:
    """Say what a file is; `DICOM`, `ARCHIVE` and `DIRECTORY` are the codes of what intake goes on with.

    Parameters
    ----------
    head : bytes
        Its first `HEAD` bytes, or all of a shorter one.
    """
    if head[128:132] == b"DICM":
        # a medium's directory names its own storage class right in the file meta information
        return (DIRECTORY, "") if _DIRECTORY_CLASS.search(head) else (DICOM, "")
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return OFFICE if any(word in head[:100] for word in _OFFICE) else (ARCHIVE, "")
    for beginning, code, sentence in _BEGINNINGS:
        if head.startswith(beginning):
            return code, sentence
    return _plain(head)


def _plain(head: bytes) -> Kind:
    if not head:
        return EMPTY
    text = head.lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").lower()
    if text[:1] == b"<":
        return MARKUP
    printable = sum(byte >= 32 or byte in b"\t\r\n" for byte in head.replace(b"\0", b""))
    if printable == len(head.replace(b"\0", b"")) and head.count(0) * 2 <= len(head) and any(head):
        return TEXT
    return UNKNOWN

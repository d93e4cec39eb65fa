"""What a viewer is told about one frame: a classic single-frame instance with nothing but geometry and grey values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotation.dicom import allowlist as allow
from annotation.dicom import pixels
from annotation.dicom.geometry import frame_value

# Attributes copied from the top of the header: modality and the description of the stored pixels.
_AS_THEY_ARE = (
    "00080060",
    "00280002",
    "00280004",
    "00280010",
    "00280011",
    "00280100",
    "00280101",
    "00280102",
    "00280103",
)
# Attributes that an enhanced instance keeps in functional groups: tag -> (group, VR).
_PER_FRAME = {
    "00180050": ("00289110", "DS"),
    "00200032": ("00209113", "DS"),
    "00200037": ("00209116", "DS"),
    "00280030": ("00289110", "DS"),
}
_RESCALE = {"00281052": "DS", "00281053": "DS", "00281054": "LO"}


def frame_metadata(
    header: Mapping[str, Any],
    frame_number: int,
    *,
    uid: str,
    series_uid: str,
    study_uid: str,
    frame_of_reference_uid: str | None,
    number: int | None = None,
) -> dict[str, Any]:
    """Describe one frame as if it were a classic single-frame instance.

    Parameters
    ----------
    header : mapping
        ``Taken.header``: single-frame or enhanced.
    frame_number : int
        Counted from 1.
    uid, series_uid, study_uid : str
        What to write as instance, series and study UID; none of the header's own is given out.
    frame_of_reference_uid : str or None
        The same for every series of a case that shares its space; left out when ``None``.
    number : int, optional
        What to write as instance number (place in the stack); left out when ``None``.

    Returns
    -------
    dict
        DICOM JSON model. Pixels are described as the stored JPEG-LS frame has them. Absent geometry stays absent, so
        that a viewer refuses to measure instead of measuring wrongly.

    Raises
    ------
    IndexError
        If the header has no such frame.
    """
    if not 1 <= frame_number <= int((header.get("00280008", {}).get("Value") or [1])[0]):
        raise IndexError(frame_number)
    sop_class = header["00080016"]["Value"][0]
    out: dict[str, Any] = {
        "00080016": _element("UI", allow.CLASSIC.get(sop_class, sop_class)),
        "00080018": _element("UI", uid),
        "0020000D": _element("UI", study_uid),
        "0020000E": _element("UI", series_uid),
    }
    if frame_of_reference_uid is not None:
        out["00200052"] = _element("UI", frame_of_reference_uid)
    if number is not None:
        out["00200013"] = _element("IS", number)
    out.update({tag: header[tag] for tag in _AS_THEY_ARE if tag in header})
    for tag, (group, vr) in _PER_FRAME.items():
        values = frame_value(header, frame_number, group, tag)
        if values:
            out[tag] = _element(vr, *values)
    out.update(_grey_values(header, frame_number))
    return dict(sorted(out.items()))


def _grey_values(header: Mapping[str, Any], frame_number: int) -> dict[str, Any]:
    """Window and rescale, as the header has them: a rescale made up here would be shown as Hounsfield units."""
    out: dict[str, Any] = {}
    window = pixels.header_window(header, frame_number)
    if window:
        out["00281050"], out["00281051"] = _element("DS", window[1]), _element("DS", window[0])
    found = {tag: frame_value(header, frame_number, "00289145", tag)[:1] for tag in _RESCALE}
    if all(found[tag] for tag in ("00281052", "00281053")) and float(found["00281053"][0]) != 0:
        out.update({tag: _element(vr, *found[tag]) for tag, vr in _RESCALE.items() if found[tag]})
    return out


def _element(vr: str, *values: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)}

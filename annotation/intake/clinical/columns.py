"""Whose column is which: a proposal from the names, each with its reason, and the mapping a study has confirmed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from annotation.intake.clinical.tables import BadTable, Score, Sheet

TARGETS: dict[str, str] = {
    "patient_id": "Hospital's identifier",
    "age": "Age, years",
    "sex": "Sex",
    "bmi": "Body mass index, kg/m²",
    "level": "Lytic vertebra",
    "injection_date": "Date of the injection",
    "nrs_baseline": "Pain before (NRS)",
    "nrs_15min": "Pain after 15 minutes (NRS)",
    "nrs_1month": "Pain after 1 month (NRS)",
    "nrs_1month_date": "Date of the 1-month follow-up",
    "nrs_1month_day": "Days to the 1-month follow-up",
    "exclusion": "Exclusion, letters a to e",
    "height": "Height, cm or m (for the BMI)",
    "weight": "Weight, kg (for the BMI)",
    "birth_date": "Date of birth (for the age, not kept)",
}
"""Our columns. The last three are never kept: they give the BMI and the age where those have no column."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "patient_id": (
        "patientid", "pid", "id", "mrn", "patient", "patientennummer", "patientennr", "patientenid", "fallnummer",
        "fallnr", "caseid", "hospitalid", "hospitalnumber", "patientnumber", "patientno", "patientnr", "numeropatient",
        "nopatient", "ipp", "idpatient", "medicalrecordnumber", "pat id", "patid", "patnr", "pidnr",
    ),
    "age": ("alter", "ageyears", "ageatinjection", "alterjahre", "agepatient", "alterbeiinjektion", "ageans"),
    "sex": ("geschlecht", "gender", "sexe", "sexm f", "biologicalsex"),
    "bmi": ("bodymassindex", "imc", "kmi"),
    "level": (
        "niveau", "segment", "hoehe", "hohe", "lyticvertebra", "lysislevel", "lyselevel", "lysehohe", "lysehoehe",
        "vertebra", "wirbel", "etage", "indexlevel", "levelofinjection", "injectionlevel", "vertebre",
    ),
    "injection_date": (
        "date", "datum", "injektionsdatum", "injectiondate", "dateofinjection", "datumderinjektion", "datuminjektion",
        "infiltrationsdatum", "datuminfiltration", "dateinjection", "dateinfiltration", "procedure date",
        "proceduredate", "eingriffsdatum", "dateofprocedure",
    ),
    "nrs_baseline": ("nrspre", "nrs0", "nrst0", "nrsvor", "baseline", "nrsbaseline", "painbaseline"),
    "nrs_15min": ("nrs15", "nrst1", "nrs15minuten", "nrs15min"),
    "nrs_1month": ("nrs1monat", "nrst2", "nrs4weeks", "nrs4wochen", "nrs1mois"),
    "nrs_1month_date": ("nrs1monthdate", "followupdate", "kontrolldatum", "datumkontrolle", "datesuivi",
                        "datecontrole", "dateoffollowup"),
    "nrs_1month_day": ("daystofollowup", "followupdays", "tagebiskontrolle", "followupday"),
    "exclusion": ("ausschluss", "excluded", "exclusionreason", "ausschlussgrund", "exclusionreasons", "motifexclusion",
                  "ausgeschlossen", "reasonforexclusion"),
    "height": ("grosse", "groesse", "korpergrosse", "koerpergroesse", "taille", "bodyheight", "heightcm", "grossecm"),
    "weight": ("gewicht", "korpergewicht", "koerpergewicht", "poids", "bodyweight", "weightkg", "gewichtkg"),
    "birth_date": ("dob", "birthdate", "dateofbirth", "geburtsdatum", "geb", "gebdatum", "datedenaissance", "gebdat"),
}  # fmt: skip

OWN, SAVED, KNOWN, WORDS, WEAK = 110, 100, 80, 60, 20
_PAIN = {"nrs", "pain", "schmerz", "schmerzen", "schmerzskala", "schmerzstarke", "schmerzstaerke", "douleur", "nprs"}
_NO_SCORE = {
    "reduction", "change", "diff", "difference", "delta", "ppr", "percent", "percentage", "success", "relief",
    "improvement", "medication", "meds", "location", "side", "duration", "dauer", "reduktion", "anderung", "aenderung",
    "besserung", "veranderung", "seit", "since", "complete", "comment", "kommentar",
}  # fmt: skip
_DATE = {"date", "datum", "dat", "jour"}
_INJECTION = {"injection", "injektion", "infiltration", "procedure", "eingriff", "intervention", "treatment"}
_TIMES = {
    "nrs_baseline": re.compile(r"\b(baseline|bl|pre|preop|vor|vorher|avant|t ?0|before|prior|initial|base)\b"),
    "nrs_15min": re.compile(r"\b(15|t ?1|fifteen|quarter)\b"),
    "nrs_1month": re.compile(
        r"\b(1 ?(months?|mo|monate?|mois|mth)|one month|ein monat|(month|monat|mois) 1|(4|5) ?(weeks?|wks?|w|wo|"
        r"wochen?|semaines?)|4 5 \w+|(28|30) ?(d|days?|tage?n?|jours)|t ?2|follow ?up|fu|kontrolle|suivi)\b"
    ),
}
_UNITS = {
    "bmi": {"kgm2", "kgm", "kgm²", "kgqm"},
    "age": {"years", "year", "y", "yr", "yrs", "jahre", "jahren", "j", "a", "ans", "inyears", "injahren"},
    "height": {"cm", "m", "incm", "inm"},
    "weight": {"kg", "inkg"},
}


@dataclass(frozen=True)
class Column:
    """A column of the table that came: its name, its letter in a spreadsheet, and what stands in it by kind alone."""

    name: str
    letter: str = ""
    label: str = ""
    filled: int = 0
    kind: str = "empty"
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One patient's row. Where several rows were merged, `origins` has the row of each cell."""

    number: int
    cells: tuple[str, ...]
    origins: tuple[int, ...] = ()
    torn: tuple[int, ...] = ()

    def row_of(self, place: int) -> int:
        return self.origins[place] or self.number if self.origins else self.number


@dataclass(frozen=True)
class Table:
    """Columns and rows as they came; `head` is the row of the names."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    head: int
    remarks: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        return {
            "columns": [asdict(one) for one in self.columns],
            "lines": [[one.number, one.cells, one.origins, one.torn] for one in self.lines],
            "head": self.head,
            "remarks": self.remarks,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Table:
        columns = tuple(Column(**one) for one in document["columns"])
        lines = tuple(Line(n, tuple(c), tuple(o), tuple(t)) for n, c, o, t in document["lines"])
        return cls(columns, lines, document["head"], tuple(document["remarks"]))


@dataclass(frozen=True)
class Proposal:
    """What a column is taken for, and why; `target` is empty where it is left out."""

    target: str
    reason: str


def plain(name: str) -> str:
    """Write a name without case, accents, blanks and signs, so that spellings meet."""
    bare = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9]", "", bare)


def _words(name: str) -> list[str]:
    bare = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(sign for sign in bare if not unicodedata.combining(sign))
    return re.findall(r"[a-z]+|\d+", bare)


_KNOWN = {plain(one): target for target, names in SYNONYMS.items() for one in names}
_OURS = {plain(target): target for target in TARGETS}


def _guesses(name: str) -> Iterator[tuple[int, str, str]]:
    """Give what a name may mean: strength, target, reason. Behind the @ stands the event of a REDCap record."""
    everything = _words(name)
    name = name.partition(" @ ")[0]
    whole = plain(name)
    if whole in _OURS:
        yield OWN, _OURS[whole], "Spondy's own name"
        return
    unit = "".join(re.findall(r"[(\[]([^)\]]*)[)\]]", name))
    base = plain(re.sub(r"[(\[][^)\]]*[)\]]", " ", name))
    target = _KNOWN.get(whole) or _OURS.get(base) or _KNOWN.get(base, "")
    if target and _fits(target, unit):
        yield KNOWN, target, "a known name"
    words = _words(name)
    if words[:2] == ["record", "id"] or whole in {"recordid", "studyid", "subjectid"}:
        yield WEAK, "patient_id", "a record number: check that it is the hospital's identifier"
    yield from _by_words(words, everything)


def _fits(target: str, unit: str) -> bool:
    """A unit in brackets must be ours; for the other columns brackets hold remarks."""
    return not plain(unit) or target not in _UNITS or plain(unit) in _UNITS[target]


def _by_words(words: Sequence[str], everything: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    kinds, said = set(words), " ".join(everything)
    if kinds & _NO_SCORE:
        return
    times = [target for target, found in _TIMES.items() if found.search(said)]
    if kinds & _DATE:
        if times == ["nrs_1month"]:
            yield WORDS, "nrs_1month_date", "the name speaks of a date and the follow-up"
        elif kinds & _INJECTION:
            yield WORDS, "injection_date", "the name speaks of a date and the injection"
    elif kinds & _PAIN and len(times) == 1:
        when = TARGETS[times[0]].removeprefix("Pain ").removesuffix(" (NRS)")
        yield WORDS, times[0], f"the name speaks of pain and {when}"
    elif len(words) <= 4 and (len(words) < len(everything) or not times):
        for word in words:
            target = _KNOWN.get(word) or _OURS.get(word, "")
            if target in {"age", "sex", "bmi", "level", "exclusion"}:
                yield WORDS - 10, target, "the name holds a known word"


def propose(columns: Sequence[Column], saved: Mapping[str, str]) -> list[Proposal]:
    """Take each column for at most one of ours, and each of ours from the one column that fits best."""
    wanted: list[tuple[int, int, str, str]] = []
    known = {plain(name): target for name, target in saved.items()}
    for place, column in enumerate(columns):
        if plain(column.name) in known:
            target = known[plain(column.name)]
            if target in TARGETS:
                wanted.append((SAVED + 20, place, target, "confirmed for this study"))
            continue
        for text in filter(None, (column.name, column.label)):
            wanted += [(strength, place, target, reason) for strength, target, reason in _guesses(text)]
    taken: dict[int, Proposal] = {}
    given: set[str] = set()
    for strength, place, target, reason in sorted(wanted, key=lambda one: (-one[0], one[1])):
        # What the coordinator has confirmed may come from several columns, as the events of a REDCap record do.
        if place not in taken and (target not in given or strength > OWN):
            taken[place] = Proposal(target, reason)
            given.add(target)
    left = Proposal("", "no known name")
    ignored = Proposal("", "left out, as confirmed for this study")
    return [taken.get(at, ignored if plain(c.name) in known else left) for at, c in enumerate(columns)]


def score_of(saved: Mapping[str, str]) -> Score:
    """Give the judge of heads for a study: a known column counts 1, the patients' column 100 more."""
    known = {plain(name): target for name, target in saved.items() if target}

    def score(cells: Sequence[str]) -> int:
        found = set()
        for cell in cells:
            name = plain(cell) if len(cell) <= 100 else ""
            target = known.get(name) or _OURS.get(name) or _KNOWN.get(name) if name else ""
            if not target and name:
                target = next((one for _, one, _ in _guesses(cell)), "")
            found |= {target} if target else set()
        return len(found) + (100 if "patient_id" in found else 0)

    return score


_NUMBER = re.compile(r"\s*[+-]?\d+([.,]\d+)?\s*")
_DAY = re.compile(r"\s*(\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}).*")


def letter(place: int) -> str:
    """Name a column as spreadsheets do: A, B ... Z, AA."""
    text, left = "", place + 1
    while left:
        left, rest = divmod(left - 1, 26)
        text = chr(65 + rest) + text
    return text


def table_of(sheet: Sheet, score: Score) -> Table:
    """Find the head among the first rows; titles above it are passed over."""
    rated = [score(cells) for _, cells in sheet.rows[:20]]
    at = rated.index(max(rated)) if max(rated) else 0
    head, names = sheet.rows[at]
    if not rated[at] and sum(bool(_NUMBER.fullmatch(n) or _DAY.fullmatch(n)) for n in names) * 3 >= len(names):
        raise BadTable("The first row holds values, not names of columns. Put a row with the names on top.")
    remarks = [*sheet.remarks]
    if at:
        remarks.append(f"The names of the columns stand in row {head}; what is above was passed over.")
    below = sheet.rows[at + 1 :]
    width = max([len(names), *(len(cells) for _, cells in below)])
    lines = [Line(number, tuple(cells) + ("",) * (width - len(cells))) for number, cells in below]
    names = [*names, *[""] * (width - len(names))]
    columns = [Column(one.strip()[:100], letter(place)) for place, one in enumerate(names)]
    return described(Table(tuple(columns), tuple(lines), head, tuple(remarks)))


def described(table: Table) -> Table:
    """Count each column's filled cells and say their kind: all that is ever shown of its content."""
    columns = []
    for place, column in enumerate(table.columns):
        filled = [text for one in table.lines if (text := one.cells[place].strip())]
        kinds = {_kind(text) for text in filled[:2000]}
        kind = kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "empty"
        columns.append(Column(column.name, column.letter, column.label, len(filled), kind, column.choices))
    return Table(tuple(columns), table.lines, table.head, table.remarks)


def _kind(text: str) -> str:
    return "dates" if _DAY.fullmatch(text) else "numbers" if _NUMBER.fullmatch(text) else "text"

"""A second, tiny instrument: it proves that nothing but an instrument knows what is asked.

Nothing in the product registers it; a test that needs it calls ``register()``.
"""

from __future__ import annotations

from annotation.protocol import (
    SIDES,
    Continuous,
    Form,
    Item,
    Layout,
    Level,
    Nominal,
    Ordinal,
    Preset,
    Protocol,
    Reason,
    Rule,
    View,
    catalogue,
    levels,
)

SHAPE = Nominal(
    "Shape",
    (
        Level(1, "Round", "As wide as high.", "round"),
        Level(2, "Oval", "Wider than high.", "oval"),
        Level(7, "Lobed", "With a notch.", "lobed"),
    ),
    source="Made up for the tests",
)
COAT = Ordinal("Coat", levels("None", "Thin", "Thick", first=-1), source="Made up for the tests")
VOLUME = Continuous("Volume", "mL", low=0.0, high=12.5, decimals=2, source="Made up for the tests")

TINY = Protocol(
    code="tiny",
    version=1,
    title="Pebbles",
    forms=(
        Form(
            "one",
            "Pebble form",
            modality="MR",
            roles=("SAG_T2", "OTHER"),
            layouts=(Layout("single", "Single", 1, 1, (View("SAG_T2", "middle", "1"),)),),
            presets=(Preset("1", "As stored", "stored"),),
        ),
    ),
    items=(
        Item("shape", SHAPE, form="one", asked="Shape of the pebble", short="Shape", roles=("SAG_T2",)),
        Item("coat", COAT, form="one", asked="Coat of the pebble", short="Coat", sites=SIDES, combine="max"),
        Item("volume_ml", VOLUME, form="one", asked="Volume of the pebble", short="Volume", required=False),
    ),
    rules=(
        Rule("T1", "at_most", {"measure": "volume_ml", "at_most": 0.5}, "A small pebble of {value}.", severity="info"),
    ),
    reasons=(Reason("hidden", "Hidden"), Reason("else", "Something else", note=True)),
)


def register() -> Protocol:
    """Put the instrument into the catalogue of this process."""
    catalogue.register(TINY)
    return TINY

"""The plans there are: what the reference study did, everything, and agreement alone for any instrument."""

from __future__ import annotations

from typing import Any

from analytics.plans.plan import Plan, Step
from annotation.protocol import Protocol

__all__ = ["agreement_for", "codes", "get", "planned", "titles"]

TIMES = ("15min", "1month")
OUTCOMES = tuple(f"success_{time}" for time in TIMES)
MEASUREMENTS = ("age", "bmi", "nrs_baseline", "nrs_15min", "nrs_1month", "ppr_15min", "ppr_1month")
PAIRS = (("nrs_baseline", "nrs_15min"), ("nrs_baseline", "nrs_1month"), ("nrs_15min", "nrs_1month"))
# The deeper side decides, so the scale is ordered; the reference study tests the pattern as nominal all the same.
NOMINAL = ("contrast_pattern",)


def _is(name: str, item: str, level: str) -> dict[str, str]:
    return {"name": name, "item": item, "level": level}


def _score(item: str) -> dict[str, str]:
    return {"name": item, "item": item}


def _levels(item: str) -> dict[str, Any]:
    return {"name": item, "item": item, "indicators": True}


CONTRAST = (_is("contrast_intra", "contrast_pattern", "intra"), _is("contrast_trans", "contrast_pattern", "trans"))
MULTI = _is("segment_multi", "segment_degeneration", "multi")
MODELS: dict[str, tuple[dict[str, Any], ...]] = {
    "default": (
        *CONTRAST,
        MULTI,
        _score("pfirrmann"),
        _score("modic_type1"),
        _score("weishaupt"),
        _score("bartynski"),
        _score("lee"),
        _score("slip_mm"),
        _score("meyerding"),
        _score("isthmic_bme"),
        _score("soft_tissue_edema_cyst"),
    ),
    "reduced": (MULTI, _score("modic_type1"), _score("slip_mm"), _score("isthmic_bme")),
    "bme_only": (_score("isthmic_bme"),),
    "categorical": (
        *CONTRAST,
        MULTI,
        _levels("pfirrmann"),
        _score("modic_type1"),
        _levels("weishaupt"),
        _levels("bartynski"),
        _levels("lee"),
        _score("slip_mm"),
        _levels("meyerding"),
        _score("isthmic_bme"),
        _score("soft_tissue_edema_cyst"),
    ),
}
KAPPAS = ["kappa_unweighted", "kappa_linear", "kappa_quadratic"]
EVERY_NOMINAL = [
    "table",
    "agreement",
    "specific_agreement",
    "kappa_unweighted",
    "brennan_prediger_unweighted/declared",
    "gwet_ac1/declared",
    "krippendorff_nominal",
]
EVERY_ORDINAL = [
    *EVERY_NOMINAL,
    "kappa_linear",
    "kappa_quadratic",
    "brennan_prediger_linear/declared",
    "brennan_prediger_quadratic/declared",
    "gwet_ac2_linear/declared",
    "gwet_ac2_quadratic/declared",
    "krippendorff_ordinal",
    "krippendorff_interval",
]
EVERY_CONTINUOUS = ["pairs", "anova", "icc_a1", "icc_c1", "icc_1", "icc_ak", "icc_ck", "icc_1k", "bland_altman"]
FULL_AGREEMENT: dict[str, Any] = {
    "nominal": EVERY_NOMINAL,
    "binary": ["pabak", "byrt"],
    "ordinal": EVERY_ORDINAL,
    "continuous": EVERY_CONTINUOUS,
    "as_nominal": list(NOMINAL),
}
PAPER_AGREEMENT: dict[str, Any] = {
    "nominal": ["table", "agreement", "kappa_unweighted"],
    "binary": [],
    "ordinal": ["table", "agreement", *KAPPAS],  # the study printed the unweighted one; the weighted stand beside it
    "continuous": ["pairs", "icc_a1"],
    "as_nominal": list(NOMINAL),
}


def _pain(spearman: tuple[tuple[str, str], ...]) -> tuple[Step, ...]:
    return (
        Step("describe", {"variables": list(MEASUREMENTS)}),
        Step("levels", {"variables": ["sex", "level"]}),
        Step("response", {"times": list(TIMES)}),
        Step("response_pairs", {"first": TIMES[0], "second": TIMES[1]}),
        Step("signed_rank", {"pairs": [list(pair) for pair in PAIRS]}),
        Step("mcnemar", {"first": OUTCOMES[0], "second": OUTCOMES[1]}),
        Step("spearman", {"pairs": [list(pair) for pair in spearman]}),
    )


def _models(*specifications: str, firth: bool) -> tuple[Step, ...]:
    return tuple(
        Step("model", {"specification": code, "terms": list(MODELS[code]), "outcomes": list(OUTCOMES), "firth": firth})
        for code in specifications
    )


PAPER = Plan(
    code="paper",
    title="As the reference study",
    version=1,
    protocol="spondylolysis",
    steps=(
        Step("completeness"),
        *_pain((("nrs_15min", "nrs_1month"),)),
        Step("prevalence"),
        Step("agreement", PAPER_AGREEMENT),
        # Binary findings and the contrast pattern by chi-square, grades and millimetres by rank sum.
        Step("chisq", {"items": "unordered", "as_nominal": list(NOMINAL), "outcomes": list(OUTCOMES)}),
        Step("rank_sum", {"as_nominal": list(NOMINAL), "outcomes": list(OUTCOMES)}),
        *_models("default", firth=False),
    ),
)

FULL = Plan(
    code="full",
    title="Every statistic of the reference tables",
    version=1,
    protocol="spondylolysis",
    steps=(
        Step("completeness"),
        *_pain(
            (
                ("nrs_15min", "nrs_1month"),
                ("ppr_15min", "ppr_1month"),
                *((variable, f"ppr_{time}") for variable in ("age", "bmi") for time in TIMES),
            )
        ),
        Step("prevalence"),
        Step("agreement", FULL_AGREEMENT),
        Step(
            "chisq",
            {
                "items": "coded",
                "as_nominal": list(NOMINAL),
                "outcomes": list(OUTCOMES),
                "characteristics": ["sex", "level"],
            },
        ),
        Step(
            "rank_sum",
            {
                "as_nominal": list(NOMINAL),
                "outcomes": list(OUTCOMES),
                "measurements": ["age", "bmi"],
                "by_sex": [f"ppr_{time}" for time in TIMES],
            },
        ),
        Step("multiplicity", {"as_nominal": list(NOMINAL), "outcomes": list(OUTCOMES)}),
        *_models("default", "reduced", "bme_only", "categorical", firth=True),
    ),
)

REPLICATES = 2000
# At each place of a finding, and over all places: coefficients that exist for two readers and for more.
AT_PLACES: dict[str, Any] = {
    "nominal": ["agreement", "kappa_unweighted", "gwet_ac1/declared"],
    "ordinal": ["agreement", *KAPPAS, "gwet_ac1/declared", "gwet_ac2_quadratic/declared"],
    "continuous": ["icc_a1", "icc_c1"],
    "clustered": {
        "nominal": [
            ["percent", "unweighted"],
            ["conger", "unweighted"],
            ["fleiss", "unweighted"],
            ["gwet", "unweighted"],
            ["brennan_prediger", "unweighted"],
            ["alpha_nominal", "unweighted"],
        ],
        "ordinal": [
            ["percent", "unweighted"],
            *([name, weights] for name in ("conger", "fleiss", "gwet") for weights in ("unweighted", "quadratic")),
            ["brennan_prediger", "unweighted"],
            ["alpha_ordinal", "unweighted"],
        ],
        "continuous": [["icc_a1", "unweighted"], ["icc_c1", "unweighted"], ["alpha_interval", "unweighted"]],
    },
    "drawn": {
        "nominal": [["conger", "unweighted"]],
        "ordinal": [["conger", "unweighted"], ["conger", "quadratic"]],
        "continuous": [["icc_a1", "unweighted"]],
    },
    "replicates": REPLICATES,
}
THRESHOLDS = [percent / 100 for percent in range(10, 100, 10)]
CHARACTERISTICS = ["age", "sex", "bmi", "level"]
AVERAGEABLE = ("default", "reduced", "bme_only")  # without indicators of the levels that happen to occur
# What else decides numbers and could be chosen otherwise; `full` and `paper` were frozen with studies without it.
RULES: dict[str, Any] = {"success_times": 2, "classification_cut": 0.5, "level": 0.95}
PENALTY: dict[str, Any] = {"rule": "aic_c", "grid": [2.0**power for power in range(-4, 11)]}
SETTLED = {"of": "adjudicated"}
RANKED: dict[str, Any] = {"as_nominal": list(NOMINAL), "outcomes": list(OUTCOMES)}


def _layers(as_nominal: list[str]) -> tuple[Step, ...]:
    """Repeat readings, places and adjudication; each gives nothing but a reason where the study has none."""
    return (
        Step("layers"),
        Step("again", {"as_nominal": as_nominal}),
        Step("by_place", {**AT_PLACES, "as_nominal": as_nominal}),
    )


def _adjudicated() -> tuple[Step, ...]:
    """Compute of the adjudicated findings what `full` computes of each reader's."""
    return (
        Step("prevalence", SETTLED),
        Step("chisq", {**RANKED, **SETTLED, "items": "coded"}),
        Step("rank_sum", {**RANKED, **SETTLED}),
        Step("multiplicity", {**RANKED, **SETTLED}),
        *(
            Step(
                "model",
                {"specification": code, "terms": list(terms), "outcomes": list(OUTCOMES), "firth": True, **SETTLED},
            )
            for code, terms in MODELS.items()
        ),
    )


def _extension(code: str) -> tuple[Step, ...]:
    """Everything the extended plan adds to one specification."""
    model = {"specification": code, "terms": list(MODELS[code]), "averaged": True, "also_adjudicated": True}
    binary = {**model, "outcomes": list(OUTCOMES)}
    drawn = {**binary, "replicates": REPLICATES}
    procedures: tuple[dict[str, Any], ...] = (
        {"procedure": "maximum_likelihood"},
        {"procedure": "firth"},
        {"procedure": "ridge", **PENALTY},
    )
    return (
        Step("averaged_model", binary),
        *(Step("optimism", {**drawn, **how, "thresholds": THRESHOLDS}) for how in procedures),
        *(Step("calibration", {**binary, **how, "thresholds": THRESHOLDS}) for how in procedures),
        Step("ridge", {**binary, **PENALTY}),
        Step("ordinal_model", {**model, "responses": [f"response_{time}" for time in TIMES]}),
        Step("change", {**drawn, "firth": True}),
    )


EXTENDED = Plan(
    code="extended",
    title="Every statistic, with prediction and sensitivity analyses",
    version=3,
    protocol="spondylolysis",
    steps=(
        Step("rules", RULES),
        *FULL.steps,
        Step("bootstrap", {"replicates": REPLICATES}),
        *_layers(list(NOMINAL)),
        *_adjudicated(),
        Step("spearman", {"pairs": [["level", f"ppr_{time}"] for time in TIMES]}),
        Step("kruskal", {"variables": [f"ppr_{time}" for time in TIMES], "by": ["level"]}),
        Step("risk", {"outcomes": list(OUTCOMES), "also_adjudicated": True}),
        Step(
            "ancova",
            {
                "baseline": "nrs_baseline",
                "followups": [f"nrs_{time}" for time in TIMES],
                "as_nominal": list(NOMINAL),
                "characteristics": CHARACTERISTICS,
                "also_adjudicated": True,
            },
        ),
        Step(
            "ordinal",
            {
                "responses": [f"response_{time}" for time in TIMES],
                "as_nominal": list(NOMINAL),
                "characteristics": CHARACTERISTICS,
                "also_adjudicated": True,
            },
        ),
        Step("characteristics", {"variables": CHARACTERISTICS, "outcomes": list(OUTCOMES)}),
        *(step for code in AVERAGEABLE for step in _extension(code)),
        Step(
            "ridge",
            {
                "specification": "categorical",
                "terms": list(MODELS["categorical"]),
                "outcomes": list(OUTCOMES),
                "also_adjudicated": True,
                **PENALTY,
            },
        ),
    ),
)

_PLANS = {plan.code: plan for plan in (PAPER, FULL, EXTENDED)}


def codes() -> tuple[str, ...]:
    """Names of the plans for the reference instrument."""
    return tuple(_PLANS)


def get(code: str) -> Plan:
    """Return the plan of this name; ``KeyError`` when there is none."""
    return _PLANS[code]


def titles() -> list[tuple[str, str]]:
    """Codes and titles of the plans there are, in the order in which they grow."""
    return [(plan.code, plan.title) for plan in _PLANS.values()]


def planned(code: str, protocol: Protocol) -> Plan:
    """Give the plan of this name for an instrument; where it is made for another, the agreement of the readers.

    Parameters
    ----------
    code : str
        As a study or a run keeps it.
    protocol : Protocol
        The study's instrument.
    """
    found = _PLANS.get(code)
    if found is not None and found.protocol == protocol.code:  # a plan names the items of one instrument
        return found
    return agreement_for(protocol, of=code)


def agreement_for(protocol: Protocol, *, of: str = FULL.code) -> Plan:
    """Make the plan that computes prevalence and agreement of every finding, and nothing that needs an outcome.

    It is what can be computed of a plan while the outcomes are closed.

    Parameters
    ----------
    protocol : Protocol
        Any instrument. The measurement level of each scale decides: nominal kappa, ordinal also weighted kappa,
        continuous ICC and Bland-Altman.
    of : str
        Plan it is part of, or its own name. Of `extended` also bootstrap intervals, repeat readings and the places of
        a finding; of `paper` only the coefficients which that names for its instrument.
    """
    own = of.removeprefix("agreement_")
    extended, paper = own == EXTENDED.code, own == PAPER.code and protocol.code == PAPER.protocol
    as_nominal = [item.code for item in protocol.items if item.code in NOMINAL and protocol.code == "spondylolysis"]
    return Plan(
        code=f"agreement_{own}" if extended or paper else "agreement",
        title="Agreement of the readers",
        version=1,
        protocol=protocol.code,
        steps=(
            Step("completeness"),
            Step("prevalence"),
            Step("agreement", {**(PAPER_AGREEMENT if paper else FULL_AGREEMENT), "as_nominal": as_nominal}),
            *((Step("bootstrap", {"replicates": REPLICATES}), *_layers(as_nominal)) if extended else ()),
        ),
        needs_outcomes=False,
    )

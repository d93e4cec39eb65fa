"""The simulated reference study itself: do its planted kappas and odds ratios come out of a whole study of 134?

Promised are the score interval of kappa and, of odds ratios on what is there, Wald's and Firth's profile limits: what
the reports print. On what a reader saw an odds ratio is nearer to 1 than the planted one, so nothing is promised there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from analytics import derive, simulate
from analytics.stats import agreement, logistic, separation
from annotation.protocol import catalogue

from bench.parts.coverage import Look, Scenario, logs

FAMILY = "The simulated reference study"
SIZES = (134, 500)
LEVELS = {item: sorted(levels) for item, levels in simulate.FINDINGS.items()}
WALD = ("odds_ratio", "or_ci_low", "or_ci_high")


def kappas(n: int, rng: np.random.Generator) -> Iterator[Look]:
    """Cohen's kappa of two readers on every coded finding."""
    made = simulate.study(cases=n, kappa=simulate.AGREEMENT, seed=int(rng.integers(2**31)))
    protocol = catalogue.latest("spondylolysis")
    for item, levels in LEVELS.items():
        first, second = (
            [levels.index(int(protocol.parsed(item, str(cell)))) for cell in own[item]]
            for _, own in made.gradings.groupby("reader")
        )
        table = np.zeros((len(levels), len(levels)))
        np.add.at(table, (first, second), 1)
        found = agreement.kappa(table, levels, "unweighted")
        name, planted = f"kappa of {item}", simulate.AGREEMENT[item]
        score = found.ci_low_score, found.ci_high_score
        yield Look(f"{name}, score", planted, found.estimate, *score, promised=True)
        yield Look(f"{name}, Wald", planted, found.estimate, found.ci_low, found.ci_high)


def odds(read: bool, n: int, rng: np.random.Generator) -> Iterator[Look]:
    """Odds ratios of success on what is there, or on what a reader made of it."""
    made = simulate.study(cases=n, kappa=simulate.AGREEMENT, seed=int(rng.integers(2**31)))
    graded = _read(made) if read else made.truth
    x = {item: graded[item].to_numpy(dtype=float) for item in simulate.ODDS_RATIOS}
    clinical = made.clinical
    for place, time in enumerate(("15min", "1month")):
        classes = derive.response(clinical["nrs_baseline"], clinical[f"nrs_{time}"])
        success = np.isin(classes, SUCCESS).astype(float)
        design = logistic.prepare(x, success)
        model = logistic.fit(design)
        penal = separation.firth(design.x, design.y, design.names, separated=False)
        for item, planted in simulate.ODDS_RATIOS.items():
            name, truth, own = f"log OR of {item}, {time}", planted[place], penal.terms[item]
            ratio = (getattr(model.terms[item], field) for field in WALD)
            yield logs(f"{name}, Wald", truth, *ratio, promised=not read)
            limits = own.b_profile_low, own.b_profile_high
            yield Look(f"{name}, Firth profile", math.log(truth), own.b, *limits, promised=not read)


SUCCESS = (3, 4, 5)
"""Places of the response classes from half of the pain gone upwards, from more pain to complete relief."""


def _read(made: simulate.Study) -> pd.DataFrame:
    protocol = catalogue.latest("spondylolysis")
    own = made.gradings[made.gradings["reader"] == "R1"].set_index("case_id").loc[made.truth["case_id"]]
    return pd.DataFrame({item: [protocol.parsed(item, str(v)) for v in own[item]] for item in simulate.ODDS_RATIOS})


def scenarios() -> Iterator[Scenario]:
    for n in SIZES:
        yield Scenario(FAMILY, "a kappa for each finding", f"n = {n}", partial(kappas, n))
        yield Scenario(FAMILY, "odds ratios, what is there", f"n = {n}", partial(odds, False, n))
        yield Scenario(FAMILY, "odds ratios, as one reader graded", f"n = {n}", partial(odds, True, n))

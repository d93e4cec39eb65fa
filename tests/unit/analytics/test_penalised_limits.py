"""Where logistf and this program give different penalised limits, ours is the border and theirs is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special, stats

from analytics.frames import Frames
from analytics.plans.catalogue import MODELS
from analytics.plans.modelling import predictors
from analytics.plans.parts import Table
from analytics.stats import logistic
from analytics.stats.result import Results
from tests.unit.analytics.test_reference_study import NOT_REACHED


def penalised(design: logistic.Design, b: np.ndarray) -> tuple[float, np.ndarray]:
    """Penalised log likelihood and its gradient (Firth 1993)."""
    eta = design.x @ b
    p = special.expit(eta)
    u, singular, _ = np.linalg.svd(design.x * np.sqrt(p * (1 - p))[:, None], full_matrices=False)
    value = float(np.sum(design.y * eta - np.logaddexp(0, eta)) + np.sum(np.log(singular)))
    return value, design.x.T @ (design.y - p + np.sum(u**2, axis=1) * (0.5 - p))


@pytest.mark.parametrize(("id", "field"), sorted(NOT_REACHED))
def test_our_limit_is_no_lower_than_the_border_and_theirs_is(
    id: str, field: str, d2: Frames, full: Results, references: list[dict[str, str]]
) -> None:
    _, specification, reader, outcome, _, name = id.split("/")
    items = {item.code: item for item in d2.items}
    grades = {item.code: d2.grades(reader, item.code) for item in d2.items}
    y = Table(d2).column(outcome)
    design = logistic.prepare(predictors(MODELS[specification], items, grades, y), y)
    best = np.array(
        [full.value(f"logistic/{specification}/{reader}/{outcome}/firth/{n}", "b") for n in design.names], dtype=float
    )
    j = design.names.index(name)
    free = np.delete(np.arange(best.size), j)
    scale = design.x.std(axis=0)
    scale[0] = 1.0

    def fall(value: float, steps: int = 25) -> float:
        """Twice the fall at a value, by a general optimiser walked there from the estimate."""
        b = best.copy()
        for place in np.linspace(best[j], value, steps)[1:]:
            b[j] = place

            def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
                b[free] = z / scale[free]
                value, gradient = penalised(design, b)
                return -value, -gradient[free] / scale[free]

            b[free] = optimize.minimize(loss, b[free] * scale[free], method="BFGS", jac=True).x / scale[free]
        return 2 * (penalised(design, best)[0] - penalised(design, b)[0])

    reference = next(float(row["value"]) for row in references if (row["id"], row["field"]) == (id, field))
    border = float(stats.chi2.ppf(0.95, 1))
    # A fall found by any optimiser is an upper bound of the true one, so a reference below the border is below it.
    assert fall(reference) < border - 0.1
    ours = full.value(id, field)
    assert isinstance(ours, float)
    assert abs(ours - best[j]) > abs(reference - best[j])
    assert fall(ours) == pytest.approx(border, abs=0.02)

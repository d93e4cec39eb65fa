"""Our own arithmetic against scipy, statsmodels and plain enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests

from analytics.stats import agreement, association, describe, exact, logistic, paired, reliability, separation
from analytics.stats.result import NotEstimable


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20251122)


def test_logistic_regression_is_statsmodels(rng: np.random.Generator) -> None:
    x = rng.normal(size=(120, 3)) * [1, 10, 0.1]
    y = (rng.random(120) < 1 / (1 + np.exp(-(0.3 + x @ [0.8, 0.05, -4])))).astype(float)
    model = logistic.fit(logistic.prepare({name: x[:, j] for j, name in enumerate("abc")}, y))
    other = sm.Logit(y, sm.add_constant(x)).fit(method="newton", tol=1e-12, disp=0)
    terms = list(model.terms.values())
    assert [term.b for term in terms] == pytest.approx(other.params, rel=1e-8)
    assert [term.se for term in terms] == pytest.approx(other.bse, rel=1e-8)
    assert model.summary.minus2ll == pytest.approx(-2 * other.llf, rel=1e-12)
    assert model.summary.omnibus_p == pytest.approx(other.llr_pvalue, rel=1e-8)


def test_exact_profile_limits_of_a_two_by_two_table_satisfy_their_definition() -> None:
    x, y = np.repeat([0.0, 0.0, 1.0, 1.0], [14, 6, 5, 15]), np.repeat([0.0, 1.0, 0.0, 1.0], [14, 6, 5, 15])
    term = logistic.fit(logistic.prepare({"x": x}, y)).terms["x"]

    def loglik(b: float) -> float:
        fits = sm.GLM(y, np.ones((y.size, 1)), family=sm.families.Binomial(), offset=b * x).fit(tol=1e-12)
        return float(fits.llf)

    top = loglik(float(str(term.b)))
    for limit in (term.or_profile_exact_low, term.or_profile_exact_high):
        assert 2 * (top - loglik(math.log(float(str(limit))))) == pytest.approx(3.841458820694124, abs=1e-6)
    # R's interpolated limit is near, and not the same.
    assert term.or_profile_low == pytest.approx(float(str(term.or_profile_exact_low)), rel=2e-3)
    assert term.or_profile_low != term.or_profile_exact_low


def test_kappa_and_both_standard_errors_are_statsmodels(rng: np.random.Generator) -> None:
    table = rng.integers(1, 20, (4, 4))
    ours, theirs = agreement.kappa(table, range(4)), cohens_kappa(table)
    assert ours.estimate == pytest.approx(theirs.kappa, rel=1e-12)
    assert ours.ase1 == pytest.approx(theirs.std_kappa, rel=1e-12)
    assert ours.ase0 == pytest.approx(theirs.std_kappa0, rel=1e-12)
    weighted = cohens_kappa(table, weights=np.arange(4))
    assert agreement.kappa(table, range(4), "linear").estimate == pytest.approx(weighted.kappa, rel=1e-12)


def test_krippendorff_of_two_readers_follows_its_definition_pair_by_pair(rng: np.random.Generator) -> None:
    a, b = rng.integers(0, 4, 30), rng.integers(0, 4, 30)
    table = association.cross_table(a, b, range(4), range(4))
    everyone = np.concatenate([a, b])
    observed = np.mean((a - b) ** 2)
    expected = np.mean([(x - y) ** 2 for x, y in itertools.permutations(everyone, 2)])
    assert agreement.krippendorff(table, range(4), "interval").estimate == pytest.approx(1 - observed / expected)


def test_rank_tests_are_scipys(rng: np.random.Generator) -> None:
    x, y = rng.integers(0, 6, 40).astype(float), rng.integers(0, 6, 40).astype(float)
    wilcoxon = stats.wilcoxon(x, y, zero_method="wilcox", correction=False, method="asymptotic")  # type: ignore[call-overload]  # the stubs lack this method
    assert paired.signed_rank(x, y).p == pytest.approx(wilcoxon.pvalue, rel=1e-10)
    group = rng.integers(0, 2, 40)
    u = stats.mannwhitneyu(x[group == 1], x[group == 0], use_continuity=False, method="asymptotic")
    found = association.rank_sum(x, group)
    assert found.p == pytest.approx(u.pvalue, rel=1e-10)
    assert u.statistic == found.U1
    assert paired.spearman(x, y).p == pytest.approx(stats.spearmanr(x, y).pvalue, rel=1e-9)


def test_mcnemar_is_statsmodels() -> None:
    first, second = np.repeat([1, 1, 0, 0], [20, 11, 28, 60]), np.repeat([1, 0, 1, 0], [20, 11, 28, 60])
    found = paired.mcnemar(first, second)
    assert found.p_exact == pytest.approx(mcnemar([[20, 11], [28, 60]], exact=True).pvalue, rel=1e-12)
    assert found.p_continuity == pytest.approx(mcnemar([[20, 11], [28, 60]], exact=False).pvalue, rel=1e-12)


def test_adjustments_are_statsmodels(rng: np.random.Generator) -> None:
    p = rng.random(11) ** 3
    found = association.adjust({str(place): value for place, value in enumerate(p)})
    for method, field in (("holm", "p_holm"), ("fdr_bh", "p_bh"), ("bonferroni", "p_bonferroni")):
        ours = [found[str(place)].values()[field] for place in range(11)]
        assert ours == pytest.approx(multipletests(p, method=method)[1], rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_exact_rank_sum_is_the_enumeration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 4, 11) if seed % 2 else rng.random(11)
    ranks = stats.rankdata(x)
    member = np.zeros(11, dtype=bool)
    member[rng.permutation(11)[: 3 + seed]] = True
    sums = np.array([ranks[list(one)].sum() for one in itertools.combinations(range(11), int(member.sum()))])
    centre = member.sum() * 6
    share = np.mean(np.abs(sums - centre) >= abs(ranks[member].sum() - centre) - 1e-9)
    found = exact.rank_sum_two_sided(ranks, member)
    # Mirror sums may drop out by rounding, as in R; the probability of one of the two ends is the widest difference.
    end = max(
        np.mean(np.abs(sums - centre - d) < 1e-9) for d in (1, -1) for d in [d * abs(ranks[member].sum() - centre)]
    )
    assert share - end - 1e-12 <= float(str(found)) <= share + 1e-12


def test_exact_rank_sum_by_groups_and_by_scores_agree(rng: np.random.Generator) -> None:
    values, times = np.array([3, 8, 14, 21]), np.array([9, 12, 7, 5])
    scores = np.repeat(values, times)
    for size, low, high in ((10, 80, 160), (25, 250, 300), (16, 150, 190)):
        by_groups = exact._tails_of_groups(values, times, size, low, high)
        by_scores = exact._tails_of_scores(scores, size, low, high)
        assert by_groups == pytest.approx(by_scores, rel=1e-10)


def test_exact_signed_rank_is_the_enumeration() -> None:
    ranks = np.array([1.5, 1.5, 3, 4.5, 4.5, 6, 7])
    sums = np.array([ranks[np.array(signs) > 0].sum() for signs in itertools.product([0, 1], repeat=7)])
    share = np.mean(np.abs(sums - ranks.sum() / 2) >= abs(6.0 - ranks.sum() / 2))
    assert exact.signed_rank_two_sided(ranks, 6.0) == pytest.approx(share, rel=1e-12)


def test_exact_tables_are_scipys_and_the_enumeration(rng: np.random.Generator) -> None:
    two = rng.integers(1, 15, (2, 2))
    assert exact.table_probability(two) == pytest.approx(stats.fisher_exact(two).pvalue, rel=1e-9)
    three = np.array([[4, 1], [2, 6], [3, 3], [1, 2]])
    rows, successes = three.sum(axis=1), int(three[:, 1].sum())

    def probability(placed: tuple[int, ...]) -> float:
        ways = math.prod(math.comb(int(n), k) for n, k in zip(rows, placed, strict=True))
        return ways / math.comb(int(rows.sum()), successes)

    every = [one for one in itertools.product(*(range(int(n) + 1) for n in rows)) if sum(one) == successes]
    seen = probability(tuple(int(k) for k in three[:, 1]))
    total = sum(p for p in map(probability, every) if p <= seen * (1 + 1e-7))
    assert exact.table_probability(three) == pytest.approx(total, rel=1e-10)


def test_a_table_too_large_to_list_says_so() -> None:
    found = exact.table_probability(np.full((8, 2), 300))
    assert isinstance(found, NotEstimable)


def test_separation_is_told_from_overlap() -> None:
    ones = np.ones(6)
    x = np.array([0.0, 1, 2, 3, 4, 5])
    assert separation.separation(np.column_stack([ones, x]), [0, 0, 0, 1, 1, 1]) == "complete"
    assert separation.separation(np.column_stack([ones, x]), [0, 0, 1, 0, 1, 1]) == "none"
    binary = np.array([0.0, 0, 0, 1, 1, 1])
    assert separation.separation(np.column_stack([ones, binary]), [0, 1, 0, 1, 1, 1]) == "quasi-complete"


def test_icc_is_a_two_way_analysis_of_variance(rng: np.random.Generator) -> None:
    ratings = rng.normal(size=(20, 2)) + rng.normal(size=(20, 1)) * 3
    found = reliability.anova(ratings)
    paired_t = stats.ttest_rel(ratings[:, 0], ratings[:, 1]).statistic
    assert float(str(found.ms_raters)) / float(str(found.ms_error)) == pytest.approx(paired_t**2, rel=1e-10)


def test_blom_scores_give_ties_one_score() -> None:
    scores = describe.blom_scores([1.0, 2.0, 2.0, np.nan, 5.0])
    assert scores[1] == scores[2]
    assert np.isnan(scores[3])
    assert scores[0] == pytest.approx(stats.norm.ppf((1 - 0.375) / 4.25))

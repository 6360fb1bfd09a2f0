"""Statistics of trials, against hand-computed cases, scipy, and the truth of simulated populations."""

import importlib
import sys
from itertools import combinations
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tertulia.errors import UserError
from tertulia.evaluation.statistics.intervals import (
    exact_interval,
    gap_bounds,
    mean_bounds,
    score_interval,
    success_interval,
)
from tertulia.evaluation.statistics.paired import compare, detectable_difference
from tertulia.evaluation.statistics.passing import flip_rates, pass_at_1, pass_at_k, pass_hat_k
from tertulia.evaluation.statistics.variance import variance_split

TABLE = [[1, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, None, 0]]
rows = st.lists(st.sampled_from([0, 1, None]), min_size=1, max_size=6)


# --- rates -------------------------------------------------------------------------------------------------------


def test_rates_of_a_table_are_those_computed_by_hand():
    assert pass_at_1(TABLE) == pytest.approx((0.75 + 0 + 1 + 1 / 3) / 4)
    assert pass_hat_k(TABLE, 2) == pytest.approx((3 / 6 + 0 + 1 + 0) / 4)
    assert pass_hat_k(TABLE, 4) == pytest.approx((0 + 0 + 1) / 3)  # the last item has three trials only
    assert pass_at_k(TABLE, 2) == pytest.approx((1 + 0 + 1 + 2 / 3) / 4)
    assert flip_rates([*TABLE, [1]]) == pytest.approx([0.5, 0, 0, 2 / 3, None])


@given(st.lists(rows, min_size=1, max_size=5), st.integers(1, 4))
def test_the_estimators_are_the_means_over_all_ways_to_pick_k_trials(table, k):
    kept = [[v for v in row if v is not None] for row in table]
    picks = [list(combinations(row, k)) for row in kept if len(row) >= k]
    if not picks:
        with pytest.raises(ValueError, match="no item has"):
            pass_hat_k(table, k)
        return
    assert pass_hat_k(table, k) == pytest.approx(fmean(fmean(all(pick) for pick in ways) for ways in picks))
    assert pass_at_k(table, k) == pytest.approx(fmean(fmean(any(pick) for pick in ways) for ways in picks))


@given(st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=6), max_size=4))
def test_with_seeds_trials_are_picked_from_different_ones(drawn):
    drawn.append([(0, 1), (1, 0), (1, 1)])
    seeds, table = ([[pair[nth] for pair in row] for row in drawn] for nth in (0, 1))
    groups = [[[v for s, v in row if s == seed] for seed in sorted({s for s, _ in row})] for row in drawn]
    pairs = [[fmean(a) * fmean(b) for a, b in combinations(own, 2)] for own in groups if len(own) > 1]
    flips = [
        fmean(fmean(a) + fmean(b) - 2 * fmean(a) * fmean(b) for a, b in combinations(own, 2)) if len(own) > 1 else None
        for own in groups
    ]

    assert pass_hat_k(table, 2, seeds) == pytest.approx(fmean(map(fmean, pairs)))
    assert flip_rates(table, seeds) == [None if rate is None else pytest.approx(rate) for rate in flips]
    assert pass_hat_k(table, 1, seeds) == pytest.approx(pass_at_1(table))


def test_where_every_trial_has_its_own_seed_seeds_change_nothing():
    seeds = [[0, 1, 2, 3]] * 4
    assert [pass_hat_k(TABLE, k, seeds) for k in (1, 2, 3)] == pytest.approx([pass_hat_k(TABLE, k) for k in (1, 2, 3)])
    assert detectable_difference(TABLE, seeds=seeds) == pytest.approx(detectable_difference(TABLE))


def test_trials_of_one_seed_say_less_than_as_many_of_different_seeds():
    rng = np.random.default_rng(12)
    values = np.repeat((rng.random((60, 4)) < rng.beta(3, 2, 60)[:, None]).astype(int), 2, axis=1)  # by the simulator
    seeds = [[0, 0, 1, 1, 2, 2, 3, 3]] * 60

    assert detectable_difference(values.tolist(), seeds=seeds) == pytest.approx(
        detectable_difference(values[:, ::2].tolist()), rel=0.01
    )
    assert success_interval(values.tolist(), 2, seeds=seeds) == success_interval(values[:, ::2].tolist(), 2)


def test_an_item_with_no_trial_that_counts_is_no_failure():
    assert pass_at_1([[1, 1], [None, None]]) == 1.0
    assert success_interval([[1, 1], [None, None], [1, 0]]).items == 2


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: pass_hat_k([[0.5]], 1), "success or failure, got the score 0.5"),
        (lambda: pass_hat_k([[1]], 0), "from 1 on, got 0"),
        (lambda: pass_at_1([[None], []]), "no item"),
        (lambda: pass_at_1([[1.5]]), "between 0 and 1, got 1.5"),
        (lambda: score_interval([[float("nan")]]), "between 0 and 1, got nan"),
        (lambda: exact_interval(3, 2), "3 successes in 2"),
        (lambda: compare([[1]], [[1], [0]]), "got 1 and 2"),
        (lambda: compare([[1], [None]], [[1], [0]]), "got 1"),
        (lambda: variance_split([[1], [0]]), "two trials"),
        (lambda: detectable_difference([[1]]), "at least two items"),
        (lambda: detectable_difference([[1], [0]], alike=2), "got 2"),
    ],
)
def test_a_table_that_cannot_be_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()


# --- intervals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("successes", "items"), [(1, 20), (7, 20), (30, 60), (119, 120)])
def test_with_one_trial_per_item_the_interval_is_that_of_wilson(successes, items):
    found = success_interval([[1]] * successes + [[0]] * (items - successes))
    known = stats.binomtest(successes, items).proportion_ci(method="wilson")

    assert (found.low, found.high) == pytest.approx((known.low, known.high))


def test_trials_that_never_differ_within_an_item_count_little_more_than_one():
    single = success_interval([[1]] * 12 + [[0]] * 18)
    copied = success_interval([[1] * 8] * 12 + [[0] * 8] * 18)
    spread = success_interval([[1, 0, 1, 0, 1, 0, 0, 0]] * 15 + [[0, 1, 0, 1, 0, 1, 0, 0]] * 15)

    assert copied.high - copied.low > 0.9 * (single.high - single.low)
    assert spread.high - spread.low < 0.6 * (single.high - single.low)


def test_where_nothing_ever_fails_or_succeeds_the_interval_has_width_and_ends_at_the_bound():
    always, never = success_interval([[1] * 4] * 30), success_interval([[0] * 4] * 30, 2)

    assert (always.value, always.high, never.value, never.low) == (1, 1, 0, 0)
    assert 0.85 < always.low < 0.99
    assert 0 < never.high < 0.15
    assert score_interval([[1.0]] * 30).low < 1
    assert score_interval([[0.5]]).high <= 1


@pytest.mark.parametrize("k", [1, 3])
def test_more_items_narrow_the_interval_steadily(k):
    rng = np.random.default_rng(8)
    table = draw(rng, 20_000, 4, 0.6, 0.3).tolist()
    widths = [found.high - found.low for found in (success_interval(table[:n], k) for n in (100, 450, 510, 20_000))]

    assert widths[1] / widths[0] == pytest.approx((100 / 450) ** 0.5, rel=0.15)
    assert widths[2] / widths[1] == pytest.approx((450 / 510) ** 0.5, rel=0.1)
    assert widths[3] / widths[2] == pytest.approx((510 / 20_000) ** 0.5, rel=0.1)
    assert abs(success_interval(table).value - 0.6) < 0.02


@pytest.mark.parametrize("successes", [0, 3, 25])
def test_clopper_pearson_is_that_of_scipy(successes):
    found, known = exact_interval(successes, 25), stats.binomtest(successes, 25).proportion_ci()

    assert (found.low, found.high) == pytest.approx((known.low, known.high))


def test_the_interval_of_a_mean_score_is_close_to_students_where_that_is_sound():
    scores = np.random.default_rng(1).beta(5, 4, (200, 2))
    low, high = stats.t.interval(0.95, 199, scores.mean(), stats.sem(scores.mean(axis=1)))
    found = score_interval(scores.tolist())

    assert (found.low, found.high) == pytest.approx((low, high), abs=0.002)


def test_copies_of_trials_change_nothing_and_half_as_much_variance_counts_as_twice_the_items():
    single, copied = ([[1] * n] * 12 + [[0] * n] * 18 for n in (1, 8))
    assert success_interval(single) == success_interval(copied)

    rng = np.random.default_rng(1)
    coins = (rng.random((400, 2)) < 0.4).mean(axis=1)
    low, high = mean_bounds(coins)
    known = stats.binomtest(round(800 * coins.mean()), 800).proportion_ci(method="wilson")
    assert (float(low), float(high)) == pytest.approx((known.low, known.high), abs=0.002)


def test_differences_that_are_all_alike_are_not_taken_for_the_largest_there_can_be():
    low, high = gap_bounds(np.full(20, 0.25))
    split = variance_split([[1, 0, 1, 1]] * 20)

    assert low < 0.2
    assert high > 0.3
    assert split.within.low < split.within.value < split.within.high


def test_the_parts_of_a_difference_have_the_interval_of_the_bayesian_bootstrap():
    gains = np.random.default_rng(1).beta(2, 5, 25)
    far = gains.max()
    weights = np.random.default_rng(2).dirichlet([1.0] * 25 + [0.5, 0.5], 50_000)
    drawn = weights @ np.array([*gains / far, 0.0, 1.0])
    of_singles = gap_bounds(np.repeat([1.0, 0.0], [6, 19]))

    assert gap_bounds(gains)[1] / far == pytest.approx(np.quantile(drawn, 0.975), abs=0.01)
    assert float(of_singles[1]) == pytest.approx(stats.beta.ppf(0.975, 6.5, 19.5))


def test_many_tables_at_once_have_the_bounds_of_each():
    tables = np.random.default_rng(3).integers(0, 3, (4, 12)) / 2
    for bounds, values in ((mean_bounds, tables), (gap_bounds, tables - tables[::-1])):
        each = [bounds(row) for row in values]
        assert np.allclose(bounds(values), np.array(each).T)


def test_the_bounds_of_a_difference_turn_with_its_sign_and_hold_zero_where_nothing_differs():
    gaps = np.random.default_rng(4).integers(-2, 4, 30) / 4
    low, high = gap_bounds(gaps)
    turned = gap_bounds(-gaps)

    assert (float(-turned[1]), float(-turned[0])) == pytest.approx((float(low), float(high)))
    assert low < gaps.mean() < high
    low, high = gap_bounds(np.zeros(30))
    assert float(high) == pytest.approx(-float(low))
    assert float(high) == pytest.approx(stats.beta.ppf(0.975, 0.5, 30.5))


def draw(rng, items, trials, mean, rho):
    rates = rng.beta(mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1), items)
    return (rng.random((items, trials)) < rates[:, None]).astype(int)


def coverage(cells, bounds, tables=150):
    """The share of intervals that hold the population's mean, over all cells."""
    rng, held = np.random.default_rng(7), []
    for items, trials, rate, rho in cells:
        for _ in range(tables):
            mean = rng.uniform(rate - 0.03, rate + 0.03)
            low, high = bounds(draw(rng, items, trials, mean, rho))
            held.append(low <= mean <= high)
    return fmean(held)


CELLS = [(50, 1, 0.05, 0.5), (50, 4, 0.05, 0.5), (50, 8, 0.5, 0.1), (50, 4, 0.9, 0.9), (150, 2, 0.95, 0.5)]


def test_intervals_of_95_percent_cover_93_to_97_percent_of_populations():
    def ours(table):
        found = success_interval(table.tolist())
        return found.low, found.high

    assert 0.93 <= coverage(CELLS, ours) <= 0.97


def test_the_textbook_interval_of_the_mean_would_not_pass_that_test():
    def naive(table):
        found = exact_interval(int(table.sum()), table.size)  # as if all trials were independent
        return found.low, found.high

    assert coverage([(50, 8, 0.5, 0.5), (50, 4, 0.9, 0.9)], naive) < 0.8


def test_the_interval_of_pass_hat_k_covers_the_populations():
    rng, held = np.random.default_rng(5), []
    for _ in range(300):
        mean, size = rng.uniform(0.4, 0.8), 1.5
        truth = np.prod([(mean * size + i) / (size + i) for i in range(4)])
        found = success_interval(draw(rng, 60, 8, mean, 0.4).tolist(), 4)
        held.append(found.low <= truth <= found.high)

    assert 0.92 <= fmean(held) <= 0.98


# --- comparison --------------------------------------------------------------------------------------------------


def test_the_exact_permutation_test_is_that_of_scipy():
    one = [[1, 1], [1, 0], [0, 0], [1, 1], [1, 1], [1, 0], [0, 1], [1, 1]]
    other = [[1, 0], [0, 0], [0, 0], [1, 0], [1, 1], [0, 0], [0, 1], [0, 1]]
    means = [np.mean(table, axis=1) for table in (one, other)]
    known = stats.permutation_test(means, lambda a, b: np.mean(a - b), permutation_type="samples")

    found = compare(one, other)
    assert found.p_value == pytest.approx(known.pvalue)
    assert found.difference == pytest.approx(means[0].mean() - means[1].mean())


def test_a_comparison_of_many_items_is_that_of_the_paired_t_test_and_seeded():
    rng = np.random.default_rng(2)
    one, other = draw(rng, 400, 4, 0.6, 0.3), draw(rng, 400, 4, 0.55, 0.3)
    known = stats.ttest_rel(one.mean(axis=1), other.mean(axis=1))
    found = compare(one.tolist(), other.tolist())

    assert found.p_value == pytest.approx(known.pvalue, abs=0.01)
    assert 1 - found.better == pytest.approx(known.pvalue / 2, abs=0.01)
    low, high = known.confidence_interval()
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.002)
    assert compare(one.tolist(), other.tolist()) == found


def test_exchanging_the_agents_exchanges_the_answer():
    one, other = [[1, 1]] * 9 + [[0, 1]] * 11, [[1, 0]] * 12 + [[0, 0]] * 8
    there, back = compare(one, other), compare(other, one)

    assert (back.difference, back.low, back.high) == pytest.approx((-there.difference, -there.high, -there.low))
    assert back.better == pytest.approx(1 - there.better)
    assert back.p_value == there.p_value < 0.05


def test_agents_that_never_differ_are_as_likely_better_as_worse_and_the_interval_has_width():
    found = compare([[1], [0]] * 10, [[1], [0]] * 10)

    assert (found.difference, found.better, found.p_value) == (0, 0.5, 1)
    assert -0.2 < found.low < 0 < found.high < 0.2


def test_the_interval_of_a_difference_covers():
    rng, held = np.random.default_rng(3), []
    for _ in range(500):
        base, gain = rng.beta(1.5, 1, 60), 0.1
        one, other = ((rng.random((60, 3)) < (base * (1 - g))[:, None]).astype(int).tolist() for g in (0, gain))
        found = compare(one, other, rounds=1)
        held.append(found.low <= gain * 0.6 <= found.high)

    assert 0.93 <= fmean(held) <= 0.98


def test_a_difference_as_large_as_the_detectable_one_is_found_in_four_of_five_runs():
    rng = np.random.default_rng(11)
    rates = rng.beta(4, 4, 5000)
    shape = (rng.random((5000, 4)) < rates[:, None]).astype(int)
    of_150 = detectable_difference(shape[:150].tolist(), alike=1.0)
    found = []
    for _ in range(400):
        base = rng.beta(4, 4, 150) * (1 - of_150)
        one, other = ((rng.random((150, 4)) < rate[:, None]).astype(int).tolist() for rate in (base + of_150, base))
        found.append(compare(one, other, rounds=1).low > 0)

    assert 0.74 <= fmean(found) <= 0.88
    assert detectable_difference(shape.tolist()) < 0.25 * detectable_difference(shape[:150].tolist())
    assert detectable_difference(shape[:150].tolist(), trials=1) > detectable_difference(shape[:150].tolist())


@pytest.mark.parametrize(("items", "trials"), [(8, 2), (13, 1), (13, 4), (42, 4)])
def test_the_detectable_difference_of_a_perfect_score_is_found_by_the_permutation_test(items, trials):
    rng, perfect = np.random.default_rng(3), [[1] * trials] * items
    told = detectable_difference(perfect)
    found = [
        compare(perfect, (rng.random((items, trials)) >= told).astype(int).tolist(), rounds=1000).p_value <= 0.05
        for _ in range(200)
    ]

    assert 0.7 <= fmean(found) <= 0.9


def test_five_items_can_tell_no_two_agents_apart():
    assert detectable_difference([[1, 1, 1, 1]] * 5) == 1.0
    assert compare([[1]] * 5, [[0]] * 5).p_value > 0.05


# --- variance ----------------------------------------------------------------------------------------------------


def test_the_split_of_a_balanced_table_is_the_one_way_analysis_of_variance():
    table = np.random.default_rng(4).beta(2, 2, (30, 5))
    between = 5 * table.mean(axis=1).var(ddof=1)
    within = table.var(axis=1, ddof=1).mean()
    assert between / within == pytest.approx(stats.f_oneway(*table).statistic)

    found = variance_split(table.tolist())
    assert found.within.value == pytest.approx(within)
    assert found.item.value == pytest.approx((between - within) / 5)
    assert found.noise == pytest.approx(within / 5)
    assert (found.simulator, found.agent) == (None, None)


def nested(rng, items, seeds, each, item, simulator, agent):
    """A table of items x (seeds x each) with these standard deviations, and its seeds."""
    values = 0.5 + rng.normal(0, item, (items, 1, 1)) + rng.normal(0, simulator, (items, seeds, 1))
    values = (values + rng.normal(0, agent, (items, seeds, each))).clip(0, 1).reshape(items, -1)
    return values, [[seed for seed in range(seeds) for _ in range(each)]] * items


def test_the_components_of_a_balanced_table_are_those_of_the_nested_analysis_of_variance():
    values, seeds = nested(np.random.default_rng(4), 12, 3, 4, 0.1, 0.05, 0.07)
    cubes = values.reshape(12, 3, 4)
    of_items, of_seeds = cubes.mean(axis=(1, 2)), cubes.mean(axis=2)
    items = 12 * of_items.var(ddof=1)
    simulator = 4 * np.square(of_seeds - of_items[:, None]).sum() / (12 * 2)
    agent = np.square(cubes - of_seeds[:, :, None]).sum() / (12 * 3 * 3)

    found = variance_split(values.tolist(), seeds)
    told = [part.value for part in (found.item, found.simulator, found.agent)]
    assert told == pytest.approx([(items - simulator) / 12, (simulator - agent) / 4, agent])
    assert found.noise == pytest.approx(simulator / 12)
    assert found.shares == pytest.approx({n: v / sum(told) for n, v in zip(found.parts, told, strict=True)})


def test_the_components_of_a_balanced_table_are_those_of_a_mixed_model():
    models = pytest.importorskip("statsmodels.regression.mixed_linear_model")
    values, seeds = nested(np.random.default_rng(5), 40, 4, 3, 0.1, 0.08, 0.06)
    one_hot = np.eye(4)[np.array(seeds)]
    kinds = models.VCSpec(["seed"], [[list("abcd")] * 40], [list(one_hot)])
    rows, groups = np.ones((480, 1)), np.repeat(np.arange(40), 12)
    fitted = models.MixedLM(10 * values.ravel(), rows, groups, exog_re=rows, exog_vc=kinds).fit(reml=True)

    found = variance_split(values.tolist(), seeds)
    assert found.item.value == pytest.approx(fitted.cov_re[0, 0] / 100, rel=0.001)
    assert found.simulator.value == pytest.approx(fitted.vcomp[0] / 100, rel=0.001)
    assert found.agent.value == pytest.approx(fitted.scale / 100, rel=0.001)


def test_the_components_of_a_small_table_are_those_computed_by_hand():
    table, seeds = [[1, 0, 1, 1], [0, 0, 0, None]], [["a", "a", "b", "b"], ["a", "a", "b", "b"]]
    found = variance_split(table, seeds)

    assert found.agent.value == pytest.approx(((1 + 0) / 2 / 2 + 0) / 2)  # pairs of one seed: 0.5 and 0; 0
    assert found.within.value == pytest.approx((2 / 4 / 2 + 0) / 2)  # pairs of two seeds: two of four differ; none
    assert found.simulator.value == pytest.approx(0)
    mean_varies = (0 * 8 / 16 + 0.25 / 4 + 0) / 2
    assert found.item.value == pytest.approx(0.75**2 / 2 - mean_varies)


def test_the_components_are_unbiased_where_tables_have_holes_and_may_lie_below_0():
    rng, told = np.random.default_rng(9), []
    for _ in range(300):
        rates = rng.beta(2, 2, 12)
        values = (rng.random((12, 6)) < rates[:, None]).astype(float)  # no simulator in it
        seeds = [[0, 0, 0, 1, 1, 2]] * 12
        holes = rng.random((12, 6)) < 0.2
        table = [[None if hole else v for v, hole in zip(*row, strict=True)] for row in zip(values, holes, strict=True)]
        split = variance_split(table, seeds)
        told.append([split.item.value, split.simulator.value, split.agent.value])
    means, errors = np.mean(told, axis=0), np.std(told, axis=0) / 300**0.5

    assert np.abs(means - [0.05, 0.0, 0.2]).max() < 3 * errors.max()
    assert 0.3 < np.mean(np.array(told)[:, 1] < 0) < 0.7
    assert variance_split(table, seeds).simulator.told >= 0


def test_the_split_finds_the_variances_that_were_built_in():
    rng = np.random.default_rng(6)
    built = {"item": 0.01, "simulator": 0.006, "agent": 0.003}
    values, told = nested(rng, 1500, 4, 3, *(variance**0.5 for variance in built.values()))
    table = [[None if rng.random() < 0.1 else value for value in row] for row in values.tolist()]

    found = variance_split(table, told)
    for name, known in built.items():
        part = getattr(found, name)
        assert part.value == pytest.approx(known, rel=0.1)
        assert part.low < known < part.high
    assert found.icc == pytest.approx(0.01 / 0.019, rel=0.1)


def test_simulator_and_agent_are_told_apart_only_where_seeds_repeat_and_differ():
    assert variance_split(TABLE, [[0, 1, 2, 3]] * 4).simulator is None
    assert variance_split(TABLE, [[0, 0, 0, 0]] * 4).agent is None
    assert variance_split([[1, 1], [1, 1]]).icc is None
    with pytest.raises(ValueError, match="zip"):
        variance_split(TABLE, [[0, 0, 1, 1]] * 3)


def test_without_numpy_one_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "tertulia.evaluation.statistics.numeric")

    with pytest.raises(UserError, match=r"pip install 'tertulia\[evaluate\]'"):
        importlib.import_module("tertulia.evaluation.statistics.numeric")

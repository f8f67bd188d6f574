"""What a router's row has beside everybody's figures, by hand on the small case."""

import dataclasses

import numpy as np
import pytest
from small_world import NAN, router, rows_of, small

from scoring.evaluation import Validation
from scoring.reduction import reduce

# on test: AvgAcc of cheap, good, dear is 0.3125, 0.625, 0.5; a test set of them costs 4, 8 and 40 USD
CURVE = router(
    "curve",
    [[0, 0, 0, 0], [1, 1, 0, 1], [2, 2, 2, 2]],
    [[0, 0, 0, 0], [1, 1, 0, 2], [2, 2, 2, 2]],
    trade_off=(0, 0.5, 1),
    headline=1,
)


def row_of(*routers, name=None, **changes):
    result = reduce(small(routers=routers, **changes), n_resamples=50)
    return rows_of(result, "routers")[name or routers[0].name]


def validated(avg_acc, cost_usd, model_avg_acc=(0.5, 0.6, 0.6)):
    found = Validation(np.array(avg_acc), np.array(cost_usd), np.array(model_avg_acc))
    return dataclasses.replace(CURVE, validation=found)


def test_the_cheapest_trade_off_that_was_as_good_on_validation_saves():
    row = row_of(validated([0.4, 0.7, 0.65], [1.0, 5.0, 3.0]))
    assert row["cost_save_validated_trade_off"] == 1.0
    assert row["cost_save_validated"] == pytest.approx(1 - 40 / 8)  # the third trade-off is dear on test
    assert row["saver_difference"] == pytest.approx(0.5 - 0.625)
    assert row["perf_gain_validated"] == pytest.approx(row["avg_acc"] / 0.625 - 1)  # the headline
    assert row["cost_save_trade_off"] == 0.5  # as published: on the test curve
    assert row["cost_save"] == pytest.approx(1 - 11 / 8)


@pytest.mark.parametrize(
    "validation",
    [([0.4, 0.5, 0.55], [1.0, 5.0, 3.0]), ([0.4, 0.7, 0.65], [1.0, NAN, 3.0]), ([0.7] * 3, [1.0] * 3, [0.5, NAN, 0.6])],
    ids=["none is as good", "an unknown cost", "Best Single unknown"],
)
def test_without_an_answer_on_validation_nothing_is_said_to_be_saved(validation):
    row = row_of(validated(*validation))
    assert row["cost_save_validated"] is row["cost_save_validated_trade_off"] is row["saver_difference"] is None
    assert row["cost_save_validated_interval"] == [None, None]
    assert row["cost_save"] is not None


def test_a_router_without_trade_offs_chose_nothing():
    row = row_of(router("fixed", [[1, 1, 1, 1]], [[1, 1, 1, 1]]))
    assert (row["cost_save_validated"], row["saver_difference"]) == (0.0, 0.0)
    assert row["cost_save_validated_interval"] == [0.0, 0.0]
    worse = row_of(router("cheap", [[0, 0, 0, 0]], [[0, 0, 0, 0]]))
    assert (worse["cost_save_validated"], worse["cost_save"]) == (None, None)  # half the price, half as good


def test_trade_offs_of_which_nothing_is_known_save_nothing():
    assert row_of(CURVE)["cost_save_validated"] is None


def test_a_collected_router_is_what_it_is():
    columns = {"collected": ("auto",), "collected_score": np.ones((8, 1)), "collected_cost": np.full((8, 1), 0.5)}
    row = row_of(name="auto", **columns)
    assert row["cost_save_validated"] == pytest.approx(1 - 2 / 8)
    assert row["saver_difference"] == pytest.approx(1 - 0.625)
    assert row["perf_gain_validated"] == pytest.approx(1 / 0.625 - 1)
    assert row["opt_selection"] is row["overhead_ms"] is row["apgr"] is None
    assert row["regret"] == pytest.approx(0.875 - 1)  # better than the Oracle of the pool


def test_regret_and_arena_score():
    row = row_of(router("fixed", [[1, 1, 1, 1]], [[1, 1, 1, 1]]))
    assert row["regret"] == pytest.approx(0.875 - 0.625)
    assert row["arena_score"] == 0.0  # 2 USD a query are beyond the dear end
    cheap = row_of(router("fixed", [[1, 1, 1, 1]], [[1, 1, 1, 1]]), cost=np.full((8, 3), 4.4e-6))
    assert cheap["arena_score"] == pytest.approx(1.1 * 0.625 / (0.1 * 0.625 + 1))  # at the cheap end C is 1


def test_figures_that_look_at_the_single_models():
    row = row_of(CURVE)
    assert row["is_above_models"] is True  # 0.875 for 11 USD, where the models reach 0.625 for 8
    assert row["hull_dist"] > 0  # the dear end is below the hull of the models
    assert 0.625 < row["aiq"] <= 0.875
    assert 0.3125 < row["hypervolume"] < 0.875


def test_a_router_between_two_models_has_an_apgr():
    between = router(
        "between", [[0, 0, 0, 0], [0, 1, 0, 1], [1, 1, 1, 1]], [[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]],
        trade_off=(0, 0.5, 1),
    )  # fmt: skip
    row = row_of(between)
    # half of the queries to the strong model reach 1.0 and 0.5: PGR (0.75 - 0.3125) / (0.625 - 0.3125) = 1.4
    assert row["apgr"] == pytest.approx((0 + 1.4) / 2 * 0.5 + (1.4 + 1) / 2 * 0.5)
    assert row["cpt_50"] == pytest.approx(0.5 * 0.5 / 1.4)
    assert row_of(CURVE)["apgr"] is None  # three models


def test_overhead_is_the_time_to_embed_and_to_route():
    one = dataclasses.replace(router("fixed", [[1, 1, 1, 1]], [[1, 1, 1, 1]]), route_s=(0.5, 1.5), encode_s=(0.1, 0.3))
    evaluation = small(routers=(one,))
    row = rows_of(reduce(evaluation, n_resamples=50, usd_per_hour=36.0), "routers")["fixed"]
    assert row["overhead_ms"] == pytest.approx(1000 * (0.6 + 1.8) / 2 / 4)
    assert row["overhead_usd"] == pytest.approx(36 * (0.6 + 1.8) / 2 / 3600)
    assert rows_of(reduce(evaluation, n_resamples=50), "routers")["fixed"]["overhead_usd"] is None
    unknown = dataclasses.replace(one, encode_s=None)
    assert row_of(unknown)["overhead_ms"] is None

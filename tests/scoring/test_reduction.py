"""The reduction: hand-computed rows, references on a real release, missing pairs, unknown costs, refused inputs."""

import csv
import dataclasses
import tarfile
import time
from pathlib import Path

import numpy as np
import orjson
import pytest
from small_world import NAN, router, rows_of, small

from scoring.pool_size import pool_size_figures
from scoring.reduction import Evaluation, reduce

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def test_rows_of_a_small_case_by_hand():
    result = reduce(small(), n_resamples=50)
    # per seed: good has add 1.0 and 0.5, sort 0.5 and 0.5
    good = rows_of(result, "single_models")["good"]
    assert good["accuracy"] == [0.75, 0.5]
    assert good["avg_acc"] == 0.625
    assert good["avg_acc_sd"] == pytest.approx(0.25 / np.sqrt(2))  # of 0.75 and 0.5
    assert good["cost_usd"] == 8.0
    assert good["cost_usd_per_benchmark"] == [4.0, 4.0]
    references = rows_of(result, "references")
    assert list(references) == ["Random", "Best Single", "Best Single (on train)", "Dataset Oracle", "Oracle"]
    assert references["Best Single"]["models"] == ["good"]
    assert references["Best Single (on train)"]["models"] == ["good", "good"]
    assert references["Random"]["accuracy"] == pytest.approx([np.mean([2, 2, 2, 0]) / 3, np.mean([2, 1.5, 1, 1]) / 3])
    assert references["Random"]["cost_usd"] == pytest.approx(4 * 13 / 3)
    assert references["Dataset Oracle"]["accuracy"] == [0.75, 0.5]
    assert references["Dataset Oracle"]["models"] == ["good", "good"]  # sort: good and dear tie, the first counts
    assert references["Oracle"]["accuracy"] == [0.75, 1.0]
    assert references["Oracle"]["cost_usd"] == np.mean([1 + 2 + 1 + 2, 2 + 2 + 1 + 10])


def test_a_collected_router_stands_among_the_routers_and_not_in_the_pool():
    score = np.array([[1, 1, 1, 0, 1, 1, 1, 1], [1, 1, 1, 1, NAN, NAN, NAN, NAN]], float).T
    parts = {"collected": ("auto", "part"), "collected_score": score, "collected_cost": np.full((8, 2), 0.5)}
    result, without = reduce(small(**parts), n_resamples=50), reduce(small(), n_resamples=50)
    assert result["references"] == without["references"]
    assert result["single_models"] == without["single_models"]
    auto, part = (rows_of(result, "routers")[name] for name in ("auto", "part"))
    assert (auto["accuracy"], auto["avg_acc"], auto["cost_usd"]) == ([0.75, 1.0], 0.875, 2.0)
    assert auto["perf_gain"] == pytest.approx(0.875 / 0.625 - 1)
    assert auto["cost_save"] == pytest.approx(1 - 2 / 8)
    assert (auto["n_trade_offs"], auto["trade_off"], auto["share"]) == (1, None, [None] * 3)
    assert (part["avg_acc"], part["perf_gain"], part["pareto_dist"]) == (None, None, None)
    assert {p["name"] for p in result["points"]} == {p["name"] for p in without["points"]} | {"auto"}
    assert any("part has no score in sort" in note for note in result["notes"])


def test_a_constant_router_is_exactly_its_model():
    result = reduce(small(), n_resamples=50)
    fixed, good = rows_of(result, "routers")["fixed"], rows_of(result, "single_models")["good"]
    shared = [key for key in good if key not in ("name", "kind")]
    assert {key: fixed[key] for key in shared} == {key: good[key] for key in shared}
    assert fixed["difference_interval"] == [0.0, 0.0]
    assert fixed["is_distinguishable"] is False
    assert (fixed["perf_gain"], fixed["cost_save"], fixed["gain_at_best_single"]) == (0.0, 0.0, 0.0)
    assert fixed["share"] == [0.0, 1.0, 0.0]
    assert fixed["entropy_bits"] == 0.0
    assert (fixed["fit_s"], fixed["route_s"], fixed["trade_off"]) == (3.0, None, None)


def test_trade_offs_of_a_small_case_by_hand():
    result = reduce(small(), n_resamples=50)
    curve = rows_of(result, "routers")["curve"]
    assert curve["trade_off"] == 0.5
    assert curve["accuracy"] == [0.75, 1.0]  # seed 999 tests its rows in the order 6 2 3 7: sort, add, add, sort
    assert curve["cost_usd"] == np.mean([7, 15])
    assert curve["perf_gain"] == pytest.approx(0.875 / 0.625 - 1)
    assert (curve["perf_gain_trade_off"], curve["cost_save_trade_off"]) == (0.5, 0.5)
    assert curve["cost_save"] == pytest.approx(1 - 11 / 8)
    points = {(p["name"], p["trade_off"]): p for p in result["points"]}
    assert len(points) == 3 + 1 + 3  # the router that is told the benchmark is not among them
    on_frontier = {key for key, point in points.items() if point["is_on_frontier"]}
    assert on_frontier == {("cheap", None), ("curve", 0.0), ("good", None), ("fixed", None), ("curve", 0.5)}
    distances = [points["curve", t]["distance"] for t in (0.0, 0.5, 1.0)]
    assert curve["pareto_dist"] == pytest.approx(np.mean(distances))
    assert distances[:2] == [0, 0]
    assert distances[2] > 0
    assert rows_of(result, "routers")["told"]["pareto_dist"] is None


def test_a_cascade_that_asks_the_cheap_model_first_pays_for_it_too():
    calls = np.eye(3)[None] + [[0, 0, 0], [1, 0, 0], [1, 0, 0]]
    cascade = router("cascade", [[0, 1, 1, 2]], [[0, 0, 1, 2]], calls=calls)
    result = reduce(small(routers=(cascade,)), n_resamples=50)
    row = rows_of(result, "routers")["cascade"]
    assert row["cost_usd"] == np.mean([1 + 3 + 3 + 11, 1 + 1 + 3 + 11])
    assert [p["cost_usd"] for p in result["points"] if p["name"] == "cascade"] == [row["cost_usd"]]


def test_p_values_are_corrected_over_the_contestants_only():
    collected = {"collected": ("auto",), "collected_score": np.ones((8, 1)), "collected_cost": np.ones((8, 1))}
    result = reduce(small(**collected), n_resamples=200)
    fixed, curve, told, auto = (rows_of(result, "routers")[name] for name in ("fixed", "curve", "told", "auto"))
    assert (fixed["p_value"], fixed["p_holm"]) == (1.0, 1.0)
    assert 1 / 201 <= auto["p_value"] < curve["p_value"] < 1  # 0.375 and 0.25 better than Best Single
    assert auto["p_holm"] == pytest.approx(3 * auto["p_value"])
    assert curve["p_holm"] == pytest.approx(min(1.0, 2 * curve["p_value"]))
    assert all(row["is_distinguishable"] is (row["p_holm"] <= 0.05) for row in (fixed, curve, auto))
    assert told["p_value"] is not None
    assert told["p_holm"] is None
    assert rows_of(result, "references")["Best Single"]["p_value"] == 1.0
    assert all("p_holm" not in row for row in result["references"] + result["single_models"])


def test_pool_sizes_of_a_small_case_by_hand():
    pool = reduce(small(), n_resamples=50)["pool_size"]
    assert pool["k"] == [1, 2, 3]
    assert pool["selected"] == pytest.approx([0.625, 0.875, 0.875])  # good, dear, cheap
    # alone .3125, .625, .5; in pairs .75, .6875, .875
    assert pool["random_mean"] == pytest.approx([1.4375 / 3, 2.3125 / 3, 0.875])
    assert pool["random_low"][0] == pytest.approx(0.3125)
    assert pool["random_high"][0] == pytest.approx(0.625)
    # grown on rows 2, 3, 6, 7: good, dear, cheap (.75, 1, 1 on test); on 0, 1, 4, 5: good, cheap, dear (.5, .5, .75)
    assert pool["greedy"] == pytest.approx([0.625, 0.75, 0.875])


def test_pool_sizes_without_training_queries_have_no_greedy_pool():
    pool = reduce(small(test=(np.arange(8),) * 2, routers=()), n_resamples=50)["pool_size"]
    assert pool["greedy"] == [None] * 3
    assert pool["selected"][-1] == pytest.approx(0.875)


def test_in_pools_a_missing_pair_counts_zero():
    score = small().score.copy()
    score[1, 1] = NAN  # good at add; only dear is right there besides
    pool = reduce(small(score=score), n_resamples=50)["pool_size"]
    assert pool["random_mean"][0] == pytest.approx((1.4375 - 0.125) / 3)
    assert pool["selected"][-1] == pytest.approx(0.875)


def test_pool_sizes_of_thirty_models_take_no_time():
    score = (np.random.default_rng(0).random((12_000, 33)) < 0.6).astype(float)
    rows = np.random.default_rng(1).permutation(12_000)
    large = small(
        models=tuple(f"m{i}" for i in range(33)),
        benchmark=np.arange(12_000) % 2,
        index=np.arange(12_000),
        score=score,
        cost=score,
        test=(np.sort(rows[:3600]), np.sort(rows[-3600:])),
        routers=(),
    )
    start = time.process_time()
    curves = pool_size_figures(large, score.mean(axis=0))
    assert time.process_time() - start < 3  # 0.5 s on a free core
    assert np.array(curves["random_mean"]) == pytest.approx(1 - 0.4 ** np.arange(1, 34), abs=0.02)


def test_hardness_of_a_small_case_by_hand():
    hardness = reduce(small(), n_resamples=50)["hardness"]
    assert hardness["n_queries"] == [0.5, 1.0, 2.5, 0.0]
    assert (hardness["n_hard"], hardness["share_hard"]) == (3.5, 7 / 8)
    rows = {row["name"]: row for row in hardness["rows"]}
    assert rows["Oracle"]["accuracy"] == [0.0, 1.0, 1.0, None]
    assert rows["fixed"]["accuracy"] == [0.0, 0.5, pytest.approx(4 / 5), None]
    assert rows["fixed"]["hard_accuracy"] == pytest.approx(5 / 7)


def test_missing_pairs_are_left_out_and_counted():
    score = small().score.copy()
    score[0, 1] = NAN
    result = reduce(small(score=score), n_resamples=50)
    good = rows_of(result, "single_models")["good"]
    assert good["accuracy"] == [0.75, 0.5]  # seed 42: 1 of 1 instead of 2 of 2
    assert good["n_missing"] == 1
    assert any(note.startswith("good: 1 pairs without a score") for note in result["notes"])


def test_a_model_without_a_benchmark_has_no_average_and_is_no_best_single():
    score = small().score.copy()
    score[4:, 1] = NAN
    result = reduce(small(score=score), n_resamples=50)
    good = rows_of(result, "single_models")["good"]
    assert good["accuracy"] == [0.75, None]
    assert good["avg_acc"] is None
    assert good["avg_acc_interval"] == [None, None]
    assert good["is_distinguishable"] is None
    assert rows_of(result, "references")["Best Single"]["models"] == ["dear"]
    assert rows_of(result, "references")["Dataset Oracle"]["models"] == ["good", "dear"]
    assert rows_of(result, "references")["Dataset Oracle"]["accuracy"] == [0.75, 0.5]
    assert "good has no score in sort, hence no AvgAcc and no rank." in result["notes"]
    assert ("model", "good") not in {(p["kind"], p["name"]) for p in result["points"]}
    assert rows_of(result, "routers")["fixed"]["pareto_dist"] is None


def test_no_model_with_every_benchmark_is_refused():
    score = small().score.copy()
    score[:4, 0] = score[4:, 1] = score[4:, 2] = NAN
    with pytest.raises(
        ValueError, match="cheap has no score in add; good has no score in sort; dear has no score in sort"
    ):
        reduce(small(score=score))


def test_queries_that_nobody_has_are_left_out():
    score, cost = small().score.copy(), small().cost.copy()
    score[3], cost[3] = NAN, NAN
    result = reduce(small(score=score, cost=cost), n_resamples=50)
    assert result["n_test"] == [4, 3]
    assert rows_of(result, "single_models")["good"]["accuracy"] == [1.0, 0.5]
    assert rows_of(result, "single_models")["good"]["cost_usd"] == 7.0
    assert any("1 test queries, counted once per seed, have no score" in note for note in result["notes"])


def test_without_any_cost_the_cost_parts_are_null():
    result = reduce(small(cost=np.full((8, 3), NAN)), n_resamples=50)
    assert result["has_cost"] is False
    for kind in ("references", "single_models", "routers"):
        assert {row["cost_usd"] for row in result[kind]} == {None}
    for row in result["routers"]:
        assert row["cost_save"] is row["pareto_dist"] is None
        assert row["perf_gain"] is not None
    assert {point["is_on_frontier"] for point in result["points"]} == {None}
    assert result["all_queries"]["total_cost_usd"] is None
    assert not any("cost" in note for note in result["notes"][2:])


def test_one_unknown_cost_makes_exactly_what_needs_it_unknown():
    cost = small().cost.copy()
    cost[0, 1] = NAN
    result = reduce(small(cost=cost), n_resamples=50)
    models = rows_of(result, "single_models")
    assert models["good"]["cost_usd"] is None
    assert models["good"]["cost_usd_per_benchmark"] == [None, 4.0]
    assert models["cheap"]["cost_usd"] == 4.0
    assert rows_of(result, "references")["Random"]["cost_usd"] is None
    assert "good: the cost of 1 pairs is unknown, hence no total." in result["notes"]


def test_a_benchmark_that_nobody_solves_is_named():
    score = small().score.copy()
    score[:4] = 0.0
    result = reduce(small(score=score), n_resamples=50)
    assert "Gain@R leaves out add: the accuracy of Random is 0 there." in result["notes"]
    assert "Gap@O leaves out add: the accuracy of Oracle is 0 there." in result["notes"]
    assert rows_of(result, "routers")["fixed"]["gap_at_oracle"] == pytest.approx(0.5)


def test_one_seed_has_no_deviation():
    evaluation = small(seeds=(42,), test=small().test[:1], routers=())
    result = reduce(evaluation, n_resamples=50)
    assert {row["avg_acc_sd"] for row in result["references"]} == {None}
    assert result["routers"] == []


def test_testing_every_query_leaves_no_best_single_on_train():
    result = reduce(small(test=(np.arange(8),) * 2, routers=()), n_resamples=50)
    assert "Best Single (on train)" not in rows_of(result, "references")


def test_result_is_plain_json_and_follows_from_the_input():
    first, second = (orjson.dumps(reduce(small(), n_resamples=50)) for _ in range(2))
    assert first == second
    assert b"NaN" not in first


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"score": np.zeros((7, 3))}, r"score has shape \(7, 3\), expected \(8, 3\)"),
        ({"score": np.full((8, 3), 1.5)}, r"score has values outside \[0, 1\]"),
        ({"cost": np.full((8, 3), -1.0)}, "cost has negative values"),
        ({"benchmark": np.full(8, 2)}, r"benchmark has numbers outside 0\.\.1"),
        ({"test": (np.arange(8),)}, r"test has shape \(1,\), expected \(2,\)"),
        (
            {"test": (np.array([0, 0, 4]), np.array([0, 4]))},
            r"test of seed 42 must hold distinct row numbers in 0\.\.7",
        ),
        ({"test": (np.array([0, 4]), np.array([0, 1]))}, "test of seed 999 has no query of sort"),
        ({"routers": (small().routers[0],) * 2}, "two routers are called 'fixed'"),
        (
            {"routers": (router("r", [[0] * 4], [[3] * 4]),)},
            r"router r, seed 999: choice has model numbers outside 0\.\.2",
        ),
        ({"routers": (router("r", [[0] * 4], [[0] * 3]),)}, r"seed 999: choice has shape \(1, 3\), expected \(1, 4\)"),
        ({"routers": (router("r", [[0] * 4]),)}, "router r: choice has 1 seeds, expected 2"),
        ({"routers": (router("r", *[[[0] * 4]] * 2, headline=1),)}, "router r: headline 1 is none of its 1 trade-offs"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        reduce(small(**changes))


# --------------------------------------------------------------------------------------------- a real release


def read_release(path):
    """(benchmark, model) -> index -> (score, cost) of the newest file of each pair."""
    newest: dict[tuple[str, str], tuple[str, dict]] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            if not member.name.endswith(".json"):
                continue
            *_, benchmark, _split, model, name = Path(member.name).parts
            stamp = name.removesuffix(".json")[-15:]
            if stamp > newest.get((benchmark, model), ("",))[0]:
                file = archive.extractfile(member)
                assert file is not None
                records = orjson.loads(file.read())["records"]
                newest[benchmark, model] = stamp, {r["index"]: (r["score"], r["cost"]) for r in records}
    return {pair: records for pair, (_, records) in newest.items()}


def evaluation_of(release, models, benchmarks):
    """All queries of one pool; the test sets (every third query) do not matter for what is compared here."""
    keys = [(b, index) for b, name in enumerate(benchmarks) for index in sorted(release[name, models[0]])]
    values = np.array([[release[benchmarks[b], m].get(i, (NAN, NAN)) for m in models] for b, i in keys], float)
    benchmark, index = np.array(keys).T
    return Evaluation(
        setting="sample",
        models=tuple(models),
        benchmarks=tuple(benchmarks),
        seeds=(0,),
        benchmark=benchmark,
        index=index,
        score=values[:, :, 0],
        cost=values[:, :, 1],
        test=(np.flatnonzero(index % 3 == 0),),
        routers=(),
        provenance={},
    )


def test_references_over_all_queries_of_a_release_match_its_figures():
    archive, figures = DATA / "bench-release-sample.tar.gz", DATA / "bench-release-sample.figures.csv"
    if not (archive.exists() and figures.exists()):
        pytest.skip("the release sample is not here")
    with figures.open(newline="") as file:
        expected = {int(row["n_benchmarks"]): row for row in csv.DictReader(file)}
    release = read_release(archive)
    pools: dict[frozenset, list[str]] = {}
    for name in sorted({benchmark for benchmark, _ in release}):
        pools.setdefault(frozenset(m for b, m in release if b == name), []).append(name)
    assert sorted(map(len, pools.values())) == sorted(expected)
    for models, benchmarks in pools.items():
        evaluation = evaluation_of(release, sorted(models), benchmarks)
        row = expected[len(benchmarks)]
        assert (len(models), len(evaluation.index)) == (int(row["n_models"]), int(row["n_queries"]))
        ours = reduce(evaluation, n_resamples=20)["all_queries"]
        assert ours.pop("best_single_model") == row["best_single_model"]
        ours = {key: value for key, value in ours.items() if not isinstance(value, list)}
        assert ours == {key: pytest.approx(float(row[key]), rel=1e-9, abs=1e-9) for key in ours}


def test_all_queries_by_model_and_benchmark():
    every = reduce(small(), n_resamples=20)["all_queries"]
    assert every["n_queries"] == [4, 4]
    assert every["accuracy"] == [[0.25, 0.375], [0.75, 0.5], [0.5, 0.5]]
    assert every["cost_usd_per_benchmark"] == [[4.0, 4.0], [8.0, 8.0], [40.0, 40.0]]


def test_order_of_models_and_of_test_queries_does_not_matter():
    order, shuffle = [2, 0, 1], [np.array([3, 1, 0, 2]), np.array([1, 3, 2, 0])]
    base = small()
    place = np.argsort(order)
    moved = dataclasses.replace(
        base,
        models=tuple(base.models[i] for i in order),
        score=base.score[:, order],
        cost=base.cost[:, order],
        test=tuple(test[s] for test, s in zip(base.test, shuffle, strict=True)),
        routers=tuple(
            dataclasses.replace(r, choice=tuple(place[c][:, s] for c, s in zip(r.choice, shuffle, strict=True)))
            for r in base.routers
        ),
    )
    ours, theirs = reduce(moved, n_resamples=50)["routers"], reduce(base, n_resamples=50)["routers"]
    for a, b in zip(ours, theirs, strict=True):
        assert [a["share"][i] for i in place] == b["share"]
        same = [key for key in a if key != "share"]
        assert {k: a[k] for k in same} == {k: pytest.approx(b[k], abs=1e-9) if k != "name" else b[k] for k in same}

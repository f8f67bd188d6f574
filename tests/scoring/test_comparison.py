"""Measured beside published: runs whose models score exactly what is printed, on all or some benchmarks and models."""

import csv
import io

import numpy as np
import orjson
import pytest

from scoring.comparison import compare
from scoring.comparison_tables import comparison_files
from scoring.counterparts import REASONS, ROUTERS
from scoring.published import SEEDS, published_setting
from scoring.reduction import Evaluation, RouterRun, reduce

NAN = np.nan
PROTOCOL = {"split_rule": "reference", "train_share": 0.7, "encoder": "gte-Qwen2-7B-instruct"}
N_QUERIES = 10  # of each benchmark, half of them tested


def run(
    name,
    *,
    benchmarks=None,
    models=None,
    routers=(),
    protocol=PROTOCOL,
    seeds=SEEDS,
    collected=(),
    rename=str,
    n_queries=None,
):
    """The reduced result of a run in which every answer of a model scores and costs the printed mean of its test split.

    routers: (name, trade-offs, per trade-off the model that it always chooses), headline the last trade-off.
    n_queries: what the result says about each benchmark's size, by default as published.
    """
    setting = published_setting(name)
    accuracy, cost = (
        (setting.tables[n] for n in ("12", "13")) if name == "performance_cost" else (setting.tables["11"],) * 2
    )
    models, benchmarks = models or setting.models, benchmarks or setting.benchmarks
    columns = [setting.benchmarks.index(benchmark) for benchmark in benchmarks]

    def per_query(table, names):
        value = np.array(
            [table.value[table.row(n), columns] if n in table.names else np.full(len(columns), 0.3) for n in names]
        )
        return np.repeat(value.T, N_QUERIES, axis=0)

    group = np.repeat(np.arange(len(benchmarks)), N_QUERIES)
    index = np.tile(np.arange(N_QUERIES), len(benchmarks))
    test = tuple(np.flatnonzero(index % 2 == 0) for _ in seeds)
    usd = (
        per_query(cost, models) / (N_QUERIES // 2)
        if name == "performance_cost"
        else np.full((len(group), len(models)), NAN)
    )

    def router(name, trade_offs, chosen):
        rows = np.array([[models.index(model)] * len(test[0]) for model in chosen])
        return RouterRun(
            name=name, is_reference=False, trade_off=np.array(trade_offs, float), headline=len(trade_offs) - 1,
            choice=(rows,) * len(seeds), fit_s=(1.0,) * len(seeds), route_s=(1.0,) * len(seeds),
            calls=(None,) * len(seeds),
        )  # fmt: skip

    score = per_query(accuracy, models)
    evaluation = Evaluation(
        setting="mine", models=tuple(models), benchmarks=tuple(map(rename, benchmarks)), seeds=tuple(seeds),
        benchmark=group, index=index, score=score, cost=usd, test=test,
        routers=tuple(router(*parts) for parts in routers), provenance=protocol, collected=tuple(collected),
        collected_score=np.repeat(score[:, :1], len(collected), axis=1),
        collected_cost=np.repeat(usd[:, :1], len(collected), axis=1),
    )  # fmt: skip
    result = reduce(evaluation, n_resamples=10)
    result["all_queries"]["n_queries"] = [n_queries or setting.n_queries[column] for column in columns]
    return result


def rows(published, **keys):
    return [row for row in published["rows"] if all(row[key] == value for key, value in keys.items())]


def one(published, **keys):
    found = rows(published, **keys)
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(scope="module")
def performance():
    """The published pool and benchmarks; a router that is always Qwen3-8B."""
    return compare(run("performance", routers=[("avengers", [NAN], ["Qwen3-8B"]), ("mine", [NAN], ["Qwen3-8B"])]))


@pytest.fixture(scope="module")
def performance_cost():
    pairs = ["qwen3-235b-a22b-2507", "qwen3-235b-a22b-2507", "gpt-5"]
    routers = [
        ("avengers_pro", [0.0, 0.65, 1.0], ["qwen3-235b-a22b-2507", "gpt-5", "gpt-5"]),
        ("graphrouter", [0.8, 0.5, 0.0], pairs),
        ("hybrid_llm", [0.0, 1.0], ["qwen3-235b-a22b-2507", "gpt-5"]),
        ("routellm_mf_binary", [0.0, 1.0], ["qwen3-235b-a22b-2507", "gpt-5"]),
    ]
    return compare(run("performance_cost", routers=routers))


# ---------------------------------------------------------------------------------- like with like


def test_models_that_score_what_is_printed_do_not_differ(performance, performance_cost):
    for published, source in (
        (performance, "Table 11"),
        (performance_cost, "Table 12"),
        (performance_cost, "Table 13"),
    ):
        setting = published_setting(published["setting"])
        compared = [row for row in rows(published, source=source, kind="model") if row["benchmark"]]
        expected = ~np.isnan(setting.tables[source.split()[1]].of_kind("model"))
        assert len(compared) == expected.sum()
        assert all(row["is_comparable"] for row in compared)
        np.testing.assert_allclose([row["difference"] for row in compared], 0, atol=1e-9)


def test_differences_are_measured_minus_printed(performance):
    """All queries of the run score as the test split is printed, so Table 4 differs by what the two tables differ."""
    row = one(performance, source="Table 4", here="Qwen3-8B", benchmark="aime")
    four, eleven = (published_setting("performance").tables[number] for number in ("4", "11"))
    assert row["published"] == four.value[four.row("Qwen3-8B"), 0]
    assert row["measured"] == pytest.approx(0.7333)
    assert row["difference"] == pytest.approx(0.7333 - row["published"])
    overall = one(performance, source="rows of Table 4", here="Qwen3-8B")
    assert overall["published"] == pytest.approx(0.6923, abs=5e-5)
    assert overall["measured"] == pytest.approx(eleven.value[eleven.row("Qwen3-8B")].mean())


def test_dataset_oracle_compares_and_random_by_its_expectation_only(performance):
    assert one(performance, source="Table 11", name="Dataset Oracle", benchmark=None)["difference"] == pytest.approx(
        0, abs=5e-5
    )
    drawn = one(performance, source="Table 11", name="Random")
    assert (drawn["published"], drawn["difference"], drawn["reasons"]) == (0.4879, None, ["draws"])
    expected = one(performance, source="models of Table 11", name="Random", benchmark="aime")
    assert expected["published"] == pytest.approx(0.3067, abs=5e-5)
    assert expected["difference"] == pytest.approx(0, abs=1e-9)
    mean = one(performance, source="models of Table 11", name="Random", benchmark=None)
    assert mean["published"] == pytest.approx(0.4822, abs=5e-5)


def test_gains_of_a_router_that_is_best_single(performance):
    gain_b = one(performance, source="Figure 4", name="Avengers", metric="gain_at_best_single")
    assert gain_b["published"] == 0.067
    assert gain_b["measured"] == pytest.approx(0, abs=1e-12)
    assert gain_b["difference"] == pytest.approx(-0.067)
    printed = one(performance, source="Figure 4", name="Avengers", metric="gain_at_random")
    assert (printed["is_comparable"], printed["reasons"][0]) == (False, "draws")
    again = one(performance, source="rows of Table 11", name="Avengers", metric="gain_at_random")
    assert again["is_comparable"]
    table = published_setting("performance").tables["11"]
    against = table.random_expectation()
    assert again["published"] == pytest.approx((table.value[table.row("Avengers")] / against - 1).mean())
    assert again["measured"] == pytest.approx((table.value[table.row("Qwen3-8B")] / against - 1).mean())


def test_the_encoder_decides_whether_table_10_or_11_is_meant():
    parts = {"routers": [("avengers", [NAN], ["Qwen3-8B"])]}
    mini = compare(run("performance", protocol=PROTOCOL | {"encoder": "org/all-MiniLM-L6-v2"}, **parts))
    row = one(mini, source="Table 10")
    assert (row["published"], row["reasons"]) == (0.7103, [])
    assert "encoder" in one(mini, source="Table 11", name="Avengers", benchmark=None)["reasons"]
    other = compare(run("performance", protocol=PROTOCOL | {"encoder": "hashed-words-1024"}, **parts))
    assert not rows(other, source="Table 10")


def test_a_trade_off_is_compared_with_its_own_printed_row(performance_cost):
    """Benchmark by benchmark at the headline, over all benchmarks elsewhere."""
    head = rows(performance_cost, source="Table 12", name="Avengers-Pro", trade_off="1.00")
    assert [row["benchmark"] for row in head] == [*published_setting("performance_cost").benchmarks, None]
    middle = one(performance_cost, source="Table 13", name="Avengers-Pro", trade_off="0.65")
    assert (middle["published"], middle["benchmark"]) == (87.34, None)
    assert middle["measured"] == pytest.approx(125.60, abs=0.05)
    assert not rows(performance_cost, name="Avengers-Pro", trade_off="0.60")
    balance = one(performance_cost, source="Table 13", name="GraphRouter", trade_off="BL")
    assert balance["published"] == 43.29
    assert balance["measured"] == pytest.approx(6.93, abs=0.05)


# ---------------------------------------------------------------------------------- what does not compare


def test_arena_hard_is_left_out_where_it_was_scored_otherwise(performance_cost):
    keys = {"name": "RouteLLM", "here": "routellm_mf_binary"}
    single = one(performance_cost, source="Table 12", benchmark="arenahard", **keys)
    assert (single["is_comparable"], single["difference"]) == (False, None)
    assert one(performance_cost, source="Table 12", benchmark="aime", **keys)["is_comparable"]
    assert not one(performance_cost, source="Table 12", benchmark=None, **keys)["is_comparable"]
    rest = one(performance_cost, source="rows of Table 12", **keys)
    assert rest["n_benchmarks"] == 9
    assert rest["published"] == pytest.approx((67.67 * 10 - 81.16) / 900, abs=1e-5)
    assert not one(performance_cost, source="Figure 7", metric="perf_gain", **keys)["is_comparable"]
    hybrid = one(performance_cost, source="Figure 7", name="HybridLLM")
    assert hybrid["is_comparable"]
    assert hybrid["difference"] == pytest.approx(0 + 0.127)
    assert set(hybrid["reasons"]) == {"point", "theta"}


def test_rows_over_nine_benchmarks_are_compared_over_nine():
    published = compare(run("performance_cost", collected=["openrouter-auto"]))
    for name in ("gpt-5-chat", "OpenRouter"):
        overall = one(published, source="Table 12", name=name, benchmark=None)
        assert (overall["n_benchmarks"], overall["is_comparable"]) == (9, False)
        assert "nine" in overall["reasons"]
        rest = one(published, source="rows of Table 12", name=name)
        assert (rest["n_benchmarks"], rest["is_comparable"]) == (9, True)
        assert rest["published"] == pytest.approx(overall["published"], abs=5e-5)
    assert rest["measured"] != pytest.approx(rest["published"], abs=0.01)


def test_another_number_of_queries_leaves_means_comparable_and_totals_not():
    published = compare(run("performance_cost", n_queries=7))
    accuracy = one(published, source="Table 12", name="gpt-5", benchmark="aime")
    assert (accuracy["is_comparable"], accuracy["reasons"]) == (True, ["queries"])
    cost = one(published, source="Table 13", name="gpt-5", benchmark="aime")
    assert (cost["difference"], cost["reasons"]) == (None, ["total"])
    assert not rows(published, source="rows of Table 13")
    assert b"Table 13 |" in comparison_files(published)["compare.md"]


def test_pareto_dist_never_compares(performance_cost):
    assert {row["is_comparable"] for row in rows(performance_cost, source="Figure 8")} == {False}


def test_some_benchmarks_compare_over_themselves():
    some = ["aime", "gpqa", "meld"]
    published = compare(run("performance", benchmarks=some, routers=[("avengers", [NAN], ["Qwen3-8B"])]))
    row = one(published, source="Table 11", name="Avengers", benchmark=None)
    assert (row["is_comparable"], row["n_benchmarks"]) == (False, 15)
    common = one(published, source="rows of Table 11", name="Avengers", metric="avg_acc")
    assert (common["n_benchmarks"], common["is_comparable"]) == (3, True)
    assert "training" in common["reasons"]
    assert common["published"] == pytest.approx((0.7111 + 0.5933 + 0.5454) / 3)
    for metric in ("gain_at_best_single", "gap_at_oracle"):
        assert not one(published, source="Figure 4", name="Avengers", metric=metric)["is_comparable"]
        assert one(published, source="rows of Table 11", name="Avengers", metric=metric)["n_benchmarks"] == 3
    gap_at_oracle = one(published, source="rows of Table 11", name="Avengers", metric="gap_at_oracle")
    assert gap_at_oracle["published"] == pytest.approx(
        np.mean([1 - 0.7111 / 0.8778, 1 - 0.5933 / 0.97, 1 - 0.5454 / 0.8762])
    )
    assert any("3 of its 15 benchmarks" in note for note in published["notes"])


def test_another_pool_compares_single_models_only():
    models = ("Qwen3-8B", "Fin-R1", "somebody-else")
    published = compare(run("performance", models=models, routers=[("avengers", [NAN], ["Qwen3-8B"])]))
    assert {row["kind"] for row in published["rows"] if row["is_comparable"]} == {"model"}
    assert one(published, source="Table 11", name="Avengers")["reasons"] == ["pool"]
    assert published["only_here"] == ["somebody-else"]
    assert "MiMo-7B-RL-0530" in published["not_run"]
    assert "Avengers" not in published["not_run"]


def test_a_part_of_the_pool_has_references_recomputed_from_its_printed_models():
    models = ("gpt-5", "gpt-5-chat", "claude-sonnet-4")
    published = compare(run("performance_cost", models=models, benchmarks=("swe_bench", "gpqa")))
    keys = {"name": "Dataset Oracle", "n_benchmarks": 2}
    assert one(published, source="models of Table 12", **keys)["published"] == pytest.approx((0.3533 + 0.8433) / 2)
    assert one(published, source="models of Table 13", **keys)["published"] == pytest.approx(10.89 + 2.30)
    random = one(published, source="models of Table 12", name="Random", benchmark="gpqa")
    assert random["published"] == pytest.approx((0.8433 + 0.75 + 0.7133) / 3)
    for name in ("Random", "Dataset Oracle"):
        compared = [row for row in rows(published, name=name) if row["is_comparable"]]
        assert len(compared) == 2 * 3
        np.testing.assert_allclose([row["difference"] for row in compared], 0, atol=1e-8)


def test_the_pool_without_its_incomplete_model_is_compared_with_a_reservation():
    models = [name for name in published_setting("performance_cost").models if name != "gpt-5-chat"]
    published = compare(run("performance_cost", models=models, routers=[("avengers_pro", [0.0, 1.0], ["gpt-5"] * 2)]))
    for source, name in (("Table 12", "Avengers-Pro"), ("Figure 7", "Avengers-Pro"), ("Table 12", "Dataset Oracle")):
        row = rows(published, source=source, name=name)[0]
        assert row["is_comparable"]
        assert "incomplete model" in row["reasons"]
    assert not any(row["is_comparable"] for row in rows(published, source="Table 12", name="Random"))
    assert "gpt-5-chat" in published["not_run"]


def test_routers_of_a_transfer_do_not_compare():
    published = compare(run("performance", routers=[("avengers", [NAN], ["Qwen3-8B"])]), is_transfer=True)
    assert not any(row["is_comparable"] for row in published["rows"] if row["kind"] == "router")
    assert any(row["is_comparable"] for row in published["rows"] if row["kind"] == "reference")


@pytest.mark.parametrize(
    ("models", "benchmarks", "word"), [(["a", "b"], None, "model"), (None, ["mine"], "benchmark")], ids=str
)
def test_nothing_in_common_is_said(models, benchmarks, word):
    result = run(
        "performance", models=models, benchmarks=benchmarks and ["aime"], rename=lambda b: "mine" if benchmarks else b
    )
    published = compare(result)
    assert published["rows"] == []
    assert published["notes"] == [f"No {word} of this run is among the published ones: nothing can be compared."]
    assert b"nothing can be compared" in comparison_files(published)["compare.md"]


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": PROTOCOL | {"split_rule": "independent"}},
        {"protocol": PROTOCOL | {"train_share": 0.8}},
        {"seeds": (1, 2)},
    ],
    ids=["rule", "share", "seeds"],
)
def test_another_split_is_a_reservation(changes):
    published = compare(run("performance", **changes))
    row = one(published, source="Table 11", name="Qwen3-8B", benchmark="aime")
    assert row["is_comparable"]
    assert "split" in row["reasons"]
    cost = one(compare(run("performance_cost", **changes)), source="Table 13", name="gpt-5", benchmark=None)
    assert cost["is_comparable"] == (changes.get("protocol", PROTOCOL)["train_share"] == 0.7)
    assert "split" not in one(published, source="Table 4", name="Qwen3-8B", benchmark="aime")["reasons"]


def test_names_of_a_release_are_known():
    published = compare(run("performance_cost", rename=lambda name: name.replace("_", "-")))
    assert one(published, source="Table 12", name="gpt-5", benchmark="swe_bench")["is_comparable"]


# --------------------------------------------------------------------------------------------- what is written


def test_every_reason_that_occurs_is_explained(performance_cost):
    used = {reason for row in performance_cost["rows"] for reason in row["reasons"]}
    assert set(performance_cost["reasons"]) == used
    assert used <= set(REASONS)
    assert {reason for kin in ROUTERS.values() for own in kin.values() for reason in own} <= set(REASONS)


def test_files_hold_every_record(performance_cost):
    files = comparison_files(performance_cost)
    records = list(csv.DictReader(io.StringIO(files["compare.csv"].decode())))
    assert len(records) == len(performance_cost["rows"])
    assert [float(record["published"]) for record in records] == [row["published"] for row in performance_cost["rows"]]
    page = files["compare.md"].decode()
    for source in ("Table 5", "Table 6", "Table 12", "Table 13"):
        assert f"## {source}, " in page
    assert "nan" not in page.lower().split()
    for block in page.split("\n\n"):
        lines = [line.replace("\\|", "") for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1
    assert orjson.dumps(performance_cost)


def test_summary_names_the_largest_difference(performance):
    summary = next(s for s in performance["tables"] if (s["source"], s["kind"]) == ("Table 4", "model"))
    assert summary["n_compared"] == 300
    four, eleven = (published_setting("performance").tables[number].of_kind("model") for number in ("4", "11"))
    assert abs(summary["largest_difference"]) == pytest.approx(np.abs(eleven - four).max())
    assert summary["mean_absolute_difference"] == pytest.approx(np.abs(eleven - four).mean())


def test_every_router_with_a_printed_like_has_a_configuration():
    from configs.compose import available

    names = {name for kin in ROUTERS.values() for name in kin} - {"openrouter-auto"}
    assert names <= set(available("router"))

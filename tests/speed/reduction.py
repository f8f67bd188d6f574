"""How long the reduction takes at the size of LLMRouterBench: 391,645 pairs, 15 routers, 5 seeds, 101 trade-offs.

    python tests/speed/reduction.py [--resamples 2000] [--profile]

Builds a real store (11,868 queries of 15 benchmarks, 33 models, 9 in 10 routers with 101 trade-offs) through the
store's own writers in a temporary folder, then times: the matrix from the store, the routings from the store, all
metrics, and the bootstrap. Scores are synthetic, so only the times mean anything. "All metrics" is a reduction with one
resample; the bootstrap is what more resamples add.

Beside it, what a plain Python loop takes for the same data in the layout of the published release, a JSON file per
benchmark and model with a record per query: parse every file once with orjson and file its records by benchmark, query
and model; then the accuracy on every benchmark of every router, seed and trade-off, looked up record by record. Its
routings are given to it, its files are read warm, its texts are 540 characters (published ones are over ten times as
long), and it computes no other metric. The accuracies are timed once, all else three times, of which the best counts.
Both ways must give the same accuracies on every benchmark.
"""

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from jobs.reduce import ReduceTask, evaluation_of
from jobs.setting import Setting
from scoring.evaluation import Evaluation
from scoring.reduction import reduce
from store.layout import Layout
from store.queries import write_queries
from store.records import Query, Response
from store.release_export import export_pair
from store.responses import ResponseWriter
from store.routings import Routing, write_routing
from store.scores import write_scores

N_PAIRS, N_MODELS, N_BENCHMARKS, N_ROUTERS = 391_645, 33, 15, 15
SEEDS, N_TRADE_OFFS = (42, 999, 2024, 2025, 3407), 101
TEXT = "Let us think step by step. " * 20


def build(root: Path) -> Setting:
    """The store, without routings; benchmarks differ in size as the real ones do."""
    rng, layout = np.random.default_rng(0), Layout(root)
    names = tuple(f"benchmark_{number:02}" for number in range(N_BENCHMARKS))
    sizes = np.linspace(60, 1522.5, N_BENCHMARKS).astype(int)
    sizes[-1] += round(N_PAIRS / N_MODELS) - sizes.sum()
    models = tuple(f"model-{number:02}" for number in range(N_MODELS))
    ability, price = rng.uniform(0.2, 0.9, N_MODELS), 10 ** rng.uniform(-4, -2, N_MODELS)
    for name, size in zip(names, sizes.tolist(), strict=True):
        messages = [({"role": "user", "content": f"question {index} of {name}"},) for index in range(size)]
        write_queries(layout, name, [Query(index, "q", "g", messages[index]) for index in range(size)])
        ease = rng.normal(0, 0.25, size)
        for number, model in enumerate(models):
            cost = price[number] * rng.lognormal(0, 1, size)
            writer = ResponseWriter(layout, name, model, "w", {"digest": "d"})
            for index, usd in enumerate(cost.tolist()):
                writer.append(
                    Response(index, 0, TEXT, prompt_tokens=100, completion_tokens=400, cost_usd=usd, finished_at=1e9)
                )
            writer.commit()
            score = {
                "index": np.arange(size), "repeat": np.zeros(size, np.int64),
                "score": (rng.random(size) < ability[number] + ease).astype(float),
                "response_finished_at": np.full(size, 1e9), "prediction": [""] * size, "explanation": [""] * size,
            }  # fmt: skip
            write_scores(layout, name, model, score, {"scorer": "s"})
    return Setting(root=root, name="speed", benchmarks=names, models=models, encoder="none")


def route(setting: Setting) -> tuple[str, ...]:
    """Routings of routers that move from cheap to good models; one in ten has no trade-off."""
    rng, matrix, layout = np.random.default_rng(1), setting.matrix(), Layout(setting.root)
    names = tuple(f"router_{number:02}" for number in range(N_ROUTERS))
    for number, name in enumerate(names):
        n_trade_offs = 1 if number % 10 == 9 else N_TRADE_OFFS
        trade_off = np.linspace(0, 1, n_trade_offs) if n_trade_offs > 1 else np.array([np.nan])
        for seed in SEEDS:
            rows = np.flatnonzero(~setting.train_mask(matrix, seed))
            favour = rng.normal(size=(len(rows), N_MODELS)).argsort(axis=1)[:, : 2 + number]
            choice = np.take_along_axis(
                favour.T, (rng.random((n_trade_offs, len(rows))) * favour.shape[1]).astype(int), axis=0
            )
            meta: dict[str, Any] = {
                "models": list(matrix.models), "benchmarks": list(matrix.benchmarks), "is_reference": False,
                "fit_s": 1.0, "route_s": 1.0, "inputs": [],
                "validation": {"avg_acc": trade_off.tolist(), "cost_usd": trade_off.tolist(),
                               "model_avg_acc": [0.5] * N_MODELS} if n_trade_offs > 1 else None,
            }  # fmt: skip
            utility = np.zeros((n_trade_offs, len(rows), N_MODELS), np.float32)
            routing = Routing(
                benchmark=matrix.benchmark[rows], index=matrix.index[rows], trade_off=trade_off, utility=utility,
                choice=choice.astype(np.int16), meta=meta,
            )  # fmt: skip
            write_routing(layout, setting.name, name, seed, routing)
    return names


def records_by_loop(folder: Path) -> dict[tuple[str, int], dict[str, dict[str, Any]]]:
    """(benchmark, index) -> model -> record of all JSON files below a folder."""
    found: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
    for path in sorted(folder.rglob("*.json")):
        run = orjson.loads(path.read_bytes())
        for record in run["records"]:
            found.setdefault((run["dataset_name"], record["index"]), {})[run["model_name"]] = record
    return found


def accuracies_by_loop(
    records: dict[tuple[str, int], dict[str, dict[str, Any]]], data: Evaluation
) -> dict[str, list[list[dict[str, float]]]]:
    """Router -> trade-off -> seed -> benchmark -> mean score."""
    query = list(zip([data.benchmarks[number] for number in data.benchmark], data.index.tolist(), strict=True))
    tests = [[query[row] for row in rows] for rows in data.test]
    result: dict[str, list[list[dict[str, float]]]] = {}
    for router in data.routers:
        result[router.name] = []
        for trade_off in range(len(router.trade_off)):
            seeds = []
            for keys, choice in zip(tests, router.choice, strict=True):
                total, count = dict.fromkeys(data.benchmarks, 0.0), dict.fromkeys(data.benchmarks, 0)
                for key, model in zip(keys, choice[trade_off].tolist(), strict=True):
                    total[key[0]] += records[key][data.models[model]]["score"]
                    count[key[0]] += 1
                seeds.append({name: total[name] / count[name] for name in total})
            result[router.name].append(seeds)
    return result


def compare_with_loop(setting: Setting, evaluation: Evaluation, folder: Path, load_s: float, reduce_s: float) -> None:
    """Time the plain loop, check its accuracies, and print how many times our CPU seconds it takes."""
    for benchmark in setting.benchmarks:
        for model in setting.models:
            export_pair(Layout(setting.root), benchmark, model, folder)
    loop_load_s, records = timed("loop: load the JSON records", lambda: records_by_loop(folder))
    loop_s, accuracies = timed("loop: accuracies alone", lambda: accuracies_by_loop(records, evaluation), n_runs=1)
    headline = {router.name: router.headline for router in evaluation.routers}
    for row in reduce(evaluation, n_resamples=1)["routers"]:
        seeds = accuracies[row["name"]][headline[row["name"]]]
        assert np.allclose(row["accuracy"], np.mean([list(seed.values()) for seed in seeds], axis=0)), row["name"]
    print(f"loop / matrix from the store: {loop_load_s / load_s:.1f}; loop's accuracies / all metrics: "
          f"{loop_s / reduce_s:.1f}; together {(loop_load_s + loop_s) / (load_s + reduce_s):.1f}")  # fmt: skip


def timed(what: str, work: Callable[[], Any], n_runs: int = 3) -> tuple[float, Any]:
    """CPU seconds and result of the best of some runs; printed beside the seconds on the clock."""
    cpu, clock = [], []
    for _ in range(n_runs):
        result = None  # two results at once may be a gigabyte
        started = time.process_time(), time.perf_counter()
        result = work()
        cpu.append(time.process_time() - started[0])
        clock.append(time.perf_counter() - started[1])
    print(f"{what:40} {min(cpu):6.2f} s of CPU, {min(clock):6.2f} s on the clock", flush=True)
    return min(cpu), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--profile", action="store_true", help="print where the metrics spend their time")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="routeyard-reduction-") as folder:
        setting = build(Path(folder) / "store")
        routers = route(setting)
        task = ReduceTask(setting=setting, routers=routers, seeds=SEEDS, folder=Path(folder) / "report")
        load_s, matrix = timed("matrix from the store", setting.matrix)
        print(f"  {matrix.score.size:,} pairs")
        _, evaluation = timed("matrix and routings from the store", lambda: evaluation_of(task, setting.matrix()))
        without, _ = timed("all metrics", lambda: reduce(evaluation, n_resamples=1))
        n_resamples = arguments.resamples
        whole, _ = timed(f"with {n_resamples:,} resamples", lambda: reduce(evaluation, n_resamples=n_resamples))
        print(f"{'the bootstrap alone':40} {whole - without:6.2f} s of CPU")
        compare_with_loop(setting, evaluation, Path(folder) / "release", load_s, without)
        if arguments.profile:
            for work in (setting.matrix, lambda: reduce(evaluation, n_resamples=1)):
                with cProfile.Profile(time.process_time) as profile:
                    work()
                pstats.Stats(profile).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()

"""What the reduction starts from: scores and costs of every pair, and what each router chose on each test set."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from scoring.metrics import Floats, Integers


class Validation(NamedTuple):
    """What a router's trade-offs and the single models are worth on training queries that were held out.

    Attributes:
        avg_acc: of every trade-off, [n_trade_offs]. cost_usd: their total on the same queries, NaN unknown.
        model_avg_acc: of every model alone, [n_models], NaN where it lacks a benchmark.
    """

    avg_acc: Floats
    cost_usd: Floats
    model_avg_acc: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterRun:
    """One router over all seeds.

    Attributes:
        name: as it appears in tables.
        is_reference: no contestant: it looks at test scores, is told the benchmark, or draws at random. References
            are shown apart and neither shape the Pareto frontier nor are measured against it.
        trade_off: values of its tunable parameter, float64 [n_trade_offs]; one NaN where it has none.
        headline: number of the trade-off that stands for the router in the accuracy table.
        choice: per seed int [n_trade_offs, n_test of that seed], the model chosen for each test query.
        fit_s, route_s: seconds of fitting, and of routing the test set, per seed; NaN where unknown.
        encode_s: seconds that embedding the test set takes where the router reads embeddings, else 0, per seed; None
            where unknown.
        calls: per seed how often every model is called for an answer by each of them, float64 [n_trade_offs, n_models,
            n_models], the answering model first; None where that is it alone, once. A cascade pays for all its calls.
        validation: mean over seeds; None where nothing was chosen by it.
    """

    name: str
    is_reference: bool
    trade_off: Floats
    headline: int
    choice: tuple[Integers, ...]
    fit_s: tuple[float, ...]
    route_s: tuple[float, ...]
    calls: tuple[Floats | None, ...]
    validation: Validation | None = None
    encode_s: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that one setting's figures depend on.

    Attributes:
        setting: its name.
        models, benchmarks, seeds: names and numbers, in the order of the axes below.
        benchmark: int [n_queries], number of each query's benchmark. index: int [n_queries], its index there.
        score: float64 [n_queries, n_models] in [0, 1], NaN where the pair is missing.
        cost: float64 [n_queries, n_models] in USD, NaN where unknown.
        test: per seed the row numbers of its test queries, int [n_test]; the other rows are its training queries.
            `choice[s][:, j]` of a router belongs to row `test[s][j]`.
        routers: what was evaluated.
        collected: names of routers whose answers were collected like a model's: nobody here chose for them.
        collected_score, collected_cost: as `score` and `cost`, [n_queries, n_collected].
        provenance: versions, configuration digest and the like, JSON values, printed in the report.
    """

    setting: str
    models: tuple[str, ...]
    benchmarks: tuple[str, ...]
    seeds: tuple[int, ...]
    benchmark: Integers
    index: Integers
    score: Floats
    cost: Floats
    test: tuple[Integers, ...]
    routers: tuple[RouterRun, ...]
    provenance: dict[str, Any]
    collected: tuple[str, ...] = ()
    collected_score: Floats = field(default_factory=lambda: np.empty((0, 0)))
    collected_cost: Floats = field(default_factory=lambda: np.empty((0, 0)))


def check(evaluation: Evaluation) -> None:
    """Refuse an evaluation whose parts do not fit together.

    Raises:
        ValueError: every problem that was found, one per line, with what was expected.
    """
    problems = [*_matrix_problems(evaluation)]
    if not problems:
        problems = [problem for router in evaluation.routers for problem in _router_problems(evaluation, router)]
    names = [*(router.name for router in evaluation.routers), *evaluation.collected]
    problems += [f"two routers are called {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
    if problems:
        raise ValueError(f"evaluation of {evaluation.setting!r} cannot be reduced:\n" + "\n".join(problems))


def scored_queries(evaluation: Evaluation) -> Evaluation:
    """The evaluation with the test queries for which no model has a score left out of every test set.

    Nothing can be said about them, and their unknown costs would make every total unknown. The rows stay, so row
    numbers do not move.
    """
    scored = np.isnan(evaluation.score).sum(axis=1) < len(evaluation.models)
    if scored.all():
        return evaluation
    keep = [scored[test] for test in evaluation.test]
    return replace(
        evaluation,
        test=tuple(test[kept] for test, kept in zip(evaluation.test, keep, strict=True)),
        routers=tuple(
            replace(r, choice=tuple(choice[:, kept] for choice, kept in zip(r.choice, keep, strict=True)))
            for r in evaluation.routers
        ),
    )


def _matrix_problems(evaluation: Evaluation) -> Iterator[str]:
    n_queries, n_models = len(evaluation.benchmark), len(evaluation.models)
    for name, found, expected in (
        ("score", evaluation.score.shape, (n_queries, n_models)),
        ("cost", evaluation.cost.shape, (n_queries, n_models)),
        ("index", evaluation.index.shape, (n_queries,)),
        ("test", (len(evaluation.test),), (len(evaluation.seeds),)),
    ):
        if found != expected:
            yield f"{name} has shape {found}, expected {expected}"
    if not (n_queries and n_models and evaluation.seeds):
        yield f"nothing to reduce: {n_queries} queries, {n_models} models, {len(evaluation.seeds)} seeds"
    if np.any((evaluation.benchmark < 0) | (evaluation.benchmark >= len(evaluation.benchmarks))):
        yield f"benchmark has numbers outside 0..{len(evaluation.benchmarks) - 1}"
    if np.any((evaluation.score < 0) | (evaluation.score > 1)):
        yield "score has values outside [0, 1]"
    if np.any(evaluation.cost < 0):
        yield "cost has negative values"
    for seed, test in zip(evaluation.seeds, evaluation.test, strict=False):
        if test.size and not (test.min() >= 0 and test.max() < n_queries and np.unique(test).size == test.size):
            yield f"test of seed {seed} must hold distinct row numbers in 0..{n_queries - 1}"
        present = np.unique(evaluation.benchmark[test[(test >= 0) & (test < n_queries)]])
        absent = [name for number, name in enumerate(evaluation.benchmarks) if number not in present]
        if absent:
            yield f"test of seed {seed} has no query of {', '.join(absent)}; leave these benchmarks out"


def _router_problems(evaluation: Evaluation, router: RouterRun) -> Iterator[str]:
    n_models, n_seeds, n_trade_offs = len(evaluation.models), len(evaluation.seeds), len(router.trade_off)
    if not 0 <= router.headline < n_trade_offs:
        yield f"router {router.name}: headline {router.headline} is none of its {n_trade_offs} trade-offs"
    for name in ("choice", "fit_s", "route_s", "calls"):
        if len(getattr(router, name)) != n_seeds:
            yield f"router {router.name}: {name} has {len(getattr(router, name))} seeds, expected {n_seeds}"
    for seed, test, choice in zip(evaluation.seeds, evaluation.test, router.choice, strict=False):
        where = f"router {router.name}, seed {seed}"
        if choice.shape != (n_trade_offs, len(test)):
            yield f"{where}: choice has shape {choice.shape}, expected {(n_trade_offs, len(test))}"
        elif choice.size and not (choice.min() >= 0 and choice.max() < n_models):
            yield f"{where}: choice has model numbers outside 0..{n_models - 1}"
    for seed, calls in zip(evaluation.seeds, router.calls, strict=False):
        if calls is not None and calls.shape != (n_trade_offs, n_models, n_models):
            expected = (n_trade_offs, n_models, n_models)
            yield f"router {router.name}, seed {seed}: calls has shape {calls.shape}, expected {expected}"

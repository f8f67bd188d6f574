"""RouterEval's protocol on the store: groups of candidates as ordinary settings, and their figures side by side."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.validation import headline, mean_over_seeds
from scoring.candidate_groups import choose_groups
from scoring.routereval import Figures, reference_figures, router_figures
from scoring.routereval_tables import Cell
from store.atomic import write_file
from store.errors import StoreError
from store.given_split import given_split, split_per_subtask
from store.layout import Layout
from store.queries import to_json
from store.release_format import SCORER
from store.routereval_import import SPLIT_SEED
from store.routings import read_routing, routed_seeds
from store.score_matrix import ScoreMatrix, matrix_meta, read_score_matrix
from store.scores import read_scores, write_scores
from store.tables import Table, read_table, write_table

_KIND = "candidate_groups"
ROUTERS = ("linear_r", "mlp_r", "cluster_best", "prknn")  # those of the paper that need no encoder of their own


@dataclass(frozen=True, slots=True)
class Group:
    """Candidates of a benchmark; models from weak to strong."""

    benchmark: str
    rule: str
    size: int
    name: str
    models: tuple[str, ...]

    @property
    def setting(self) -> str:
        return f"{self.benchmark}-{self.name}-{self.size}" + ("-published" if self.rule == "published" else "")


def make_groups(layout: Layout, benchmark: str, sizes: Sequence[int], rule: str) -> list[Group]:
    """Choose the groups of a benchmark, and store them with their models' scores and a setting for each.

    Groups of other sizes or by the other rule that are there already stay. Scores that are there are not written again.

    Raises:
        StoreError: the benchmark's matrix is not in the store, or too few models fit a group.
    """
    matrix, meta = read_score_matrix(layout, benchmark), matrix_meta(layout, benchmark)
    counted = np.ones(matrix.n_queries, bool)
    if rule == "train":
        counted = np.isin(np.arange(matrix.n_queries), given_split(layout, benchmark)[0])
    _, stream = split_per_subtask(meta["subtask_sizes"], SPLIT_SEED)
    try:
        chosen = choose_groups(matrix, tuple(sizes), counted, stream)
    except ValueError as error:
        raise StoreError(f"{benchmark}: {error}; choose smaller ones with routereval.sizes=[…]") from None
    groups = [
        Group(benchmark, rule, size, name, tuple(matrix.models[number] for number in numbers))
        for (size, name), numbers in chosen.items()
    ]
    for number in np.unique(np.concatenate(list(chosen.values()))).tolist():
        _write_scores(layout, benchmark, matrix, number, meta["sha256"])
    for group in groups:
        write_file(layout.setting(group.setting), _setting(group).encode())
    made = {(group.rule, group.size) for group in groups}
    kept = [group for group in read_groups(layout, benchmark) if (group.rule, group.size) not in made]
    rows = [*kept, *groups]
    columns: Table = {
        "size": np.array([group.size for group in rows], np.int64),
        "rule": [group.rule for group in rows],
        "group": [group.name for group in rows],
        "models": [to_json(group.models) for group in rows],
    }
    write_table(layout.candidate_groups(benchmark), _KIND, columns, {"sha256": meta["sha256"], "seed": SPLIT_SEED})
    return groups


def read_groups(layout: Layout, benchmark: str) -> list[Group]:
    """Groups of a benchmark that were chosen from the scores that the store has now."""
    try:
        table, meta = read_table(layout.candidate_groups(benchmark), _KIND)
    except FileNotFoundError:
        return []
    if meta["sha256"] != matrix_meta(layout, benchmark).get("sha256"):
        return []
    rows = zip(table["rule"], table["size"].tolist(), table["group"], table["models"], strict=True)
    return [Group(benchmark, rule, size, name, tuple(json.loads(models))) for rule, size, name, models in rows]


def group_figures(layout: Layout, benchmark: str, rule: str, routers: Sequence[str]) -> dict[Cell, Figures]:
    """Metrics of the references, and of every router that was trained on a group, means over its seeds.

    Raises:
        StoreError: a routing was made for other models or queries.
    """
    groups = [group for group in read_groups(layout, benchmark) if group.rule == rule]
    if not groups:
        return {}
    matrix, (_, test) = read_score_matrix(layout, benchmark), given_split(layout, benchmark)
    number = {name: i for i, name in enumerate(matrix.models)}
    cells = {}
    for group in groups:
        models = sorted(group.models)  # as in a setting's matrix
        score = matrix.rows(np.array([number[name] for name in models]))[:, test].T.astype(np.float64)
        for name, figures in reference_figures(benchmark, score).items():
            cells[Cell(group.size, name, benchmark, group.name)] = figures
        for name in routers:
            if found := _trained(layout, group, name, models, test, score):
                cells[Cell(group.size, name, benchmark, group.name)] = found
    return cells


def _trained(
    layout: Layout, group: Group, router: str, models: list[str], test: NDArray[np.int64], score: NDArray[np.float64]
) -> Figures | None:
    routings = []
    for seed in routed_seeds(layout, group.setting, router):
        routing = read_routing(layout, group.setting, router, seed)
        if routing is None:  # removed meanwhile
            continue
        if routing.meta["models"] != models or not np.array_equal(routing.index, test):
            path = layout.routings(group.setting, router, seed)
            raise StoreError(f"{path} was made for other models or queries; run launch/train.py again")
        routings.append(routing)
    if not routings:
        return None
    at = headline(mean_over_seeds([routing.meta["validation"] for routing in routings]))
    found = [
        router_figures(group.benchmark, score, routing.choice[at], routing.utility[at].astype(np.float64))
        for routing in routings
    ]
    return Figures(*np.mean(found, axis=0).tolist())


def _write_scores(layout: Layout, benchmark: str, matrix: ScoreMatrix, number: int, sha256: list[str]) -> None:
    """A model's scores as an ordinary table, unless they are there."""
    model = matrix.models[number]
    there = read_scores(layout, benchmark, model, ())
    if there and there[1].get("sha256") == sha256:
        return
    n_queries = matrix.n_queries
    table = {
        "index": np.arange(n_queries),
        "repeat": np.zeros(n_queries, np.int64),
        "score": matrix.rows(slice(number, number + 1))[0].astype(np.float64),
        "response_finished_at": np.zeros(n_queries),
        "prediction": [""] * n_queries,
        "explanation": [""] * n_queries,
    }
    write_scores(layout, benchmark, model, table, {"scorer": SCORER, "sha256": sha256})


def _setting(group: Group) -> str:
    """The YAML of a setting; JSON texts are YAML."""
    patterns = [name.replace("[", "[[]") for name in group.models]  # names that are patterns of themselves
    return "\n".join([
        f"# RouterEval: {group.name} candidates for {group.benchmark}, chosen by rule {group.rule}.",
        f"name: {to_json(group.setting)}",
        f"benchmarks: {to_json([group.benchmark])}",
        f"models: {to_json(patterns)}",
        f"routers: {to_json(list(ROUTERS))}",
        "split_rule: given",
        "",
    ])  # fmt: skip

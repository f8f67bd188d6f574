"""RouterEval's scores (arXiv 2503.10657) -> store: a dense matrix and the queries of each of its 12 benchmarks.

The publisher's two archives, unpacked into one folder:

    leaderboard_score/leaderboard_<name>.pkl           {"model": [names], "data": {sub-task: {"correctness": scores}}}
    leaderboard_prompt/leaderboard_<name>_prompt.pkl   {sub-task: prompts}

<name> is old, new or mmlu_pro, the generations of the leaderboard, each with models of its own; scores are
[n_queries, n_models]. A benchmark is one or several sub-tasks, in the order of their names. The files are pickles and
foreign: they are read as `store.restricted_pickle` says. One is in memory at a time, as large as it is on the disk.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.errors import DamagedFileError, StoreError
from store.given_split import PARTS, split_per_subtask
from store.layout import Layout
from store.queries import write_queries
from store.records import Query
from store.release_format import SCORER
from store.restricted_pickle import load
from store.score_matrix import matrix_meta, pack, write_score_matrix

SPLIT_SEED = 42  # the reference's
LEADERBOARDS: dict[str, dict[str, str]] = {  # leaderboard -> benchmark -> pattern of its sub-tasks
    "old": {
        "routereval_arc": "harness_arc_challenge_25",
        "routereval_gsm8k": "harness_gsm8k_5",
        "routereval_hellaswag": "harness_hellaswag_10",
        "routereval_mmlu": "harness_hendrycksTest_*_5",
        "routereval_truthfulqa": "harness_truthfulqa_mc_0",
        "routereval_winogrande": "harness_winogrande_5",
    },
    "new": {
        "routereval_bbh": "bbh_*",
        "routereval_gpqa": "gpqa_*",
        "routereval_ifeval": "ifeval",
        "routereval_math": "math_*_hard",
        "routereval_musr": "musr_*",
    },
    "mmlu_pro": {"routereval_mmlu_pro": "mmlu_pro"},
}


@dataclass(frozen=True, slots=True)
class MatrixResult:
    """What became of a benchmark, or of a whole leaderboard; `message` says why it did not come in."""

    name: str
    n_queries: int = 0
    n_models: int = 0
    is_new: bool = False
    message: str = ""


def import_routereval(
    path: Path, layout: Layout, on_result: Callable[[MatrixResult], None] = lambda result: None
) -> list[MatrixResult]:
    """Bring every benchmark below a folder into the store; a file that cannot be used leaves the others alone.

    Files that have not changed since they came in are not read again.

    Raises:
        StoreError: the folder holds none of the files.
    """
    found = {name: file for name in LEADERBOARDS if (file := _find(path, f"leaderboard_{name}.pkl"))}
    if not found:
        raise StoreError(
            f"{path} has no leaderboard_old.pkl, leaderboard_new.pkl or leaderboard_mmlu_pro.pkl; unpack RouterEval's "
            "leaderboard_score.zip and leaderboard_prompt.zip there"
        )
    results = []
    for name, file in found.items():
        try:
            leaderboard = _import_leaderboard(name, file, path, layout)
        except StoreError as error:
            leaderboard = [MatrixResult(name, message=str(error))]
        for result in leaderboard:
            on_result(result)
        results += leaderboard
    return results


def _import_leaderboard(name: str, file: Path, path: Path, layout: Layout) -> list[MatrixResult]:
    prompt_file = _find(path, f"leaderboard_{name}_prompt.pkl")
    if prompt_file is None:
        raise StoreError(f"{path} has no leaderboard_{name}_prompt.pkl, the queries of {file.name}")
    digest = [_sha256(file), _sha256(prompt_file)]
    known = {benchmark: matrix_meta(layout, benchmark) for benchmark in LEADERBOARDS[name]}
    there = {benchmark: meta for benchmark, meta in known.items() if meta.get("sha256") == digest}
    if there and all(there.keys() >= set(meta["benchmarks"]) for meta in there.values()):
        return [MatrixResult(benchmark, meta["n_queries"], meta["n_models"]) for benchmark, meta in there.items()]
    content = load(file)
    if (
        not isinstance(content, dict)
        or not {"model", "data"} <= content.keys()
        or not isinstance(content["data"], dict)
    ):
        raise DamagedFileError(f"{file} is not of RouterEval's layout, a dict with model and data")
    models, data, prompts = _model_names(content["model"]), content["data"], load(prompt_file)
    del content  # so that the scores of a benchmark are freed once they are packed
    if strangers := [task for task in data if not any(fnmatchcase(task, p) for p in LEADERBOARDS[name].values())]:
        raise StoreError(f"{file}: {', '.join(sorted(map(str, strangers)))} belongs to no benchmark of RouterEval")
    tasks_of = {
        benchmark: tasks
        for benchmark, pattern in LEADERBOARDS[name].items()
        if (tasks := sorted(task for task in data if fnmatchcase(task, pattern)))
    }
    meta = {"source": file.name, "sha256": digest, "benchmarks": list(tasks_of), "n_models": len(models)}
    return [
        _import_benchmark(benchmark, tasks, models, data, prompts, layout, meta)
        for benchmark, tasks in tasks_of.items()
    ]


def _import_benchmark(
    benchmark: str, tasks: list[str], models: list[str], data: dict[str, Any], prompts: Mapping[str, Any],
    layout: Layout, meta: dict[str, Any],
) -> MatrixResult:  # fmt: skip
    scores, file = [], meta["source"]
    for task in tasks:
        score = data.pop(task)
        score = score.get("correctness") if isinstance(score, dict) else None
        if not isinstance(score, np.ndarray) or score.ndim != 2 or score.dtype.kind not in "biuf":
            raise StoreError(f"{file}: {task} has no correctness, numbers [n_queries, n_models]")
        if task not in prompts or len(prompts[task]) != len(score):
            raise StoreError(f"{file}: {task} has {len(score)} queries, its prompts are {len(prompts.get(task, ()))}")
        scores.append(_narrow(score))
    try:
        matrix = pack(models, np.concatenate(scores))
    except (StoreError, ValueError) as error:
        raise StoreError(f"{file}: {benchmark}: {error}") from None
    sizes = [len(score) for score in scores]
    part, _ = split_per_subtask(sizes, SPLIT_SEED)
    texts = [str(text) for task in tasks for text in prompts[task]]
    origin = [task for task, size in zip(tasks, sizes, strict=True) for _ in range(size)]
    queries = [
        Query(index, text, None, ({"role": "user", "content": text},), {"subtask": task, "split": PARTS[number]})
        for index, (text, task, number) in enumerate(zip(texts, origin, part.tolist(), strict=True))
    ]
    write_queries(layout, benchmark, queries, {"source": SCORER})
    write_score_matrix(layout, benchmark, matrix, {**meta, "subtask_sizes": sizes})
    return MatrixResult(benchmark, len(queries), len(models), True)


def _narrow(score: NDArray[Any]) -> NDArray[Any]:
    """Scores in the smallest type that keeps them: bool where all are 0 or 1, else float32."""
    is_right = score == 1
    return is_right if (is_right | (score == 0)).all() else score.astype(np.float32)


def _model_names(names: Any) -> list[str]:
    """Names of models out of names of result sets ("details_org__model", "org__model-details"); as they are if
    that would make two alike."""
    given = [str(name) for name in names]
    plain = [name.rpartition("/")[2].removeprefix("details_").removesuffix("-details") for name in given]
    plain = [name.replace("__", "/", 1) for name in plain]
    return plain if len(set(plain)) == len(given) else given


def _find(path: Path, name: str) -> Path | None:
    return next(iter(sorted(path.rglob(name))), None)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

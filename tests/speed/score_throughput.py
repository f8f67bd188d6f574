"""How fast stored responses are scored: the performance setting's benchmarks, without those of code and judges.

    python tests/speed/score_throughput.py                              # 2 models, about a minute
    python tests/speed/score_throughput.py --models 20 --keep /tmp/store --profile compat

Writes seeded responses to the real questions (right and wrong answers as models write them; every other model reasons
for up to 8,000 tokens first) into a store on disk and lets `jobs.score.score` judge them. Prints, per benchmark,
responses and megabytes a second on the clock, and where the computing time went: `ours` is finding and comparing
answers, `algebra` the worker process with math-verify and SymPy, `store` reading and writing HDF5. The last line is a
digest over all scores and predictions: equal digests mean that a change of the graders changed no verdict.

Benchmarks whose files are not in --data are left out. A wrong answer is the gold answer of another question: about the
right size and shape, but met again more often than a model's own.
"""

import argparse
import hashlib
import os
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import jobs.score
from configs.compose import compose
from jobs.score import ScoreTask, score
from launch.samples import selected
from scoring.benchmark import BenchmarkError, find
from scoring.graders import symbolic
from store.layout import Layout
from store.queries import read_queries, write_queries
from store.records import Query, Response
from store.responses import ResponseWriter
from store.scores import read_scores

DATA = Path(__file__).parents[3] / "shared" / "datasets"
BENCHMARKS = ("aime", "math500", "mathbench", "korbench", "kandk", "bbh", "mmlupro", "gpqa", "finqa", "medqa",
              "emorynlp", "meld")  # fmt: skip
STORE = ("read_columns", "read_queries", "read_query_columns", "read_scores", "write_scores")
CHARACTERS_PER_TOKEN = 4
LONGEST_TOKENS = 8_000
FORMULA = (
    "\n\nThus the answer is:\n\n\\[\\boxed{{{}}}\\]", "\n\nSo we get ${0}$.\n\n**Final Answer**\n\n\\boxed{{{0}}}",
    "\n\nTherefore, the final answer is ${}$.", "\n\n$\\boxed{{{}}}$", "\n\n\\boxed{{\\text{{{}}}}}", "\n\nAnswer: {}",
)  # fmt: skip
LETTER = (
    "\n\nAnswer: {}", "\n\n**Answer:** {}", "\n\nAnswer: **{}**", "\n\nThe correct answer is ({}).",
    "\n\n### Answer\n{}", "\n\nAnswer: $\\boxed{{{}}}$",
)  # fmt: skip
SHORT = (*LETTER[:3], "\n\nSo the answer is {}.", "\n\nAnswer: \\boxed{{{}}}")
BRACKETS = ("\n\n[[{}]]", "\n\nThe final answer is [[{}]].", "\n\n**Answer:** [[ {} ]]", "\n\n$\\boxed{{{}}}$")
CONCLUSION = ("\n\nCONCLUSION:\n{}", "\n\n**CONCLUSION:**\n{}", "\n\n### CONCLUSION\n{}")


def forms(name: str) -> tuple[str, ...]:
    """The ways in which models write the answers of a benchmark."""
    own = {"korbench": BRACKETS, "kandk": CONCLUSION, "bbh": SHORT}
    return own.get(name, FORMULA if name in ("aime", "math500", "finqa") else LETTER)


def gold(query: Query) -> str:
    """The gold answer as it stands in the forms."""
    answer = str(query.ground_truth).strip() or str(query.metadata["exe_ans"])
    return answer.removeprefix("[[").removesuffix("]]")


def responses(name: str, queries: list[Query], model: int) -> Iterator[Response]:
    """One response to each query; seeded by benchmark and model, so the same in every run."""
    rng = random.Random(f"{name}/{model}")
    pool = "\n\n".join(query.text for query in queries)
    pool *= 1 + LONGEST_TOKENS * CHARACTERS_PER_TOKEN // len(pool)
    for query in queries:
        n_tokens = min(LONGEST_TOKENS, int(rng.lognormvariate(7.3, 1.0))) if model % 2 else 0
        text = f"<think>\n{_piece(pool, n_tokens, rng)}" if n_tokens else ""
        if rng.random() < 0.98:  # else it broke off
            answer = gold(query if rng.random() < 0.6 else rng.choice(queries))
            text += "\n</think>\n\n" if n_tokens else ""
            text += _piece(pool, rng.randint(20, 500), rng) + rng.choice(forms(name)).format(answer)
        yield Response(
            query.index, text=text, completion_tokens=len(text) // CHARACTERS_PER_TOKEN, finished_at=1e9 + query.index
        )


def _piece(pool: str, n_tokens: int, rng: random.Random) -> str:
    start = rng.randrange(len(pool) - n_tokens * CHARACTERS_PER_TOKEN)
    return pool[start : start + n_tokens * CHARACTERS_PER_TOKEN]


def build(layout: Layout, data_dir: Path, names: Sequence[str], n_models: int) -> dict[str, tuple[int, int]]:
    """Fill a store; gives back benchmark -> (responses, bytes of their text) of those whose files are there."""
    sizes = {}
    for name in names:
        config = compose([f"benchmarks=[{name}]"]).benchmark[name]
        try:
            write_queries(layout, name, find(name, **config.params).queries(data_dir))
        except BenchmarkError:
            print(f"{name}: its files are not here")
            continue
        chosen = set(selected(layout, name, config).tolist())
        queries = [query for query in read_queries(layout, name) if query.index in chosen]
        n_bytes = 0
        for model in range(n_models):
            writer = ResponseWriter(layout, name, f"model-{model:02d}", "w", {"digest": "d"})
            for response in responses(name, queries, model):
                writer.append(response)
                n_bytes += len(response.text)
            writer.commit()
        sizes[name] = (len(queries) * n_models, n_bytes)
    return sizes


class Meter:
    """Computing time of this process inside some functions, together."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*arguments: Any, **options: Any) -> Any:
            start = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds += time.process_time() - start

        return measured


def worker_cpu_s() -> float:
    """Computing time of the symbolic worker that lives and of those that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = ended.ru_utime + ended.ru_stime
    if symbolic._worker is not None:
        fields = Path(f"/proc/{symbolic._worker.pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime
    return seconds


def verdicts(layout: Layout, name: str) -> tuple[float, bytes]:
    """Mean score of a benchmark, and a digest of its scores and predictions."""
    result, values = hashlib.sha256(), []
    for model in layout.models(name):
        found = read_scores(layout, name, model)
        assert found is not None
        table = found[0]
        values += table["score"].tolist()
        result.update(repr((model, table["score"].tolist(), table["prediction"])).encode("utf-8", "surrogatepass"))
    return sum(values) / len(values), result.digest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=2, help="of the setting's 20")
    parser.add_argument("--profile", choices=["robust", "compat"], default="robust")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the question files")
    parser.add_argument("--benchmarks", nargs="*", default=BENCHMARKS, help="only these")
    parser.add_argument("--keep", type=Path, help="build the store here")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp())
    layout = Layout(folder)
    sizes = build(layout, options.data, options.benchmarks, options.models)
    print(f"{'benchmark':<11}{'responses':>10}{'MB':>8}{'per s':>9}{'MB/s':>7}{'CPU s':>8}{'ours':>7}{'algebra':>9}"
          f"{'store':>7}{'mean':>8}")  # fmt: skip
    symbolic.is_zero("1-1")  # starts the worker, once and not once a benchmark
    digest, totals = hashlib.sha256(), [0.0] * 6
    for name, (n_responses, n_bytes) in sizes.items():
        config, meter = compose([f"benchmarks=[{name}]"]).benchmark[name], Meter()
        task = ScoreTask(root=folder, benchmark=name, models=tuple(layout.models(name)), params=config.params,
                         profile=options.profile, again=True)  # fmt: skip
        with ExitStack() as stack:
            for function in STORE:
                measured = meter.around(getattr(jobs.score, function))
                stack.enter_context(mock.patch.object(jobs.score, function, measured))
            wall, cpu, algebra = time.perf_counter(), time.process_time(), worker_cpu_s()
            n_judged = sum(score(task).values())
            wall, cpu, algebra = time.perf_counter() - wall, time.process_time() - cpu, worker_cpu_s() - algebra
        assert n_judged == n_responses
        mean, one = verdicts(layout, name)
        digest.update(one)
        row = [n_responses, n_bytes / 1e6, wall, cpu - meter.seconds, algebra, meter.seconds]
        totals = [a + b for a, b in zip(totals, row, strict=True)]
        print(f"{name:<11}{_cells(row)}{mean:>8.3f}", flush=True)
    print(f"{'all':<11}{_cells(totals)}")
    print(f"profile {options.profile}, {options.models} models; digest of all verdicts {digest.hexdigest()[:16]}")
    if not options.keep:
        shutil.rmtree(folder)


def _cells(row: list[float]) -> str:
    n_responses, megabytes, wall, *parts = row
    cpu = sum(parts)
    shares = "".join(f"{part / cpu:>{width}.0%}" for part, width in zip(parts, (7, 9, 7), strict=True))
    return (
        f"{n_responses:>10,.0f}{megabytes:>8.1f}{n_responses / wall:>9,.0f}{megabytes / wall:>7.1f}{cpu:>8.1f}{shares}"
    )


if __name__ == "__main__":
    main()

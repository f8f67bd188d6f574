"""How close collecting comes to the shortest possible time: a simulation with the real scheduling rules.

    python tests/speed/scheduling.py [--seeds 7] [--gpus 8 16 32 64] [--slots 64] [--spread 0.47]

20 models answer 15 benchmarks of LLMRouterBench's sizes, 229,600 answers. Their means go from 10 to 8,000 tokens,
in a third of the models three to six times as many; the models differ tenfold in speed. What is believed beforehand
about mean lengths and speeds is off by a log-normal factor (sigma 0.5) until it is measured. An engine works on 256
answers at once; a step takes base + n * per_answer seconds with n of them. Prompts, failures and the memory of long
answers are left out. The array has `--slots` tasks, however many GPUs become free. What a worker knows of others is
what they have committed, once a minute.

Lengths within a benchmark are log-normal with a part that all models share. Measured on 13 free-text benchmarks and 11
to 14 models (gsm8k, cruxeval, math, financemath, mint; medians over benchmarks and models): standard deviation of log
tokens 0.47 (quartiles of all 25 benchmarks 0.37 to 0.58), correlation of two models 0.385, and the mean of 1, 3, 5
others explains 16, 27, 32 % of a model's variance. On 12 function-calling benchmarks (20 to 60 tokens, not used here)
it is 57, 67, 69 %. No reasoning model was among them; theirs may vary more (`--spread 0.7`).

Columns, each the makespan divided by the lower bound (minimum / median / maximum over the seeds):
    ours     `jobs.schedule`, `jobs.plan.cut` and `jobs.lengths`, as workers use them
    loose    the same against the loose bound
    ends     mean over the GPUs of when ours left them idle: what perfect balance would give
    plain    ours without `expected_tokens` and `batch_limit`: shards in the order of the believed means, full batches
    known    ours, if the length of every answer were known beforehand
    static   each model's queries dealt to a fixed number of tasks, GPUs/models rounded up, no claims, no moving on
    best     the best of 1, 2, 4 and 8 such tasks per model
"""

import argparse
import heapq
import math
import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from jobs.lengths import expected_tokens
from jobs.outlook import LOOK_AGAIN_S
from jobs.plan import BenchmarkTask, Shard, cut
from jobs.schedule import batch_limit, next_model, plan_workers, shard_order

BENCHMARKS = {  # queries, mean tokens of an answer that does not reason at length
    "aime": (60, 8000), "math500": (500, 2000), "mathbench": (150, 1000), "mbpp": (974, 600),
    "humaneval": (164, 800), "livecodebench": (1055, 4000), "korbench": (1250, 1500), "kandk": (700, 2000),
    "bbh": (1080, 900), "mmlupro": (1000, 1500), "gpqa": (198, 3500), "finqa": (1147, 500), "medqa": (1273, 800),
    "emorynlp": (697, 10), "meld": (1232, 10),
}  # fmt: skip
N_MODELS, N_REASONING = 20, 7
MAX_TOKENS, MAX_TOKENS_REASONING = 16_384, 32_768
SPREAD, CORRELATION = 0.47, 0.385  # of log tokens within a benchmark; of two models' log tokens
CAPACITY = 256
N_READY = CAPACITY // 16  # so that no slot stays empty
BASE_S, PER_ANSWER_S = 0.014, 0.00028  # of a step of a middling model: 70 tokens/s alone, 3,000 in a full batch
SHARD_TOKENS = 25_000.0
LOAD_S = 105.0  # what is believed of every model; in truth 60 to 150
COMMIT_S = 60.0  # what was answered becomes visible

Answer = tuple[float, str, int]  # tokens, benchmark, index
Lengths = Literal["believed", "expected", "known"]


@dataclass(frozen=True)
class Model:
    """The truth about a model, and what is believed: `tasks` and `tokens_per_s`."""

    name: str
    base_s: float
    per_answer_s: float
    load_s: float
    tokens: dict[str, NDArray[np.float64]]  # benchmark -> of each answer
    tasks: tuple[BenchmarkTask, ...]
    tokens_per_s: float

    def step_s(self, n: int) -> float:
        return self.base_s + self.per_answer_s * n

    @property
    def all_tokens(self) -> NDArray[np.float64]:
        return np.concatenate(list(self.tokens.values()))


def draw_models(seed: int, spread: float) -> list[Model]:
    """A pool with all its answers."""
    rng, models = np.random.default_rng(seed), []
    shared = {name: rng.standard_normal(n_queries) for name, (n_queries, _) in BENCHMARKS.items()}
    for number, speed in enumerate(rng.permutation(np.geomspace(10**-0.5, 10**0.5, N_MODELS))):
        reasons = number < N_REASONING
        max_tokens = MAX_TOKENS_REASONING if reasons else MAX_TOKENS
        verbosity = rng.uniform(3, 6) if reasons else rng.lognormal(0, 0.3)
        tokens, tasks = {}, []
        for name, (n_queries, mean) in BENCHMARKS.items():
            own = rng.standard_normal(n_queries)
            normal = math.sqrt(CORRELATION) * shared[name] + math.sqrt(1 - CORRELATION) * own
            median = mean * verbosity * rng.lognormal(0, 0.2) * math.exp(-(spread**2) / 2)
            tokens[name] = np.clip(np.rint(median * np.exp(spread * normal)), 1, max_tokens)
            believed = float(tokens[name].mean() * rng.lognormal(0, 0.5))
            tasks.append(BenchmarkTask(name, np.arange(n_queries), max_tokens, believed, ""))
        base_s, per_answer_s = BASE_S / speed, PER_ANSWER_S / speed
        tokens_per_s = CAPACITY / (base_s + CAPACITY * per_answer_s) * rng.lognormal(0, 0.5)
        models.append(
            Model(f"model-{number:02d}", base_s, per_answer_s, rng.uniform(60, 150), tokens, tuple(tasks), tokens_per_s)
        )
    return models


class Engine:
    """All answers under way grow at the same pace, so each finishes when the common length reaches its mark."""

    def __init__(self, model: Model, now: float) -> None:
        self.now = now
        self.finished: list[Answer] = []
        self._model, self._length = model, 0.0
        self._running: list[tuple[float, Answer]] = []  # mark, answer
        self._waiting: deque[Answer] = deque()

    @property
    def n_in_flight(self) -> int:
        return len(self._running) + len(self._waiting)

    def submit(self, answer: Answer) -> None:
        if len(self._running) < CAPACITY:
            heapq.heappush(self._running, (self._length + answer[0], answer))
        else:
            self._waiting.append(answer)

    def run(self, n_left: int) -> None:
        """Serve until so many are left."""
        while self.n_in_flight > n_left:
            mark, answer = self._running[0]
            self.now += (mark - self._length) * self._model.step_s(len(self._running))
            self._length = mark
            self.finished.append(answer)
            if self._waiting:
                following = self._waiting.popleft()
                heapq.heapreplace(self._running, (mark + following[0], following))
            else:
                heapq.heappop(self._running)


@dataclass
class Store:
    """What all workers see of one model: what nobody has claimed, who works on it, what was measured."""

    models: Sequence[Model]
    number: int
    answered: dict[str, NDArray[np.float64]]  # benchmark -> tokens, NaN where missing, [n_models, n_queries]
    lengths: Lengths
    unclaimed: list[Shard] = field(default_factory=list)  # the next one last
    n_workers: int = 0
    serving_s: float = 0.0
    n_tokens: float = 0.0
    _expected: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    _looked_at: float = -math.inf
    _n_missing: int = 0  # these three as they were when somebody looked last
    _missing_tokens: float = 0.0
    _n_workers_seen: int = 0

    def __post_init__(self) -> None:
        self.model = self.models[self.number]
        self.sums = {task.name: [0, 0.0] for task in self.model.tasks}  # answers, their tokens
        for task in self.model.tasks:
            keys = np.stack([task.index, np.zeros_like(task.index)], axis=1)
            self.unclaimed += cut(task, keys, SHARD_TOKENS, 1)

    def record(self, finished: list[Answer], seconds: float) -> None:
        self.serving_s += seconds
        for tokens, benchmark, index in finished:
            self.answered[benchmark][self.number, index] = tokens
            self.sums[benchmark][0] += 1
            self.sums[benchmark][1] += tokens
            self.n_tokens += tokens

    def expected(self, shard: Shard) -> NDArray[np.float64]:
        return self._expected[shard.task.name][shard.keys[:, 0]]

    def claim(self, now: float) -> tuple[list[Answer], int]:
        """The answers of the next shard, longest expected first, and how many to work on at once (`jobs.outlook`)."""
        if now - self._looked_at >= LOOK_AGAIN_S:
            self._look(now)
        shard = self.unclaimed.pop()
        name, indices, expected = shard.task.name, shard.keys[:, 0], self.expected(shard)
        limit = CAPACITY
        if self.lengths != "believed":
            limit = batch_limit(
                CAPACITY, self._n_missing, self._missing_tokens, self._n_workers_seen, float(expected.max())
            )
        longest_first = indices[np.argsort(-expected, kind="stable")].tolist()
        return [(float(self.model.tokens[name][index]), name, index) for index in longest_first], limit

    def _look(self, now: float) -> None:
        self._looked_at, self._n_workers_seen = now, self.n_workers
        self._expected = {task.name: self._lengths_of(task) for task in self.model.tasks}
        missing = [lengths[np.isnan(self.answered[name][self.number])] for name, lengths in self._expected.items()]
        self._n_missing, self._missing_tokens = sum(map(len, missing)), float(sum(part.sum() for part in missing))
        self.unclaimed.sort(key=lambda shard: shard_order(shard, self.expected(shard)), reverse=True)

    def _lengths_of(self, task: BenchmarkTask) -> NDArray[np.float64]:
        if self.lengths == "known":
            return self.model.tokens[task.name]
        if self.lengths == "expected":
            return expected_tokens(self.answered[task.name], self.number, task.expected_tokens)
        return np.full(len(task.index), task.expected_tokens)

    def _mean(self, task: BenchmarkTask) -> float:
        n, tokens = self.sums[task.name]
        return tokens / n if n else task.expected_tokens

    def remaining_s(self) -> float:
        """Seconds one worker would need for what nobody has claimed, as far as anybody knows."""
        means = {task.name: self._mean(task) for task in self.model.tasks}
        tokens = sum(len(shard.keys) * means[shard.task.name] for shard in self.unclaimed)
        return tokens / (self.n_tokens / self.serving_s if self.n_tokens else self.model.tokens_per_s)


class Worker:
    """A GPU with a model: loads it, serves shard after shard, and says when it has to be looked at again."""

    def __init__(self, store: Store, now: float) -> None:
        self.store, self.since = store, now + store.model.load_s
        self.engine = Engine(store.model, self.since)
        self._waiting: deque[Answer] = deque()
        self._limit = CAPACITY
        store.n_workers += 1
        self._claim(now)  # before loading, so that everybody sees where it works

    def _claim(self, now: float) -> None:
        answers, self._limit = self.store.claim(now)
        self._waiting.extend(answers)

    def _has_room(self) -> bool:
        n_ready = N_READY if self._limit == CAPACITY else 0
        return self.engine.n_in_flight < self._limit + n_ready

    def go_on(self) -> bool:
        """Commit what has finished, fill the engine, run until there may be room again; False when all is done."""
        engine, store = self.engine, self.store
        while self._has_room() and (self._waiting or store.unclaimed):
            if self._waiting:
                engine.submit(self._waiting.popleft())
            else:
                self._claim(engine.now)
        if engine.now - self.since >= COMMIT_S or not engine.n_in_flight:
            store.record(engine.finished, engine.now - self.since)
            engine.finished, self.since = [], engine.now
        if not engine.n_in_flight:
            store.n_workers -= 1
            return False
        engine.run(engine.n_in_flight - 1)
        return True


def simulate(models: list[Model], n_gpus: int, n_slots: int, lengths: Lengths) -> list[float]:
    """When each GPU was left idle for good, in seconds."""
    answered = {name: np.full((len(models), n_queries), np.nan) for name, (n_queries, _) in BENCHMARKS.items()}
    stores = {model.name: Store(models, number, answered, lengths) for number, model in enumerate(models)}
    array = deque(plan_workers({name: store.remaining_s() for name, store in stores.items()}, n_slots, LOAD_S))
    events: list[tuple[float, int, Worker]] = []  # a GPU's worker has to be looked at

    def start(gpu: int, now: float, home: str | None) -> bool:
        n_workers = {name: store.n_workers for name, store in stores.items()}
        remaining_s = {name: store.remaining_s() for name, store in stores.items()}
        chosen = next_model({home: remaining_s[home]}, n_workers, LOAD_S) if home else None
        chosen = chosen or next_model(remaining_s, n_workers, LOAD_S)
        if chosen:
            worker = Worker(stores[chosen], now)
            heapq.heappush(events, (worker.since, gpu, worker))
        return chosen is not None

    def next_task(gpu: int, now: float) -> None:
        while array and not start(gpu, now, array.popleft()):
            pass

    idle_at = [0.0] * n_gpus
    for gpu in range(n_gpus):
        next_task(gpu, 0.0)
    while events:
        now, gpu, worker = heapq.heappop(events)
        if worker.go_on():
            heapq.heappush(events, (worker.engine.now, gpu, worker))
            continue
        idle_at[gpu] = now
        if not start(gpu, now, None):
            next_task(gpu, now)
    assert not any(np.isnan(tokens).any() for tokens in answered.values())
    return idle_at


def simulate_static(models: list[Model], n_gpus: int, n_tasks: int) -> float:
    """Makespan in seconds if each model has so many tasks, each with an equal number of queries and a loading."""
    free = [0.0] * n_gpus
    for model in models:
        for number in range(n_tasks):
            engine = Engine(model, heapq.heappop(free) + model.load_s)
            for tokens in model.all_tokens[number::n_tasks].tolist():
                engine.submit((tokens, "", 0))
            engine.run(0)
            heapq.heappush(free, engine.now)
    return max(free)


def lower_bounds(models: list[Model], n_gpus: int) -> tuple[float, float]:
    """Seconds no schedule can be below: a loose bound, and the tight one it is the start of.

    Loose: all work at the speed of full batches and the fewest loadings (each model once; each GPU once, or it idles
    for longer), spread without a gap; and no answer can be quicker than alone on a loaded engine.

    Tight: to end by T, an answer of L tokens may take (T - load_s) / L seconds per token on average. With n at once a
    step of s = base + n * per_answer seconds costs each of them c(s) = s / n = s * per_answer / (s - base) seconds of
    its GPU; c is convex and falls with s, so by Jensen's inequality it costs at least L * c(s) at the longest mean
    step it may have, that of a full batch at most. These costs and the loadings must fit into n_gpus * T.
    """
    loads = [model.load_s for model in models]
    load_s = sum(loads) + max(0, n_gpus - len(models)) * min(loads)
    tokens = [model.all_tokens for model in models]

    def gpu_s(makespan: float) -> float:
        total = load_s
        for model, n in zip(models, tokens, strict=True):
            step_s = np.minimum(model.step_s(CAPACITY), (makespan - model.load_s) / n)
            total += float((n * step_s * model.per_answer_s / (step_s - model.base_s)).sum())
        return total

    alone = max(model.load_s + float(n.max()) * model.step_s(1) for model, n in zip(models, tokens, strict=True))
    loose = max(gpu_s(math.inf) / n_gpus, alone)
    low, high = loose, 2 * loose
    while gpu_s(high) > n_gpus * high:
        high *= 2
    while high - low > 1e-4 * low:
        middle = (low + high) / 2
        low, high = (low, middle) if gpu_s(middle) <= n_gpus * middle else (middle, high)
    return loose, low


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=7)
    parser.add_argument("--gpus", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--spread", type=float, default=SPREAD)
    options = parser.parse_args()
    pools = [draw_models(seed, options.spread) for seed in range(options.seeds)]
    names = ("ours", "loose", "ends", "plain", "known", "static", "best")
    print(f"{'GPUs':>4} {'tight bound [s]':>23}", *(f"{name:>20}" for name in names))
    for n_gpus in options.gpus:
        ratios: dict[str, list[float]] = {name: [] for name in names}
        bounds = [lower_bounds(pool, n_gpus) for pool in pools]
        for pool, (loose, tight) in zip(pools, bounds, strict=True):
            idle_at = simulate(pool, n_gpus, options.slots, "expected")
            plain = simulate(pool, n_gpus, options.slots, "believed")
            known = simulate(pool, n_gpus, options.slots, "known")
            per_model = math.ceil(n_gpus / len(pool))
            static = {n: simulate_static(pool, n_gpus, n) for n in {1, 2, 4, 8, per_model}}
            seconds = {
                "ours": max(idle_at), "loose": max(idle_at) * tight / loose, "ends": statistics.mean(idle_at),
                "plain": max(plain), "known": max(known), "static": static[per_model], "best": min(static.values()),
            }  # fmt: skip
            for name in names:
                ratios[name].append(seconds[name] / tight)
        print(
            f"{n_gpus:>4}", f"{_spread([tight for _, tight in bounds], ',.0f'):>23}",
            *(f"{_spread(ratios[name], '.3f'):>20}" for name in names), flush=True,
        )  # fmt: skip


def _spread(values: list[float], form: str) -> str:
    return " / ".join(format(f(values), form) for f in (min, statistics.median, max))


if __name__ == "__main__":
    main()

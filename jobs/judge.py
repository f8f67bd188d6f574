"""Let other models judge responses: one process asks them for all benchmarks, so limits and budget hold for all.

As in collecting, questions stream: while one judge thinks, others are asked, and the next response is taken up as soon
as there is room. Every reply is in the store's cache of paid answers before it is read, so whatever ends this process,
the next one pays for nothing twice. The benchmarks' own code runs in a few threads, since some of it runs programs.
"""

import logging
import math
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from inference.api_engine import ApiEngine
from inference.api_session import ApiSession
from inference.engine import EngineError, Request
from inference.spec import JudgeSpec
from jobs.attempt import current_attempt
from jobs.benchmark_encoder import with_encoder
from jobs.judged_scores import Pair, Work, open_responses, problems_of
from jobs.judging import Conversation
from jobs.score import ScoreTask
from jobs.stop import StopFlag, stopped
from scoring.benchmark import BenchmarkError, find
from scoring.judged import JudgedBenchmark
from store.errors import RouteyardError, StoreError
from store.layout import Layout

log = logging.getLogger("routeyard.judge")

_REPORT_S = 30.0
_MOMENT_S = 0.02  # enough for most benchmarks' code; what takes longer does not keep the others waiting


@dataclass(slots=True)
class JudgeSummary:
    """What came of it.

    Attributes:
        n_judged: responses that got a score.
        cost_usd: of the replies behind these scores, whenever they were paid; NaN if one is unknown.
        spent_usd: paid in this run.
        problems: benchmark -> why some of its responses, or all, have no score.
    """

    n_judged: int = 0
    cost_usd: float = 0.0
    spent_usd: float = 0.0
    problems: dict[str, str] = field(default_factory=dict)


def judge(tasks: Sequence[ScoreTask], *, max_cost_usd: float | None = None) -> JudgeSummary:
    """Score every response that lacks it. A judge or a benchmark that fails leaves the others alone.

    Args:
        tasks: of judged benchmarks, all in one store.
        max_cost_usd: what this run may spend at most.

    Raises:
        Stopped: somebody cancelled. Scores so far are stored, and replies that were paid for.
        StoreError: the cache of paid answers cannot be used.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    attempt, stop = current_attempt(), StopFlag()
    with (
        stop.installed(),
        ApiSession(Layout(tasks[0].root).api_cache, max_cost_usd=max_cost_usd) as session,
        ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool,
    ):
        judges = _Judges(session, pool, stop)
        try:
            for task in tasks:
                judges.add(task)
            judges.run()
        finally:
            judges.close()
        summary = judges.summary(max_cost_usd)
        if stop:
            stopped(stop, attempt, f"judge: {summary.n_judged} verdicts are stored")
    return summary


class _Judges:
    """The judges of a run, what they are asked, and the responses that wait for them."""

    def __init__(self, session: ApiSession, pool: ThreadPoolExecutor, stop: StopFlag) -> None:
        self._session, self._pool, self._stop = session, pool, stop
        self._engines: dict[str, ApiEngine] = {}  # by the judge's name
        self._tasks: dict[str, ScoreTask] = {}  # by benchmark
        self._pairs: list[Pair] = []
        self._feeds: dict[str, Iterator[Work]] = {}  # by benchmark: responses to come
        self._n_open: Counter[str] = Counter()  # by benchmark: responses begun and not ended
        self._moves: dict[Future[list[Conversation]], Work] = {}  # responses whose benchmark's code runs
        self._asked: dict[int, tuple[Work, Conversation]] = {}  # by the number of the request
        self._n_asked = 0
        self._problems: dict[str, str] = {}

    @property
    def _is_stopping(self) -> bool:
        return bool(self._stop) or self._session.is_exhausted

    def add(self, task: ScoreTask) -> None:
        """Take a benchmark on. One that cannot be judged is a problem, no error."""
        self._tasks[task.benchmark] = task
        try:
            benchmark = with_encoder(find(task.benchmark, **task.params))
            assert isinstance(benchmark, JudgedBenchmark)
            if (n_judges := len(task.judges)) != benchmark.n_judges:
                raise BenchmarkError(
                    f"benchmark.{task.benchmark}.judges names {n_judges} judges; it needs {benchmark.n_judges}"
                )
            for judge in task.judges:
                if judge.name not in self._engines:
                    self._engines[judge.name] = _open(judge, self._session)
            pairs = [Pair(task, model, benchmark) for model in task.models]
        except RouteyardError as error:
            self._lose(task.benchmark, str(error))
            return
        self._pairs += pairs
        self._feeds[task.benchmark] = open_responses(task, benchmark, pairs)

    def run(self) -> None:
        """Ask and listen until every response has come to its end, or nothing more may be asked."""
        said_at = time.monotonic()
        while True:
            if self._stop:
                self._session.halt()
            if self._is_stopping:
                for future, work in self._moves.items():
                    if not work.judgement.judged.replies:  # nothing was paid for it yet
                        future.cancel()
            else:
                self._admit()
            if not self._moves and not self._n_in_flight():
                break
            self._take_moves()
            for name in list(self._engines):
                self._listen(name)
            if time.monotonic() - said_at > _REPORT_S:
                self._report()
                said_at = time.monotonic()
        self._report()

    def close(self) -> None:
        """Write the scores of pairs that are not complete: what benchmarks computed may have taken long."""
        for engine in self._engines.values():
            engine.close()
        for pair in self._pairs:
            pair.write()

    def summary(self, max_cost_usd: float | None) -> JudgeSummary:
        """What came of it."""
        rows = [pair.rows[key] for pair in self._pairs for key in pair.new]
        otherwise = "they were replaced meanwhile"
        if self._session.is_exhausted:
            otherwise = f"max_cost={max_cost_usd} USD is spent; a larger one goes on from there"
        problems = {}
        for name in self._tasks:
            pairs = [pair for pair in self._pairs if pair.task.benchmark == name]
            if found := problems_of(pairs, self._problems.get(name, ""), otherwise):
                problems[name] = found
        return JudgeSummary(
            n_judged=sum(not math.isnan(row.score.value) for row in rows),
            cost_usd=math.fsum(row.cost_usd for row in rows),
            spent_usd=self._session.spent_usd,
            problems=problems,
        )

    def _lose(self, benchmark: str, cause: str) -> None:
        """Go on without a benchmark."""
        log.error("%s: %s", benchmark, cause)
        self._problems.setdefault(benchmark, cause)
        self._feeds.pop(benchmark, None)

    def _n_in_flight(self) -> int:
        return sum(engine.n_in_flight for engine in self._engines.values())

    def _admit(self) -> None:
        """Begin responses: twice as many as a judge answers at a time, so that it never waits for us."""
        for benchmark, feed in list(self._feeds.items()):
            n_most = 2 * max(self._engines[judge.name].capacity for judge in self._tasks[benchmark].judges)
            while self._n_open[benchmark] < n_most:
                try:
                    work = next(feed, None)
                except StoreError as error:
                    self._lose(benchmark, str(error))
                    break
                if work is None:
                    del self._feeds[benchmark]
                    break
                self._n_open[benchmark] += 1
                self._move(work)

    def _move(self, work: Work) -> None:
        """Let the benchmark's code go on with the verdicts it waited for."""
        self._moves[self._pool.submit(work.judgement.go_on)] = work

    def _take_moves(self) -> None:
        """Ask what benchmarks want to know, take the scores they give."""
        wait(self._moves, timeout=_MOMENT_S)
        for future in [future for future in self._moves if future.done()]:
            work = self._moves.pop(future)
            if future.cancelled():
                continue
            for conversation in (conversations := future.result()):
                self._ask(work, conversation)
            if not conversations:
                self._n_open[work.pair.task.benchmark] -= 1
                work.pair.put(work.key, work.judgement.judged)

    def _ask(self, work: Work, conversation: Conversation) -> None:
        """Ask a judge, unless it is gone or everything comes to its end: then the response stays without a score."""
        task, at = work.pair.task, conversation.question.judge
        judge = task.judges[at]
        engine = self._engines.get(judge.name)
        if engine is None or self._is_stopping:
            return
        self._n_asked += 1
        self._asked[self._n_asked] = work, conversation
        n_before = task.judges[:at].count(judge)  # one judge in several places: it gives several replies
        max_tokens = judge.model.max_tokens or judge.sampling.max_tokens
        engine.submit(Request(task.benchmark, self._n_asked, n_before, conversation.messages, max_tokens))

    def _listen(self, name: str) -> None:
        """Take the replies of a judge; without one that its provider refuses the others go on."""
        try:
            finished = self._engines[name].step()
        except EngineError as error:
            self._engines.pop(name).close()
            for benchmark, task in self._tasks.items():
                if any(judge.name == name for judge in task.judges):
                    self._lose(benchmark, f"judge {name}: {error}")
            return
        for one in finished:
            work, conversation = self._asked.pop(one.request.index)
            work.judgement.take(conversation, one.response)
            if not conversation.is_over:
                self._ask(work, conversation)
            elif work.judgement.is_ready:
                self._move(work)

    def _report(self) -> None:
        n_done = sum(len(pair.new) for pair in self._pairs)
        n_all = n_done + sum(len(pair.missing) for pair in self._pairs)
        log.info(
            "%d of %d responses judged, %d questions under way, %.4f USD spent",
            n_done, n_all, self._n_in_flight(), self._session.spent_usd,
        )  # fmt: skip


def _open(judge: JudgeSpec, session: ApiSession) -> ApiEngine:
    if judge.model.price_prompt_usd is None or judge.model.price_completion_usd is None:
        raise EngineError(
            f"judge {judge.name}: nobody knows what it costs; give price_prompt_usd and price_completion_usd of its "
            "model, 0 where it is free"
        )
    try:
        return ApiEngine(judge.model, judge.provider, judge.sampling, session)
    except EngineError as error:
        raise EngineError(f"judge {judge.name}: {error}") from None

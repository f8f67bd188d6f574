"""A small evaluation whose figures can be worked out by hand, with names and prompts that HTML must survive."""

import numpy as np

from scoring.reduction import Evaluation, RouterRun

HOSTILE = '</script><img src="x" onerror="alert(1)"> & "quoted" <b>bold</b>'
MODELS = ("organisation/small", "large", f"odd {HOSTILE}")
BENCHMARKS = ("aime", "<i>bbh</i>")
SEEDS = (42, 999)
N_QUERIES = 400


def evaluation() -> Evaluation:
    """Model m is right on every (m + 2)-th query; the first is half right on query 1; the second's
    score on query 7 and its cost on query 8 are unknown.

    Even queries are of the first benchmark. Seed 42 tests queries 0 to 199, seed 999 queries 100 to 299. Router
    `turns` takes model (query mod 3), `first` always the first, `cascade` answers as `first` does and calls the
    second model twice before; `collected` is a router of its own.
    """
    query = np.arange(N_QUERIES)
    score = np.stack([query % 2 == 0, query % 3 == 0, query % 4 == 0], axis=1).astype(float)
    score[1, 0], score[7, 1] = 0.5, np.nan
    cost = np.outer(query + 1, [1e-6, 1e-5, 1e-4])
    cost[8, 1] = np.nan
    test = (np.arange(200), np.arange(100, 300))

    def router(name, choice, trade_off=(np.nan,), headline=0, calls=None):
        return RouterRun(
            name=name, is_reference=False, trade_off=np.array(trade_off), headline=headline, choice=choice,
            fit_s=(1.0, 1.0), route_s=(0.1, 0.1), calls=(calls, calls),
        )  # fmt: skip

    constant = tuple(np.zeros((1, len(rows)), int) for rows in test)
    calls = np.tile(np.eye(3), (1, 1, 1))
    calls[0, 0, 1] = 2.0
    return Evaluation(
        setting=f"setting {HOSTILE}",
        models=MODELS,
        benchmarks=BENCHMARKS,
        seeds=SEEDS,
        benchmark=query % 2,
        index=query,
        score=score,
        cost=cost,
        test=test,
        routers=(
            router(
                "turns",
                tuple(np.stack([rows * 0, rows % 3, rows * 0 + 2]) for rows in test),
                (0.0, 0.5, 1.0),
                headline=1,
            ),
            router("first", constant),
            router("cascade", constant, calls=calls),
        ),
        provenance={"version": "0.1.0"},
        collected=("collected",),
        collected_score=np.full((N_QUERIES, 1), 0.25),
        collected_cost=np.full((N_QUERIES, 1), 0.02),
    )


def prompts() -> list[str]:
    """Query 5 is hostile, query 6 has blanks and line breaks, the others count."""
    texts = [f"What is {number} + {number}?" for number in range(N_QUERIES)]
    texts[5], texts[6] = HOSTILE, "two\n  lines\tof text \ud800"
    return texts

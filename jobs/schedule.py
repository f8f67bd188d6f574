"""Who works on which model, and what it takes up first: pure functions of what every worker sees in the store.

Nobody coordinates. Each worker applies the same rules to the same facts: how much of each model nobody has claimed yet,
and how many workers each model has. `tests/speed/scheduling.py` measures how close that comes to the ideal.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # jobs.plan orders its shards by this file
    from jobs.plan import Shard

_MARGIN = 1.5  # what is expected to be the longest answer hardly is
_THINNEST = 8  # part of a full batch: below that, steps get hardly any quicker


def plan_workers(expected_s: Mapping[str, float], n_slots: int, load_s: float) -> list[str]:
    """The models of an array's tasks, in array order: the first worker of every model, the second ones, and so on.

    A slot goes to the model whose workers would each have the most to do. A model gets a further worker only as long as
    the share of each is longer than its loading. Each round starts with the longest model, so that the few workers a
    busy cluster starts first all load something else.

    Args:
        expected_s: model -> seconds one worker would need for what is missing, loading excluded.
        n_slots: workers at the same time; every model with something missing gets one even if they are more.
        load_s: seconds until a worker's model serves.
    """
    n_workers = {model: 1 for model in sorted(expected_s) if expected_s[model] > 0}
    for _ in range(n_slots - len(n_workers)):
        able = [model for model, n in n_workers.items() if expected_s[model] / (n + 1) > load_s]
        if not able:
            break
        n_workers[max(able, key=lambda model: expected_s[model] / n_workers[model])] += 1
    longest_first = sorted(n_workers, key=lambda model: (-expected_s[model], model))
    rounds = range(max(n_workers.values(), default=0))
    return [model for number in rounds for model in longest_first if n_workers[model] > number]


def next_model(remaining_s: Mapping[str, float], n_workers: Mapping[str, int], load_s: float) -> str | None:
    """The model a free worker should load: the one whose workers each have the most left to claim; None to end.

    A model without a worker comes before all others. For one with `n` workers, help pays if they would not have claimed
    everything by the time the helper is ready.

    Args:
        remaining_s: model -> seconds one worker would need for what nobody has claimed yet.
        n_workers: model -> workers that load or serve it; a model that is not named has none.
        load_s: seconds until a worker's model serves.
    """

    def per_worker(model: str) -> float:
        n = n_workers.get(model, 0)
        return remaining_s[model] / n if n else float("inf")

    worth_it = [model for model, seconds in remaining_s.items() if seconds > 0 and per_worker(model) > load_s]
    return min(worth_it, key=lambda model: (-per_worker(model), -remaining_s[model], model), default=None)


def shard_order(shard: "Shard", expected_tokens: NDArray[np.float64] | None = None) -> tuple[float, float, str, str]:
    """Sort key: the longest answers first, since one that starts late is what all wait for; then the most work.

    Args:
        expected_tokens: of each missing answer of the shard (`jobs.lengths`), [n_missing]; None: as its benchmark's.
    """
    if expected_tokens is None:
        longest, total = shard.task.expected_tokens, shard.expected_tokens
    else:
        longest, total = float(expected_tokens.max()), float(expected_tokens.sum())
    return -longest, -total, shard.task.name, shard.name


def batch_limit(capacity: int, n_missing: int, missing_tokens: float, n_workers: int, longest: float) -> int:
    """Answers a worker should work on at once: fewer than it could if the longest would else outlast its model.

    With `n` at once, a worker's share of the model takes `share / n` steps and its longest answer `longest` steps.
    Fewer at once make every step quicker: the long one ends earlier, and what is left goes to whoever is free. Where
    all of a worker's share can begin at once nothing would be left to others, and it does.

    Args:
        capacity: answers the engine can work on at once.
        n_missing: answers that the model has missing, those under way included.
        missing_tokens: that they are expected to have.
        n_workers: of the model.
        longest: expected tokens of the longest answer that is not yet under way.
    """
    n_workers = max(1, n_workers)
    n = missing_tokens / n_workers / (_MARGIN * longest)
    return capacity if n >= capacity or n_missing <= n_workers * capacity else max(1, capacity // _THINNEST, int(n))

"""How good each trade-off of a router is on training queries that were held out, so that one can be chosen honestly."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.setting import TRAINING_SEES, view
from routers.router import HeldOut, Queries, Router
from routers.validation import choose_present, held_out
from scoring.evaluation import Validation
from scoring.metrics import choice_cost, group_mean, take_choice

_SHARE = 0.2


def validate(router: Router, fitted: Router, train: Queries, seed: int) -> Validation:
    """What every trade-off earns and costs on the queries that `fitted` held out.

    A router that held out none is fitted once more, on four fifths of the training queries.

    Args:
        router: unfitted. fitted: the same, fitted on `train`.
        train: with score, cost and benchmark.
    """
    found = fitted.validation()
    if found is None:
        assert train.benchmark is not None
        is_held_out = held_out(train.benchmark, _SHARE, seed)
        rows = np.flatnonzero(is_held_out)
        judged = router.clone().fit(view(train, np.flatnonzero(~is_held_out), router.inputs | TRAINING_SEES))
        found = HeldOut(rows, judged.predict(view(train, rows, router.inputs)), judged.calls())
    return curve(train, *found)


def curve(
    train: Queries, rows: NDArray[np.int64], utility: NDArray[np.float64], calls: NDArray[np.float64] | None
) -> Validation:
    """What choosing by these utilities earns and costs; a query that leaves nothing to choose does not count.

    Args:
        rows: numbers of the training queries that are judged, [n_held_out].
        utility: [n_trade_offs, n_held_out, n_models]. calls: as `routers.router.Router.calls`.
    """
    assert train.benchmark is not None
    assert train.score is not None
    assert train.cost is not None
    counts, choice = choose_present(utility, train.score[rows])
    rows = rows[counts]
    numbers, group = np.unique(train.benchmark[rows], return_inverse=True)
    score, cost = train.score[rows], train.cost[rows]

    def avg_acc(value: NDArray[np.float64]) -> NDArray[np.float64]:
        accuracy = group_mean(value, group, len(numbers))
        return accuracy.mean(axis=1) if len(numbers) else np.full(len(value), np.nan)

    return Validation(
        avg_acc=avg_acc(take_choice(score, choice)),
        cost_usd=choice_cost(cost, choice, calls).sum(axis=1),
        model_avg_acc=avg_acc(np.ascontiguousarray(score.T)),
    )


def as_meta(folds: Sequence[Validation]) -> dict[str, list[float | None]] | None:
    """The mean over folds as JSON values, None for NaN; None without any."""
    if not folds:
        return None
    mean = _mean(folds)._asdict().items()
    return {name: [None if np.isnan(x) else x for x in value.tolist()] for name, value in mean}


def mean_over_seeds(found: Sequence[Mapping[str, Any] | None]) -> Validation | None:
    """The mean of what `as_meta` gave for each seed; None for a router without trade-offs."""
    curves = [Validation(**{name: np.array(value, np.float64) for name, value in one.items()}) for one in found if one]
    return _mean(curves) if curves else None


def headline(validation: Validation | None) -> int:
    """The trade-off with the best validation AvgAcc; of equal ones the last, which favours quality."""
    if validation is None:
        return 0
    return len(validation.avg_acc) - 1 - int(validation.avg_acc[::-1].argmax())


def _mean(curves: Sequence[Validation]) -> Validation:
    return Validation(*(np.mean(parts, axis=0) for parts in zip(*curves, strict=True)))

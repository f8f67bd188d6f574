"""Ask a trained router about a prompt that nobody has answered yet.

The router is fitted on every query of its setting, since nothing is to be measured here, and kept beside the routings
until its data, its parameters or the code change.
"""

import pickle
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.embedding import encode
from inference.spec import EncoderSpec
from jobs.setting import TRAINING_SEES, all_columns, content_digest, view
from jobs.train import TrainTask, inputs_of, routing_digest
from routers.averages import overall_mean
from routers.router import Queries, Router, RouterError, find
from store.atomic import write_file
from store.layout import Layout

_PAST_QUERIES = frozenset({"score", "cost", "answer", "benchmark"})  # of a new prompt nobody knows these


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """What a router makes of a prompt.

    Attributes:
        models: names, the chosen one first.
        utility: the router's own number for each, [n_models]; -inf for one that it must not choose.
        score: their mean scores in [0, 1] over the setting's queries, [n_models].
        cost: their mean USD per query, [n_models], NaN unknown.
    """

    models: tuple[str, ...]
    utility: NDArray[np.float64]
    score: NDArray[np.float64]
    cost: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A router that was fitted on a whole setting, with the means of its models; kept as a pickle."""

    digest: str
    router: Router
    models: tuple[str, ...]
    score: NDArray[np.float64]
    cost: NDArray[np.float64]


def rank(fitted: Fitted, encoder: EncoderSpec, prompt: str, trade_off: float | None = None) -> Ranking:
    """The models in the order in which a router would choose them for a prompt.

    Args:
        trade_off: value of its tunable parameter, the nearest of its grid counts; None: the last of them.

    Raises:
        RouterError: it needs what nobody knows of a new prompt.
        EngineError: the encoder cannot be loaded.
    """
    router = fitted.router
    if unknown := router.inputs & _PAST_QUERIES:
        what = " and ".join(sorted(unknown))
        raise RouterError(f"{router.name} needs the {what} of a query, which a new prompt does not have")
    query = Queries(models=fitted.models, n_queries=1)
    if "text" in router.inputs:
        query = replace(query, text=(prompt,))
    if "embedding" in router.inputs:
        query = replace(query, embedding=encode(encoder, [prompt]))
    values = router.trade_offs()
    at = len(values) - 1 if trade_off is None else int(np.abs(values - trade_off).argmin())
    utility = router.predict(query)[at, 0]
    order = np.argsort(-utility, kind="stable")
    models = tuple(fitted.models[model] for model in order)
    return Ranking(models=models, utility=utility[order], score=fitted.score[order], cost=fitted.cost[order])


def fitted_router(task: TrainTask) -> Fitted:
    """The router of a task, fitted on every query of its setting with the first seed; from its file where that is of
    the same data, parameters and code.

    A pickle can hold any program: only files that this user or somebody trusted made belong into a store.

    Raises:
        RouterError: the router is unknown or cannot use the data.
        StoreError: scores or embeddings are not in the store.
    """
    setting = task.setting
    matrix = setting.matrix()
    path = Layout(setting.root).fitted_router(setting.name, task.name)
    digest = routing_digest(task, task.seeds[0], content_digest(setting, matrix, inputs_of(task)))
    if path.exists():
        kept: Fitted = pickle.loads(path.read_bytes())
        if kept.digest == digest:
            return kept
    router = find(task.router)(**{**task.params, "seed": task.seeds[0]})
    sees = router.inputs | TRAINING_SEES
    router.fit(view(all_columns(setting, matrix, router.inputs), np.arange(len(matrix.index)), sees))
    fitted = Fitted(
        digest=digest, router=router, models=matrix.models,
        score=overall_mean(matrix.score), cost=overall_mean(matrix.cost),
    )  # fmt: skip
    write_file(path, pickle.dumps(fitted))
    return fitted

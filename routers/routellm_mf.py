"""RouteLLM's matrix factorisation, learned from which of two models answers a query better (arXiv 2406.18665).

Every model has a vector; how it compares is the product of that vector with a projection of the query embedding. In its
original form it decides between a strong and a weak model ("binary"). The same loss over all pairs of a pool gives
a router over the pool ("pool"), as in the LLMRouter library's mfrouter.
"""

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks, training
from routers.averages import as_utility, group_mean, macro_mean
from routers.router import Queries, RouterError
from routers.training import Loss, Network, Parameters, Tensor, TrainedRouter

ROUTES = ("pool", "binary")
PAIRS = ("all", "best")
THRESHOLDS = ("quantile", "even")


class RouteLLMMF(TrainedRouter):
    """delta(m, q) = w . (v_m / |v_m| * W e(q)), so that the sigmoid of a difference is the chance to win.

    Loss: -log sigmoid(delta(winner) - delta(loser)), averaged over the pairs of models of which one has the higher
    score on a query. Equal scores teach nothing, nor do missing ones; a model that is in no pair is not chosen. Over
    the pool, the highest delta is chosen. The binary form trains on the pairs of its two models alone and chooses the
    strong one where its chance to win reaches a threshold.

    Trade-offs of the binary form: from 0, always the strong model, to 1, practically always the weak one. By
    "quantile" the share of queries that are to go to the weak one; their threshold is that quantile of the
    chances on the held-out training queries (on all training queries if there are none). Chances to win tend to differ
    in the third decimal only, where thresholds of 0.1, 0.2, … would all do the same. By "even" the threshold itself.

    Args:
        dim: length of the vectors; 128 in the papers.
        noise: standard deviation of what is added to each dimension of the embedding in training, where its root mean
            square length is 1; the original has 0.1, LLMRouterBench and LLMRouter none.
        pairs: "all" pairs of models with different scores, or those of the "best" model with the others (LLMRouter).
        route: "pool" or "binary".
        strong, weak: names of the two models of the binary form; by default the one with the highest AvgAcc in
            training, and of the others the one with the lowest mean cost per query, benchmarks weighing equally.
        thresholds: "quantile" or "even".
        n_trade_offs: how many, evenly from 0 to 1.
        batch_size: queries per step, with all their pairs.
        select, epochs, patience, learning_rate, weight_decay: see `training.TrainedRouter`; the optimiser is Adam.
        seed: of the held-out part, the initial parameters and the order of training.
    """

    name: ClassVar[str] = "routellm_mf"

    def __init__(
        self,
        *,
        dim: int = 128,
        noise: float = 0.0,
        pairs: str = "all",
        route: str = "pool",
        strong: str | None = None,
        weak: str | None = None,
        thresholds: str = "quantile",
        n_trade_offs: int = 101,
        select: str = "val",
        epochs: int = 100,
        patience: int = 10,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-5,
        seed: int = 42,
    ) -> None:
        self.dim = dim
        self.noise = noise
        self.pairs = pairs
        self.route = route
        self.strong = strong
        self.weak = weak
        self.thresholds = thresholds
        self.n_trade_offs = n_trade_offs
        self.select = select
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.seed = seed

    def trade_offs(self) -> NDArray[np.float64]:
        """None over the pool; the binary form's positions from the strong to the weak model, see above."""
        if self.route == "pool":
            return super().trade_offs()
        checks.at_least(self, "n_trade_offs", 2)
        return np.arange(self.n_trade_offs) / (self.n_trade_offs - 1)

    def fit(self, train: Queries) -> Self:
        """Train on the pairs of every query.

        Raises:
            RouterError: unusable parameters or data; in the binary form, no two models to choose between.
        """
        for parameter in ("dim", "batch_size"):
            checks.at_least(self, parameter, 1)
        checks.at_least(self, "noise", 0)
        checks.one_of(self, "pairs", PAIRS)
        checks.one_of(self, "route", ROUTES)
        checks.one_of(self, "thresholds", THRESHOLDS)
        if self.route == "binary":
            self.ends_ = self._strong_and_weak(train)
            is_other = ~np.isin(np.arange(len(train.models)), self.ends_)
            train = replace(train, score=np.where(is_other, np.nan, checks.column(self, train, "score")))
        data = training.material(self, train)
        winner, held_out_winner = (winners(part.score, self.pairs) for part in (data.fit, data.held_out))
        known = in_a_pair(winner, data.fit.score)
        scores = [training.tensor(value) for value in (winner, data.fit.score)]
        held_out_scores = [training.tensor(value) for value in (held_out_winner, data.held_out.score)]
        embedding = training.tensor(data.fit.embedding)
        rng = np.random.default_rng([self.seed, 0])
        n_models, width = len(train.models), embedding.shape[1]
        start = {
            "model": rng.normal(size=(n_models, self.dim)),
            "projection": training.linear(rng, width, self.dim)[0],
            "classifier": training.linear(rng, self.dim, 1)[0],
        }
        noise = training.generator(self.seed)
        no_bias = training.tensor(np.zeros(n_models))

        def weight(now: Parameters) -> Tensor:  # [n_models, width]: the three factors are one matrix
            model = now["model"] / now["model"].norm(dim=1, keepdim=True)
            return (model * now["classifier"]) @ now["projection"]

        def loss(now: Parameters, rows: Tensor) -> Loss:
            query = embedding[rows]
            if self.noise:
                query = query + self.noise * query.new_empty(query.shape).normal_(generator=noise)
            return pair_loss(query @ weight(now).T, *(value[rows] for value in scores))

        self.models_ = train.models
        self.networks_ = training.descend(
            self, data, start, loss, lambda now: [(weight(now), no_bias)],
            lambda delta: pair_loss(delta, *held_out_scores),
            batch_size=self.batch_size, known=known if known.size else None,
        )  # fmt: skip
        if self.route == "binary":
            part = data.held_out if len(data.held_out.score) else data.fit
            calibration = part.embedding.astype(np.float64) * data.length
            self.threshold_ = [self._thresholds(self._chance(network, calibration)) for network in self.networks_]
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Delta, or in the binary form how far the strong model's chance is above the threshold, 0 for the weak one.

        Returns:
            float64 [n_trade_offs, n_queries, n_models]; -inf for a model that is in no pair, or not one of the two.
        """
        if self.route == "pool":
            return super().predict(queries)
        embedding, epoch = self.asked(queries)
        margin = self._chance(self.networks_[epoch], embedding) - self.threshold_[epoch][:, None]
        strong, weak = self.ends_
        utility = np.full((*margin.shape, len(self.models_)), -np.inf)
        utility[..., strong] = margin + np.where(
            margin >= 0, np.finfo(np.float32).tiny, 0.0
        )  # a tie is the strong one's
        utility[..., weak] = 0.0
        return utility

    def _chance(self, network: Network, embedding: NDArray[np.float64]) -> NDArray[np.float64]:
        """Chance of the strong model to win against the weak one, [n_queries]."""
        delta = training.forward(network, embedding)
        strong, weak = self.ends_
        tanh = np.tanh((delta[:, strong] - delta[:, weak]) / 2.0)
        return (1.0 + tanh) / 2.0  # the sigmoid, without overflow

    def _thresholds(self, chance: NDArray[np.float64]) -> NDArray[np.float64]:
        """The chance to win from which the strong model is chosen, for every trade-off."""
        position = self.trade_offs()
        if self.thresholds == "even":
            return position
        threshold = np.quantile(chance, position).astype(np.float64)
        threshold[[0, -1]] = 0.0, 2.0  # always, never
        return threshold

    def _strong_and_weak(self, train: Queries) -> tuple[int, int]:
        """Numbers of the two models of the binary form."""
        row, score = checks.scored(self, train)
        scored = tuple(train.models[number] for number in np.flatnonzero(~np.isnan(score).all(axis=0)))
        for parameter in ("strong", "weak"):
            if getattr(self, parameter) is not None:
                checks.one_of(self, parameter, scored)
        benchmarks, group = np.unique(checks.column(self, train, "benchmark")[row], return_inverse=True)
        cost = np.where(np.isnan(score), np.nan, checks.column(self, train, "cost")[row])
        average, dearness = (macro_mean(group_mean(value, group, len(benchmarks))) for value in (score, cost))
        fitness = as_utility(average)
        if self.weak is not None:
            fitness[train.models.index(self.weak)] = -np.inf
        strong = int(fitness.argmax()) if self.strong is None else train.models.index(self.strong)
        cheapness = as_utility(-dearness)
        cheapness[strong] = -np.inf
        weak = int(cheapness.argmax()) if self.weak is None else train.models.index(self.weak)
        if strong == weak or (self.weak is None and np.isneginf(cheapness[weak])):
            raise RouterError(
                f"{self.name}: no weak model beside {train.models[strong]}: no other one has a known cost; "
                f"set weak to one of {', '.join(scored)}"
            )
        return strong, weak


def winners(score: NDArray[np.float64], pairs: str) -> NDArray[np.float64]:
    """Scores of the models that may be the winner of a pair, NaN for the others, [n_queries, n_models].

    All may under "all". Under "best" only the best of the query may, of equally good ones the first.
    """
    if pairs == "all":
        return score
    best = np.where(np.isnan(score), -np.inf, score).argmax(axis=1)
    return np.where(np.arange(score.shape[1]) == best[:, None], score, np.nan)


def in_a_pair(winner: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Numbers of the models that win or lose on some query."""
    lowest, highest = np.fmin.reduce(score, axis=1, keepdims=True), np.fmax.reduce(winner, axis=1, keepdims=True)
    return np.flatnonzero(((winner > lowest) | (score < highest)).any(axis=0))


def pair_loss(delta: Tensor, winner: Tensor, score: Tensor) -> Loss:
    """-log sigmoid(delta(winner) - delta(loser)) over the pairs of all queries.

    Args:
        delta, score: [n_queries, n_models]; NaN where a score is missing.
        winner: scores of those that may win, of the same shape.
    """
    is_pair = winner[:, :, None] > score[:, None, :]  # [n_queries, winner, loser]
    return (training.softplus(delta[:, None, :] - delta[:, :, None]) * is_pair).sum(), is_pair.sum()

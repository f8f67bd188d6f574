"""GraphRouter: queries and models are the nodes of a graph, known results its edges, unknown ones are predicted (arXiv
2410.03834).

Every query has an edge to every model, so the sums over neighbours are matrix products and need no library for graphs.
No edge leads to a query: messages form the vectors of the models alone, once, in training. A new query is scored by the
product of its own features with these vectors.
"""

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks, training
from routers.averages import group_mean
from routers.router import Queries, RouterError
from routers.training import Loss, Material, Network, Parameters, Tensor, TrainedRouter, forward

COST_WEIGHT = {"pf": 0.0, "bl": 0.5, "cf": 0.8}  # performance first, balance, cost first
AGGREGATIONS = ("mean", "sum")
TASKS = ("none", "told")


class GraphRouter(TrainedRouter):
    """Predicts which models are the best of a query, by utility = (1 - w) * score - w * normalised cost.

    Trade-offs: w = 0 (performance first), 0.5 (balance), 0.8 (cost first), each trained by itself; one of them alone is
    none. Costs are normalised per benchmark, 0 for the lowest in training and 1 for the highest; an unknown one counts
    1. A pair without a score is no edge.

    Network: the features of a query are a linear layer on its embedding, those of a model are a vector; edges carry
    utility, normalised cost and score. Two rounds of messages, each followed by batch normalisation over all nodes,
    turn the features of a model into its vector; the mean product with the features of the query is the logit of being
    among its best models. Loss: cross-entropy on hidden edges, in `n_masks` random graphs per epoch, in which each edge
    is hidden with probability `mask_rate` and the others carry the messages. Best are all that reach the highest
    utility, up to rounding.

    Different from the reference: it embeds a text about each model, and a linear layer makes features of it. There is
    no such text here: the features are learned directly, and for a fixed pool can be all that the layer could make. It
    also embeds a text about each benchmark, see `task`. Test queries are no nodes in training. Routing normalises by
    the whole training graph, not by running averages over graphs with hidden edges.

    Args:
        scenario: "all", or one of "pf", "bl", "cf".
        task: "none": a query is its embedding. "told": half of its features come from the benchmark, described by the
            mean embedding of its training queries; then the router is told the benchmark, as the reference is.
        aggregation: of messages, "mean", or "sum" as in the reference. A sum over thousands of edges drowns the
            features that it is added to, though only these can tell on which queries a model is good.
        dim: half the width of the nodes, as the reference counts it.
        n_masks: random graphs per epoch; 32 in the reference.
        mask_rate: share of hidden edges.
        select, epochs, patience, learning_rate, weight_decay: see `training.TrainedRouter`; an epoch is one step of
            AdamW and is chosen by utility instead of score. The reference has 2,000 epochs (paper: 10,000) at 3e-4.
        seed: of the held-out part, the initial parameters and the hidden edges.
    """

    name: ClassVar[str] = "graphrouter"

    def __init__(
        self,
        *,
        scenario: str = "all",
        task: str = "none",
        aggregation: str = "mean",
        dim: int = 8,
        n_masks: int = 4,
        mask_rate: float = 0.5,
        select: str = "val",
        epochs: int = 200,
        patience: int = 20,
        learning_rate: float = 1e-2,
        weight_decay: float = 1e-4,
        seed: int = 42,
    ) -> None:
        self.scenario = scenario
        self.task = task
        self.aggregation = aggregation
        self.dim = dim
        self.n_masks = n_masks
        self.mask_rate = mask_rate
        self.select = select
        self.epochs = epochs
        self.patience = patience
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.seed = seed

    @property
    def inputs(self) -> frozenset[str]:
        """As every trained router; the benchmark where it is told; under "test_peak" the cost, part of the utility."""
        told = {"benchmark"} if self.task == "told" else set()
        return super().inputs | told | ({"cost"} if self.select == "test_peak" else set())

    def trade_offs(self) -> NDArray[np.float64]:
        """Weights of cost, ascending; none for a single scenario."""
        return np.array(list(COST_WEIGHT.values())) if self.scenario == "all" else super().trade_offs()

    def fit(self, train: Queries) -> Self:
        """Train each scenario on all scored pairs.

        Raises:
            RouterError: unusable parameters or data; cost has a weight and no cost is known.
        """
        checks.one_of(self, "scenario", ("all", *COST_WEIGHT))
        checks.one_of(self, "task", TASKS)
        checks.one_of(self, "aggregation", AGGREGATIONS)
        for parameter, low in (("dim", 1), ("n_masks", 1), ("mask_rate", 0)):
            checks.at_least(self, parameter, low)
        score, cost, benchmark = (checks.column(self, train, name) for name in ("score", "cost", "benchmark"))
        cost = np.where(np.isnan(score), np.nan, cost)
        if self.scenario != "pf" and np.isnan(cost).all():
            raise RouterError(
                f"{self.name}: no cost of the training queries is known; give the models prices, or set scenario to pf"
            )
        self.benchmarks_, group = np.unique(benchmark, return_inverse=True)
        self.lowest_, self.highest_ = (
            np.array([pick.reduce(cost[group == number], axis=None) for number in range(len(self.benchmarks_))])
            for pick in (np.fmin, np.fmax)
        )
        if self.task == "told":
            mean = group_mean(checks.embedding(self, train).astype(np.float64), group, len(self.benchmarks_))
            self.description_ = mean.astype(np.float32)
        data = training.material(self, self._described(train))
        self.models_ = train.models
        self.scenarios_ = [self._train(data, weight) for weight in self._cost_weights()]
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Logits of being among the best, float64 [n_trade_offs, n_queries, n_models]; -inf without a score."""
        checks.same_pool(self, queries)
        width = training.n_inputs(self.scenarios_[0])
        embedding = checks.embedding(self, self._described(queries), width).astype(np.float64)
        utility = []
        for weight, networks in zip(self._cost_weights(), self.scenarios_, strict=True):
            epoch = 0
            if self.select == "test_peak":
                score, cost, benchmark = (checks.column(self, queries, name) for name in ("score", "cost", "benchmark"))
                reward = (1.0 - weight) * score - weight * self._normalised(cost, benchmark)
                epoch = training.peak((forward(network, embedding) for network in networks), reward, benchmark)
            utility.append(forward(networks[epoch], embedding))
        return np.stack(utility)

    def _cost_weights(self) -> list[float]:
        return [weight for name, weight in COST_WEIGHT.items() if self.scenario in (name, "all")]

    def _normalised(self, cost: NDArray[np.float64], benchmark: NDArray[np.int64]) -> NDArray[np.float64]:
        """Costs, 0 for the lowest and 1 for the highest of a benchmark in training; 1 where one of them is unknown."""
        group = np.searchsorted(self.benchmarks_, benchmark).clip(max=len(self.benchmarks_) - 1)
        above, span = cost - self.lowest_[group][:, None], (self.highest_ - self.lowest_)[group][:, None]
        share = np.divide(above, span, out=np.zeros(cost.shape), where=span > 0)
        return np.where(np.isnan(above) | (self.benchmarks_[group] != benchmark)[:, None], 1.0, share)

    def _described(self, queries: Queries) -> Queries:
        """The queries with what the network sees: where the benchmark is told, its description before the embedding."""
        if self.task == "none":
            return queries
        benchmark = checks.column(self, queries, "benchmark")
        group = np.searchsorted(self.benchmarks_, benchmark).clip(max=len(self.benchmarks_) - 1)
        is_known = (self.benchmarks_[group] == benchmark)[:, None]
        description = np.where(is_known, self.description_[group], self.description_.mean(axis=0))
        return replace(queries, embedding=np.hstack([description, checks.embedding(self, queries)]))

    def _train(self, data: Material, cost_weight: float) -> list[Network]:
        """The networks of the epochs that count, for one scenario."""
        costs = [self._normalised(part.cost, part.benchmark) for part in (data.fit, data.held_out)]
        scores = [part.score for part in (data.fit, data.held_out)]
        utility, held_out_utility = (
            (1.0 - cost_weight) * score - cost_weight * cost for score, cost in zip(scores, costs, strict=True)
        )
        is_best, held_out_is_best = (training.tensor(best_of(value)) for value in (utility, held_out_utility))
        is_edge = ~is_best.isnan()
        feature = training.tensor(np.nan_to_num(np.stack([utility, costs[0], scores[0]], axis=2)))
        embedding = training.tensor(data.fit.embedding)
        depends = training.tensor(self._depends(embedding.shape[1]))
        hiding = training.generator(self.seed)

        def query_layer(now: Parameters) -> tuple[Tensor, Tensor]:
            return now["query"] * depends, now["query, bias"]

        def loss(now: Parameters, rows: Tensor) -> Loss:
            weight, bias = query_layer(now)
            query = embedding @ weight.T + bias
            is_hidden = embedding.new_empty((self.n_masks, *is_edge.shape)).uniform_(generator=hiding) < self.mask_rate
            model = model_vectors(now, query, feature, is_edge & ~is_hidden, self.aggregation)
            logit = query @ model.transpose(1, 2)
            return training.cross_entropy(logit, is_best.masked_fill(~is_hidden, float("nan")))

        def layers(now: Parameters) -> list[tuple[Tensor, Tensor]]:
            weight, bias = query_layer(now)
            model = model_vectors(now, embedding @ weight.T + bias, feature, is_edge[None], self.aggregation)[0]
            return [(model @ weight, model @ bias)]

        return training.descend(
            self, data, self._start(is_edge.shape[1], embedding.shape[1]), loss, layers,
            lambda logit: training.cross_entropy(logit, held_out_is_best), batch_size=0, optimizer="adamw",
        )  # fmt: skip

    def _start(self, n_models: int, n_in: int) -> dict[str, NDArray[np.float64]]:
        """Initial parameters."""
        width = 2 * self.dim
        rng = np.random.default_rng([self.seed, 0])
        start = {"model": rng.normal(size=(n_models, width))}
        sizes = {"query": (n_in, width), "edge": (3, 3)}
        for turn in "12":
            sizes |= {f"message {turn}": (width, width), f"edge message {turn}": (3, width)}
            start |= {f"scale {turn}": np.ones(width), f"shift {turn}": np.zeros(width)}
        for name, (size_in, size_out) in sizes.items():
            start[name], start[f"{name}, bias"] = training.linear(rng, size_in, size_out)
        return start

    def _depends(self, n_in: int) -> NDArray[np.float64]:
        """1 where a feature of a query depends on an input: half of them on the description where there is one."""
        depends = np.ones((2 * self.dim, n_in))
        if self.task == "told":
            depends[: self.dim, n_in // 2 :] = depends[self.dim :, : n_in // 2] = 0.0
        return depends


def best_of(utility: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 for the models with the highest utility of a query up to rounding, 0 for the others, NaN where it is NaN."""
    best = np.fmax.reduce(utility, axis=1, keepdims=True)
    is_best = np.abs(utility - best) <= 1e-8 + 1e-5 * np.abs(best)  # the reference's tolerances
    return np.where(np.isnan(utility), np.nan, is_best)


def model_vectors(now: Parameters, query: Tensor, feature: Tensor, visible: Tensor, aggregation: str) -> Tensor:
    """What two rounds of messages make of the models, over the width, [n_masks, n_models, width].

    Args:
        now: parameters.
        query: features of the queries, [n_queries, width].
        feature: utility, normalised cost and score of every edge, [n_queries, n_models, 3].
        visible: whether an edge carries a message, bool [n_masks, n_queries, n_models].
    """
    edge = (feature @ now["edge"].T + now["edge, bias"]).relu()
    model = now["model"]
    for turn in "12":
        message, edge_message = (
            (now[name], now[f"{name}, bias"]) for name in (f"message {turn}", f"edge message {turn}")
        )
        model = convolve(query, model, edge, visible.float(), message, edge_message, aggregation)
        query, model = normalise(query, model, now[f"scale {turn}"], now[f"shift {turn}"])
        if turn == "1":
            query, model = query.relu(), model.relu()
    return model / model.shape[-1]


def convolve(
    query: Tensor, model: Tensor, edge: Tensor, visible: Tensor,
    message: tuple[Tensor, Tensor], edge_message: tuple[Tensor, Tensor], aggregation: str,
) -> Tensor:  # fmt: skip
    """Features of the models after a round: h_m + sum or mean over visible q of (W h_q + b + V f_qm + b').

    That is the convolution of the reference where no edge leads to a query (torch-geometric's GeneralConv).

    Args:
        query, model: features h of the nodes, [n_queries or n_models, width], of every graph or of each one.
        edge: features f of the edges, [n_queries, n_models, 3].
        visible: 1 where an edge carries a message, else 0, [n_masks, n_queries, n_models].
        message: W and b.
        edge_message: V and b'.

    Returns:
        [n_masks, n_models, width]
    """
    weight, bias = message
    edge_weight, edge_bias = edge_message
    n_messages = visible.sum(dim=1).unsqueeze(-1)  # [n_masks, n_models, 1]
    from_queries = visible.transpose(1, 2) @ (query @ weight.T)
    from_edges = (visible.unsqueeze(-1) * edge).sum(dim=1) @ edge_weight.T
    total = from_queries + from_edges + n_messages * (bias + edge_bias)
    return model + (total if aggregation == "sum" else total / n_messages.clamp(min=1))


def normalise(query: Tensor, model: Tensor, scale: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Batch normalisation over all nodes of each graph."""
    n_nodes = query.shape[-2] + model.shape[-2]
    mean = (query.sum(dim=-2, keepdim=True) + model.sum(dim=-2, keepdim=True)) / n_nodes  # [n_masks, 1, width]
    query, model = query - mean, model - mean
    variance = ((query**2).sum(dim=-2, keepdim=True) + (model**2).sum(dim=-2, keepdim=True)) / n_nodes
    scale = scale / (variance + 1e-5).sqrt()
    return query * scale + shift, model * scale + shift

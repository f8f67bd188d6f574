"""Gradient descent on frozen embeddings: what the trained routers share.

The one file of this room that imports torch, and only while something trains. What is left of a training is a network
on the query embedding, for most routers a single linear layer: plain arrays, applied without torch.

Equal seeds give equal networks whatever the number of cores: everything runs on one thread. With more, the order of
sums would depend on their number, and steps as small as these gain little from a second one. Models are trained in the
order of their names, so that the order of the pool changes the order of the utilities and nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.router import Queries, Router, RouterError
from routers.validation import held_out, mean_reward

if TYPE_CHECKING:
    import torch

Tensor: TypeAlias = "torch.Tensor"
Parameters: TypeAlias = "dict[str, torch.Tensor]"
Loss: TypeAlias = "tuple[torch.Tensor, torch.Tensor]"  # sum over the known terms, and how many these are
Layer: TypeAlias = tuple[NDArray[np.floating], NDArray[np.floating]]  # weight [n_out, n_in] and bias [n_out]
Network: TypeAlias = tuple[Layer, ...]  # with ReLU between the layers

SELECTIONS = ("val", "last", "test_peak")
LABELS = ("soft", "half", "near_best")
VALIDATION_SHARE = 0.1


class TrainedRouter(Router):
    """A router that descends a gradient. Beside their own parameters all of them have these.

    Attributes:
        select: which epoch counts.
            "val": the one with the lowest loss on a tenth of the training queries, held out per benchmark. The loss
            hears what every model did, AvgAcc only of the chosen one: on a few hundred queries it is a lottery. The
            network is used as it is: trained again on all training queries, it would not know when to stop.
            "last": the last one, trained on every training query.
            "test_peak": the one with the highest AvgAcc on the test queries, as some published tables have it; for
            comparison with these only. `fit` keeps the network of every epoch and sees no test query; `predict`
            chooses among them, so the router has the scores among its inputs and counts as a reference.
        epochs: at most so many passes over the training queries.
        patience: under "val", training ends after so many epochs without a new best.
        learning_rate, weight_decay: of the optimiser.
    """

    select: str
    epochs: int
    patience: int
    learning_rate: float
    weight_decay: float
    models_: tuple[str, ...]
    networks_: list[Network]  # one, or under "test_peak" that of every epoch

    @property
    def inputs(self) -> frozenset[str]:
        """The embedding, and under "test_peak" what the epoch is chosen by."""
        return frozenset({"embedding", "score", "benchmark"} if self.select == "test_peak" else {"embedding"})

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """What the network gives, float64 [1, n_queries, n_models]; -inf for a model that was not trained."""
        embedding, epoch = self.asked(queries)
        return self.utility(epoch, embedding)[None]

    def asked(self, queries: Queries) -> tuple[NDArray[np.float64], int]:
        """Embeddings of the queries, checked, [n_queries, dim], and the number of the network that counts."""
        checks.same_pool(self, queries)
        embedding = checks.embedding(self, queries, n_inputs(self.networks_)).astype(np.float64)
        if self.select != "test_peak":
            return embedding, 0
        score, benchmark = (checks.column(self, queries, name) for name in ("score", "benchmark"))
        every = (self.utility(epoch, embedding) for epoch in range(len(self.networks_)))
        return embedding, peak(every, score, benchmark)

    def utility(self, epoch: int, embedding: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the network of that number gives, [n_queries, n_models]."""
        return forward(self.networks_[epoch], embedding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Queries to train on or to validate on; models in the order of their names.

    Attributes:
        embedding: float32 [n_rows, dim], in units of the root mean square length of the training embeddings.
        score, cost: float64 [n_rows, n_models], NaN where missing.
        benchmark: int [n_rows].
    """

    embedding: NDArray[np.float32]
    score: NDArray[np.float64]
    cost: NDArray[np.float64]
    benchmark: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A training split as it is trained on.

    Attributes:
        fit: what is trained on.
        held_out: what the epoch is chosen by; has no rows unless a router selects by "val".
        by_name: numbers of the models in the order of their names, [n_models].
        length: the unit of the embeddings.
    """

    fit: Part
    held_out: Part
    by_name: NDArray[np.int64]
    length: float


def material(router: TrainedRouter, train: Queries) -> Material:
    """Check the parameters that all trained routers have and the data, and divide the training split.

    Raises:
        RouterError: a parameter or the data cannot be used, or torch is not installed.
    """
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise RouterError(
            f"{router.name}: torch cannot be imported ({error}); pip install 'routeyard[train]'"
        ) from None
    checks.one_of(router, "select", SELECTIONS)
    for name, low in (("epochs", 1), ("patience", 1), ("learning_rate", 0), ("weight_decay", 0)):
        checks.at_least(router, name, low)
    row, score = checks.scored(router, train)
    embedding = checks.embedding(router, train)[row]
    cost, benchmark = (checks.column(router, train, name)[row] for name in ("cost", "benchmark"))
    length = float(np.sqrt((embedding.astype(np.float64) ** 2).sum(axis=1).mean())) or 1.0
    by_name = np.argsort(np.array(train.models), kind="stable")
    is_held_out = held_out(benchmark, VALIDATION_SHARE if router.select == "val" else 0.0, router.seed)

    def part(rows: NDArray[np.bool_]) -> Part:
        return Part(
            embedding=embedding[rows] / np.float32(length),
            score=score[rows][:, by_name],
            cost=cost[rows][:, by_name],
            benchmark=benchmark[rows],
        )

    return Material(fit=part(~is_held_out), held_out=part(is_held_out), by_name=by_name, length=length)


def descend(
    router: TrainedRouter,
    data: Material,
    start: Mapping[str, NDArray[np.float64]],
    loss: Callable[[Parameters, Tensor], Loss],
    layers: Callable[[Parameters], Sequence[tuple[Tensor, Tensor]]],
    validation_loss: Callable[[Tensor], Loss],
    *,
    batch_size: int,
    optimizer: str = "adam",
    schedule: str = "constant",
    known: NDArray[np.int64] | None = None,
) -> list[Network]:
    """Train, and give back the networks of the epochs that count: one, or under "test_peak" all.

    Args:
        start: initial parameters.
        loss: of the parameters on the rows of `data.fit` with these numbers.
        layers: weight and bias of every layer of the network that routes, as the parameters have it.
        validation_loss: of what that network gives for the queries of `data.held_out`, [n_held_out, n_models].
        batch_size: queries per step, shuffled anew in every epoch; 0 for all at once.
        optimizer: "adam" (weight decay is part of the gradient) or "adamw" (it is not).
        schedule: of the learning rate, "constant" or "cosine" (falls to 0 over all steps).
        known: models, by name, that the training data say something about; by default those with a score.

    Raises:
        RouterError: the training diverged.
    """
    import torch

    n_rows = len(data.fit.score)
    batch_size = batch_size or n_rows
    n_steps = router.epochs * -(-n_rows // batch_size)
    validation = data.held_out.embedding.astype(np.float64)
    rng = np.random.default_rng([router.seed, 1])
    kept: list[Network] = []
    best, age, step = np.inf, 0, 0
    with _one_thread():
        parameters = {name: tensor(value).requires_grad_() for name, value in start.items()}
        descent = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimizer](
            parameters.values(), lr=router.learning_rate, weight_decay=router.weight_decay, fused=True
        )
        for _ in range(router.epochs):
            for rows in torch.from_numpy(rng.permutation(n_rows)).split(batch_size):
                if schedule == "cosine":
                    descent.param_groups[0]["lr"] = router.learning_rate * (1 + np.cos(np.pi * step / n_steps)) / 2
                step += 1
                total, n_terms = loss(parameters, rows)
                if n_terms:
                    descent.zero_grad()
                    (total / n_terms).backward()
                    descent.step()
            if router.select == "test_peak":
                kept.append(_plain(router, layers(parameters)))
            elif len(validation):
                network = _plain(router, layers(parameters))
                total, n_terms = validation_loss(tensor(forward(network, validation)))
                now = float(total / n_terms)  # NaN, which is never the best, if there are no terms
                age += 1
                if now < best:
                    best, age, kept = now, 0, [network]
                if age == router.patience:
                    break
        kept = kept or [_plain(router, layers(parameters))]
    if known is None:
        known = np.flatnonzero(~np.isnan(data.fit.score).all(axis=0))
    networks = [_for_pool(network, data, known) for network in kept]
    if len(networks) == 1:  # once and for all, not for every query that is routed
        networks = [tuple((weight.astype(np.float64), bias.astype(np.float64)) for weight, bias in networks[0])]
    return networks


def _plain(router: TrainedRouter, layers: Sequence[tuple[Tensor, Tensor]]) -> Network:
    network = tuple((weight.detach().numpy().copy(), bias.detach().numpy().copy()) for weight, bias in layers)
    if not all(np.isfinite(value).all() for layer in network for value in layer):
        raise RouterError(f"{router.name}: training diverged; lower learning_rate, it is {router.learning_rate:g}")
    return network


def _for_pool(network: Network, data: Material, known: NDArray[np.int64]) -> Network:
    """The network for embeddings as they come and the models in the order of the pool, -inf for those not known."""
    place = np.argsort(data.by_name)
    (weight, bias), *others = network
    *hidden, (weight, bias) = [(weight / np.float32(data.length), bias), *others]
    bias = np.where(np.isin(np.arange(len(bias)), known), bias, np.float32(-np.inf))
    return (*hidden, (weight[place], bias[place]))


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def forward(network: Network, embedding: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the network gives, in double precision, [n_queries, n_models]."""
    *hidden, (weight, bias) = network
    value = embedding
    for hidden_weight, hidden_bias in hidden:
        value = np.maximum(value @ hidden_weight.T + hidden_bias, 0.0)
    return value @ weight.T + bias


def n_inputs(networks: Sequence[Network]) -> int:
    """Width of the embeddings that the networks take."""
    return networks[0][0][0].shape[1]


def peak(utilities: Iterable[NDArray[np.float64]], reward: NDArray[np.float64], benchmark: NDArray[np.int64]) -> int:
    """Number of the utilities [n_queries, n_models] by which choosing earns most; the first of equals."""
    return int(np.argmax([mean_reward(utility[None], reward, benchmark)[0] for utility in utilities]))


def linear(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Initial weight [n_out, n_in] and bias [n_out] of a layer, uniform up to 1 / sqrt(n_in) as torch has it."""
    bound = 1.0 / np.sqrt(n_in)
    return rng.uniform(-bound, bound, size=(n_out, n_in)), rng.uniform(-bound, bound, size=n_out)


def labels(rule: str, score: NDArray[np.float64]) -> Tensor:
    """What a classifier is taught of scores [n_queries, n_models], NaN where missing, of the same shape.

    Args:
        rule: "soft" is the score itself, "half" is 1 from 0.5 on, "near_best" is 1 from 95 % of the query's best score
            on unless that is 0 (RouterEval, for graded scores; scores of 0 and 1 stay as they are).
    """
    if rule == "soft":
        return tensor(score)
    if rule == "half":
        is_good = score >= 0.5
    else:
        is_good = (score > 0) & (score >= 0.95 * np.fmax.reduce(score, axis=1, keepdims=True))
    return tensor(np.where(np.isnan(score), np.nan, is_good))


def cross_entropy(logit: Tensor, target: Tensor) -> Loss:
    """Binary cross-entropy over the targets that are not NaN."""
    known = ~target.isnan()
    return ((softplus(logit) - target.nan_to_num(0.0) * logit) * known).sum(), known.sum()


def softplus(value: Tensor) -> Tensor:
    """log(1 + exp(value)): minus the log of what the sigmoid leaves to the other side."""
    import torch

    return torch.nn.functional.softplus(value)


def tensor(value: NDArray) -> Tensor:
    """The values in single precision for torch, a copy."""
    import torch

    return torch.tensor(value, dtype=torch.float32)


def generator(seed: int) -> "torch.Generator":
    """A random stream of torch of its own."""
    import torch

    return torch.Generator().manual_seed(seed)

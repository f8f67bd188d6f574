"""RouterDC: an encoder and a vector per model, drawn together by two contrastive losses (arXiv 2409.19886)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.clustering import k_means, unit_rows
from routers.router import Queries
from routers.text_router import TextRouter

if TYPE_CHECKING:
    import torch

    from routers.text_networks import Tokens


class RouterDC(TextRouter):
    """Routes to the model whose vector has the highest cosine with the encoder's state of the query.

    The vectors of a query's best models are drawn to it and those of its worst are pushed away (`sample_llm_loss`);
    queries of one cluster are drawn together (`sample_sample_loss`). Clusters are those of k-means on the states of
    the untrained encoder. Models are taken in the order of their names, ties between scores are drawn anew each time.
    A missing pair is neither good nor bad.

    Args:
        top_k, last_k: models that are drawn and pushed.
        temperature: of the cosines in the first loss.
        n_negatives: queries of other clusters in the second loss, as far as the micro batch has them.
        cluster_weight: of the second loss.
        n_clusters: of the training queries.
        per_benchmark: every benchmark is brought to so many training queries, by repetition or by a sample; 0: as it
            is.
        cost_weight: score points that a USD is worth: 0 as in the paper.
        broadcast_mask: the weight of a model without a point is averaged over the batch instead of taking it out; with
            it the loss is that of the reference's code, else of the paper.
        training: see `text_router.Training`. A micro batch is what the second loss compares.
        seed: of the held-out queries, the vectors, the clusters, the order of the queries, ties and dropout.
    """

    name: ClassVar[str] = "router_dc"
    defaults: ClassVar[Mapping[str, Any]] = {
        "encoder": "Alibaba-NLP/gte-Qwen2-7B-instruct", "pooling": "last", "max_tokens": 512, "cut": "left",
        "batch_size": 64, "micro_batch": 8, "steps": 1000, "learning_rate": 5e-5, "weight_decay": 0.01,
    }  # fmt: skip

    def __init__(
        self,
        *,
        top_k: int = 3,
        last_k: int = 3,
        temperature: float = 1.0,
        n_negatives: int = 3,
        cluster_weight: float = 1.0,
        n_clusters: int = 8,
        per_benchmark: int = 1000,
        cost_weight: float = 0.0,
        broadcast_mask: bool = False,
        training: Mapping[str, Any] | None = None,
        seed: int = 42,
    ) -> None:
        self.top_k = top_k
        self.last_k = last_k
        self.temperature = temperature
        self.n_negatives = n_negatives
        self.cluster_weight = cluster_weight
        self.n_clusters = n_clusters
        self.per_benchmark = per_benchmark
        self.cost_weight = cost_weight
        self.broadcast_mask = broadcast_mask
        self.training = training
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Train on nine tenths of the queries; the first loss on the rest says which step was the best.

        Raises:
            RouterError: unusable data.
        """
        for name, low in (("top_k", 1), ("last_k", 1), ("n_negatives", 1), ("n_clusters", 1), ("per_benchmark", 0),
                          ("temperature", 1e-6), ("cluster_weight", 0), ("cost_weight", 0)):  # fmt: skip
            checks.at_least(self, name, low)
        self.check_packages()
        row, score = checks.scored(self, train)
        self.models_ = train.models
        self.by_name_ = np.argsort(np.array(train.models), kind="stable")
        self.is_known_ = ~np.isnan(score).all(axis=0)
        cost, benchmark = (checks.column(self, train, name)[row] for name in ("cost", "benchmark"))
        worth = score - self.cost_weight * np.nan_to_num(cost) if self.cost_weight else score
        self._train(self.texts(train, row), worth[:, self.by_name_], benchmark)
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Cosines with the models, float64 [1, n_queries, n_models]; -inf for a model without a training score."""
        checks.same_pool(self, queries)
        tokens = self.tokens(self.texts(queries))
        cosine = self.ask(queries.n_queries, lambda net, rows: self.output(net, tokens, rows)).astype(np.float64)
        utility = np.full((queries.n_queries, len(self.models_)), -np.inf)
        if queries.n_queries:
            utility[:, self.by_name_] = cosine
        return np.where(self.is_known_, utility, -np.inf)[None]

    def network(self) -> "torch.nn.Module":
        """The encoder with a vector for every model."""
        from routers.text_networks import Compass, Encoder

        plan = self.plan()
        encoder = Encoder(self.name, plan.encoder, plan.pooling, plan.gradient_checkpointing)
        return Compass(encoder, len(self.models_))

    def output(self, network: Any, tokens: "Tokens", rows: NDArray[np.int64]) -> "torch.Tensor":
        """Cosines with the models in the order of their names, [n_rows, n_models]."""
        return network(*tokens.batch(rows))[0]

    def _train(self, texts: tuple[str, ...], score: NDArray[np.float64], benchmark: NDArray[np.int64]) -> None:
        import torch

        from routers.deepspeed_training import Problem

        learns, holds = self.divide(benchmark)
        learns = balanced(learns, benchmark, self.per_benchmark, self.seed)
        tokens, cluster = self.tokens(texts), self._clusters(texts)

        def loss(net: Any, rows: NDArray[np.int64], rng: np.random.Generator) -> "torch.Tensor":
            rows = learns[rows]
            to_model, to_text = net(*tokens.batch(rows))
            total = self._first_loss(to_model, score[rows], rng)
            if self.cluster_weight:
                positive, negative = partners(cluster[rows], self.n_negatives, rng)
                total = total + self.cluster_weight * sample_sample_loss(to_text, positive, negative)
            return total

        def quality(cosine: NDArray[np.float32]) -> float:
            rng = np.random.default_rng([self.seed, 4])  # ties are the same at every evaluation
            return -float(self._first_loss(torch.from_numpy(cosine), score[holds], rng))

        self.learn(
            Problem(
                n_rows=len(learns), loss=loss, n_held_out=len(holds), quality=quality,
                output=lambda net, rows: self.output(net, tokens, holds[rows]),
            ),
            texts, score, learns,
        )  # fmt: skip

    def _first_loss(
        self, cosine: "torch.Tensor", score: NDArray[np.float64], rng: np.random.Generator
    ) -> "torch.Tensor":
        good, bad = extremes(score, self.top_k, self.last_k, rng)
        return sample_llm_loss(cosine / self.temperature, score, good, bad, self.broadcast_mask)

    def _clusters(self, texts: tuple[str, ...]) -> NDArray[np.int64]:
        """Cluster of every text, [n_texts], by the encoder as it is before training."""
        from routers.deepspeed_training import apply, device
        from routers.text_networks import Encoder

        if not self.cluster_weight:
            return np.zeros(len(texts), np.int64)
        plan, tokens = self.plan(), self.tokens(texts)
        encoder = Encoder(self.name, plan.encoder, plan.pooling, gradient_checkpointing=False).to(device()).eval()
        state = apply(encoder, len(texts), plan.micro_batch, lambda net, rows: net(*tokens.batch(rows)))
        return k_means(unit_rows(state), self.n_clusters, 64, self.seed)[1]


def balanced(rows: NDArray[np.int64], benchmark: NDArray[np.int64], n_each: int, seed: int) -> NDArray[np.int64]:
    """Rows with so many of every benchmark: all of a small one again and again, a sample of a large one.

    Args:
        rows: to choose from, [n_rows]. benchmark: of every query, [n_queries]. n_each: 0 for the rows as they are.
    """
    if not n_each:
        return rows
    rng = np.random.default_rng([seed, 3])
    parts = [rng.permutation(rows[benchmark[rows] == number]) for number in np.unique(benchmark[rows])]
    return np.concatenate([np.resize(part, n_each) for part in parts])


def extremes(
    score: NDArray[np.float64], n_good: int, n_bad: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the best and the worst models of every query, [n_queries, up to n_good] and [n_queries, up to n_bad].

    Equal scores are in random order. A missing score ranks last among the best and last among the worst.
    """
    drawn = rng.random(score.shape)
    best = np.lexsort((drawn, -np.nan_to_num(score, nan=-np.inf)), axis=1)[:, :n_good]
    worst = np.lexsort((-drawn, np.nan_to_num(score, nan=np.inf)), axis=1)[:, :n_bad]
    return best, worst


def sample_llm_loss(
    similarity: "torch.Tensor",
    score: NDArray[np.float64],
    good: NDArray[np.int64],
    bad: NDArray[np.int64],
    broadcast_mask: bool = False,
) -> "torch.Tensor":
    """Sum over a query's best models, mean over queries, of -log of the model's share against the worst ones.

    A model that earned nothing is not drawn, one that earned more than 0.5 is not pushed (paper eq. 3; spec A1.3).

    Args:
        similarity: [n_queries, n_models]. score: the same shape, NaN where missing.
        good, bad: model numbers, see `extremes`.
        broadcast_mask: as the reference's code computes it, see `RouterDC`.
    """
    from routers.deepspeed_training import moved

    to = similarity.device
    earned, lost = np.take_along_axis(score, good, axis=1) > 0, np.take_along_axis(score, bad, axis=1) <= 0.5
    drawn, pushed = similarity.gather(1, moved(good, to)), similarity.gather(1, moved(bad, to))
    weight, counts = moved(earned.astype(np.float32), to), moved(lost, to)
    log_share = softplus_against(drawn, pushed, counts)
    if broadcast_mask:
        return (log_share.mean(dim=0) * weight.mean(dim=0)).sum()
    return (log_share * weight).mean(dim=0).sum()


def softplus_against(one: "torch.Tensor", others: "torch.Tensor", counts: "torch.Tensor") -> "torch.Tensor":
    """-log(exp(one) / (exp(one) + the sum of exp over those others that count)); 0 where none counts.

    Args:
        one: [n, n_each]. others: [n, n_others]. counts: bool, the same shape.

    Returns:
        [n, n_each].
    """
    import torch

    rival = (others.masked_fill(~counts, -1e4)).logsumexp(dim=1, keepdim=True)  # no NaN gradient where none counts
    return torch.nn.functional.softplus(rival - one)


def partners(
    cluster: NDArray[np.int64], n_negatives: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For every query of a micro batch one of its own cluster, which may be itself, and some of other clusters.

    Returns:
        Row numbers int64 [n] and [n, n_negatives]; -1 where the micro batch has no further one.
    """
    is_same = cluster[:, None] == cluster
    drawn = rng.random(is_same.shape)
    positive = np.where(is_same, drawn, -1.0).argmax(axis=1)
    order = np.argsort(np.where(is_same, 2.0, drawn), axis=1)[:, :n_negatives]
    return positive, np.where(np.take_along_axis(is_same, order, axis=1), -1, order)


def sample_sample_loss(
    cosine: "torch.Tensor", positive: NDArray[np.int64], negative: NDArray[np.int64]
) -> "torch.Tensor":
    """Mean over the queries of -log of the share of the partner of the own cluster (paper eq. 5; spec A1.4).

    A query without any of another cluster beside it adds 0. No temperature, as in the reference.

    Args:
        cosine: among the queries, [n, n]. positive, negative: see `partners`.
    """
    from routers.deepspeed_training import moved

    to = cosine.device
    own, others = cosine.gather(1, moved(positive[:, None], to)), cosine.gather(1, moved(np.maximum(negative, 0), to))
    return softplus_against(own, others, moved(negative >= 0, to)).mean()

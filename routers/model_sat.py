"""MODEL-SAT: a language model reads what a model is good at, and the query, and says Yes or No (arXiv 2502.17282).

As LLMRouterBench has it: a sentence lists how often the model is right on each group of training queries; an embedder
and a projector turn it into one vector, which takes the place of one token in front of the query.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.averages import group_mean
from routers.router import Queries, RouterError
from routers.text_router import TextRouter

if TYPE_CHECKING:
    import torch

    from routers.deepspeed_training import Recipe
    from routers.text_networks import Prompts

READINGS = ("probability", "difference")
POOLINGS = ("first", "last", "mean")
_N_KEYWORDS = 5  # that name a group of queries
_QUESTION = "Can the model described at the beginning answer this correctly? Say Yes or No."


class ModelSAT(TextRouter):
    """Routes to the model of which the language model says Yes with the highest probability.

    Cross-entropy of the one token Yes or No after the prompt, over all pairs of a training query and a model with a
    score. Stage one trains the projector alone, stage two everything, under one learning rate schedule (the reference
    begins its warm-up anew). Groups of queries are the benchmarks, named by the words that tell them from the others:
    a router does not know what a benchmark is called. Routing costs a pass per model and query.

    Args:
        embedder: checkpoint that reads the descriptions; `embedder_pooling` as `training.pooling`.
        first_stage: share of the steps in which only the projector is trained.
        reader_rate, embedder_rate: learning rates of the language model and the embedder in the second stage, as
            multiples of `training.learning_rate`, which is the projector's.
        threshold: a score above it is a Yes.
        read: "probability" is that of Yes among all tokens, as published; "difference" its logit minus that of No.
        training: see `text_router.Training`; `encoder` is the language model, `max_tokens` cuts the query.
        seed: of the held-out queries, the projector, the order of the pairs and dropout.
    """

    name: ClassVar[str] = "model_sat"
    defaults: ClassVar[Mapping[str, Any]] = {
        "encoder": "Qwen/Qwen2.5-7B-Instruct", "pooling": "last", "max_tokens": 2048, "batch_size": 32,
        "micro_batch": 4, "steps": 4000, "learning_rate": 1e-5, "weight_decay": 0.1, "warmup": 0.1,
        "schedule": "cosine", "evaluate_every": 500, "checkpoint_every": 250, "zero_stage": 3,
    }  # fmt: skip

    def __init__(
        self,
        *,
        embedder: str = "Alibaba-NLP/gte-Qwen2-7B-instruct",
        embedder_pooling: str = "last",
        first_stage: float = 0.25,
        reader_rate: float = 0.1,
        embedder_rate: float = 0.1,
        threshold: float = 0.0,
        read: str = "probability",
        training: Mapping[str, Any] | None = None,
        seed: int = 42,
    ) -> None:
        self.embedder = embedder
        self.embedder_pooling = embedder_pooling
        self.first_stage = first_stage
        self.reader_rate = reader_rate
        self.embedder_rate = embedder_rate
        self.threshold = threshold
        self.read = read
        self.training = training
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Describe the models, train on nine tenths of the queries; the loss on the rest says which step was the best.

        Raises:
            RouterError: unusable data, or the language model begins Yes and No with the same token.
        """
        checks.one_of(self, "read", READINGS)
        checks.one_of(self, "embedder_pooling", POOLINGS)
        for name in ("first_stage", "reader_rate", "embedder_rate"):
            checks.at_least(self, name, 0)
        if self.first_stage >= 1:
            raise RouterError(f"{self.name}: first_stage is {self.first_stage!r}; expected a share below 1")
        self.check_packages()
        row, score = checks.scored(self, train)
        self.models_ = train.models
        self.by_name_ = np.argsort(np.array(train.models), kind="stable")
        self.is_known_ = ~np.isnan(score).all(axis=0)
        benchmark = np.unique(checks.column(self, train, "benchmark")[row], return_inverse=True)[1]
        texts = self.texts(train, row)
        learns, holds = self.divide(benchmark)
        score = score[:, self.by_name_]
        # What a model did on the held-out queries must not be in its description: the quality is measured on them.
        self.descriptions_ = descriptions(score[learns], benchmark[learns], tuple(texts[at] for at in learns.tolist()))
        self._train(texts, score, learns, holds)
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """What is said about every model, float64 [1, n_queries, n_models]; -inf for one without a training score."""
        checks.same_pool(self, queries)
        prompts, n_models = self._prompts(self.texts(queries)), len(self.models_)

        def output(net: Any, pairs: NDArray[np.int64]) -> "torch.Tensor":
            return self._logs(net, prompts, pairs // n_models, pairs % n_models)

        said = self.ask(queries.n_queries * n_models, output).astype(np.float64)
        yes = said[:, 0] if self.read == "probability" else said[:, 0] - said[:, -1]
        utility = np.full((queries.n_queries, n_models), -np.inf)
        if queries.n_queries:
            utility[:, self.by_name_] = yes.reshape(queries.n_queries, n_models)
        return np.where(self.is_known_, utility, -np.inf)[None]

    def network(self) -> "torch.nn.Module":
        """Embedder, projector and language model."""
        from routers.text_networks import Encoder, Reader

        plan = self.plan()
        embedder = Encoder(self.name, self.embedder, self.embedder_pooling, plan.gradient_checkpointing)
        return Reader(self.name, plan.encoder, embedder, plan.gradient_checkpointing)

    def checkpoints(self) -> tuple[str, ...]:
        """Language model and embedder."""
        return self.plan().encoder, self.embedder

    def stages(self) -> "list[Recipe]":
        """The projector alone, then everything."""
        whole = self.recipe()
        n_first = round(self.first_stage * whole.steps)
        second = dataclasses.replace(whole, first_step=n_first, steps=whole.steps - n_first, all_steps=whole.steps)
        return [dataclasses.replace(whole, steps=n_first, all_steps=whole.steps), second] if n_first else [second]

    def groups(self, network: "torch.nn.Module", stage: int) -> "list[tuple[list[torch.nn.Parameter], float]] | None":
        """Parameters of a stage with their learning rates; the others stand still."""
        rate, is_first = self.plan().learning_rate, stage == 0 and len(self.stages()) == 2
        parts = [getattr(network, name) for name in ("projector", "body", "embedder")]
        for part in parts[1:]:
            part.requires_grad_(not is_first)
        if is_first:
            return [(list(parts[0].parameters()), rate)]
        times = (1.0, self.reader_rate, self.embedder_rate)
        return [(list(part.parameters()), rate * factor) for part, factor in zip(parts, times, strict=True)]

    def _train(
        self, texts: tuple[str, ...], score: NDArray[np.float64], learns: NDArray[np.int64], holds: NDArray[np.int64]
    ) -> None:
        import torch

        from routers.deepspeed_training import Problem, moved

        prompts = self._prompts(texts)
        is_yes = score > self.threshold
        query, model = np.nonzero(~np.isnan(score))
        learned, held = (np.flatnonzero(np.isin(query, rows)) for rows in (learns, holds))

        def logs(net: Any, pairs: NDArray[np.int64]) -> "torch.Tensor":
            return self._logs(net, prompts, query[pairs], model[pairs])

        def mean_loss(log: "torch.Tensor", pairs: NDArray[np.int64]) -> "torch.Tensor":
            answer = moved(np.where(is_yes[query[pairs], model[pairs]], 0, 1), log.device)
            return -log.gather(1, answer[:, None]).mean()

        self.learn(
            Problem(
                n_rows=len(learned),
                loss=lambda net, rows, rng: mean_loss(logs(net, learned[rows]), learned[rows]),
                n_held_out=len(held),
                output=lambda net, rows: logs(net, held[rows]),
                quality=lambda log: -float(mean_loss(torch.from_numpy(log), held)),
                n_tokens=prompts.n_tokens[query[learned]],
            ),
            texts, score, learns,
        )  # fmt: skip

    def _prompts(self, texts: tuple[str, ...]) -> "Prompts":
        from routers.text_networks import Prompts

        plan = self.plan()
        return Prompts(self.name, plan.encoder, texts, plan.max_tokens, _QUESTION, ("Yes", "No"), takes_vector=True)

    def _logs(
        self, network: Any, prompts: "Prompts", query: NDArray[np.int64], model: NDArray[np.int64]
    ) -> "torch.Tensor":
        """Log probabilities of Yes and No among all tokens, [n_pairs, 2]."""
        from routers.text_networks import Tokens

        if getattr(self, "described_", None) is None:
            self.described_ = Tokens(self.name, self.embedder, self.descriptions_, 1024, "right")
        chosen, which = np.unique(model, return_inverse=True)
        return network(*prompts.batch(query), prompts.place, *self.described_.batch(chosen), which, prompts.answers)

    def __getstate__(self) -> dict[str, Any]:
        """Without what can be made again."""
        return {key: value for key, value in super().__getstate__().items() if key != "described_"}


def descriptions(score: NDArray[np.float64], benchmark: NDArray[np.int64], texts: tuple[str, ...]) -> tuple[str, ...]:
    """A sentence per model: how often it is right on each group of queries, [n_models].

    Args:
        score: [n_queries, n_models], NaN where missing. benchmark: 0, 1, … without a gap, [n_queries].
    """
    mean = group_mean(score, benchmark, int(benchmark.max()) + 1)
    names = keywords(benchmark, texts)
    return tuple(
        "The model answers correctly: "
        + "; ".join(
            f"{names[group]}: " + ("unknown" if np.isnan(mean[group, model]) else f"{100 * mean[group, model]:.1f}%")
            for group in range(len(mean))
        )
        + "."
        for model in range(score.shape[1])
    )


def keywords(benchmark: NDArray[np.int64], texts: tuple[str, ...]) -> list[str]:
    """The words that tell each group of texts from the others, by tf-idf over whole groups."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    groups = [
        " ".join(texts[at] for at in np.flatnonzero(benchmark == group)) for group in range(int(benchmark.max()) + 1)
    ]
    try:
        vectorizer = TfidfVectorizer(token_pattern=r"[^\W\d_]{3,}", max_features=50_000, sublinear_tf=True)
        weight = vectorizer.fit_transform(groups).toarray()
    except ValueError:  # not a single word
        return [f"group {group + 1}" for group in range(len(groups))]
    words = vectorizer.get_feature_names_out()
    best = np.argsort(-weight, axis=1, kind="stable")[:, :_N_KEYWORDS]
    return [
        f"{group + 1} " + ", ".join(words[at] for at in row if weight[group, at] > 0) for group, row in enumerate(best)
    ]

"""FrugalGPT with the scorer of its authors: an encoder that reads the query and the answer (arXiv 2305.05176)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.answer_scorer import logistic
from routers.router import Queries
from routers.scored_cascade import ScoredCascade
from routers.text_router import TextRouter

if TYPE_CHECKING:
    import torch


class FrugalGPTEncoder(TextRouter, ScoredCascade):
    """A cascade for every budget, see `scored_cascade`; a fine-tuned encoder says how reliable an answer looks.

    One encoder with an output for every model, trained by binary cross-entropy on the texts "query, answer" of all of
    them. (The original trains an encoder per model, which costs as many times as much, and takes a score of 0.5 for a
    right answer; here a score is the share of a right one.) Where the scorer sees only the query, a text has the
    outputs of all models at once.

    Args:
        models: names of the models that may be called, None for the whole pool.
        depth: most models in a cascade.
        scorer_input: "query+answer", or "query" to decide without looking at answers (they are still paid for).
        n_trade_offs: budgets.
        max_orders: pairs of models that are tried in both orders.
        training: see `text_router.Training`.
        seed: of the held-out queries, the head, the order of the texts and dropout.
    """

    name: ClassVar[str] = "frugalgpt_encoder"
    judges_itself: ClassVar[bool] = True
    defaults: ClassVar[Mapping[str, Any]] = {
        "encoder": "Alibaba-NLP/gte-Qwen2-7B-instruct", "pooling": "last", "max_tokens": 2048, "cut": "left",
        "batch_size": 16, "micro_batch": 4, "steps": 2000, "learning_rate": 3e-5, "weight_decay": 0.01, "warmup": 0.03,
        "schedule": "linear", "evaluate_every": 100,
    }  # fmt: skip

    def __init__(
        self,
        *,
        models: tuple[str, ...] | None = None,
        depth: int = 2,
        scorer_input: str = "query+answer",
        n_trade_offs: int = 21,
        max_orders: int = 5000,
        training: Mapping[str, Any] | None = None,
        seed: int = 42,
    ) -> None:
        self.models = models
        self.depth = depth
        self.scorer_input = scorer_input
        self.n_trade_offs = n_trade_offs
        self.max_orders = max_orders
        self.training = training
        self.seed = seed

    @property
    def inputs(self) -> frozenset[str]:  # type: ignore[override]  # a constant of the other routers that read the text
        """The text, and the answers for scorers that look at them."""
        return frozenset({"text", "answer"} if self.scorer_input == "query+answer" else {"text"})

    def learn_scorers(
        self, train: Queries, row: NDArray[np.int64], score: NDArray[np.float64], column: list[int]
    ) -> None:
        """Train on nine tenths of the queries; the loss on the rest says which step was the best."""
        self.check_packages()
        # In the order of their names, so that the order of the pool changes nothing.
        self.heads_ = sorted(column, key=lambda m: train.models[m])
        score = score[:, self.heads_]
        texts, query, head = self._read(train, row, ~np.isnan(score))
        target = np.full((len(texts), len(self.heads_)), np.nan, np.float32)
        if head is None:
            target[:] = score[query]
        else:
            target[np.arange(len(texts)), head] = score[query, head]
        learns, holds = self.divide(checks.column(self, train, "benchmark")[row])
        learned, held = (np.flatnonzero(np.isin(query, rows)) for rows in (learns, holds))
        if not len(learned) or not len(held):
            learned = held = np.arange(len(texts))
        self.learn_labels(texts, target, learned, held)

    def seen(self, queries: Queries, row: NDArray[np.int64], column: list[int]) -> NDArray[np.float64]:
        """Expected scores of the answers, [n_rows, n_models]; -inf where there is no answer, or nobody asked.

        All at once, by all ranks together: a real cascade asks for one answer after the other.
        """
        found = np.full((len(row), len(queries.models)), -np.inf)
        answer = self.answers(queries)
        wanted = np.tile(np.isin(self.heads_, column), (len(row), 1))
        if answer is not None:
            wanted &= np.array([[bool(text.strip()) for text in answer[m, row]] for m in self.heads_], bool).T
        texts, query, head = self._read(queries, row, wanted)
        if texts:
            tokens = self.tokens(texts)
            logit = self.ask(len(texts), lambda net, rows: net(*tokens.batch(rows))).astype(np.float64)
            chance = logistic(logit)
            if head is None:
                found[query[:, None], self.heads_] = chance
            else:
                found[query, np.array(self.heads_)[head]] = chance[np.arange(len(texts)), head]
        return found

    def reliability(self, seen: NDArray[np.float64], at: NDArray[np.int64], model: int) -> NDArray[np.float64]:
        """Expected scores."""
        return seen[at, model]

    def network(self) -> "torch.nn.Module":
        """The encoder with an output for every model that may be called."""
        return self.classifier(len(self.heads_), 0.1)

    def _read(
        self, queries: Queries, row: NDArray[np.int64], wanted: NDArray[np.bool_]
    ) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64] | None]:
        """What the encoder reads.

        Args:
            row: of the queries. wanted: pairs of a query and a head, [n_rows, n_heads].

        Returns:
            Texts, and to each its place in `row` and its head; no heads where a text is a query, for all of them.
        """
        answer, texts = self.answers(queries), self.texts(queries, row)
        if answer is None:
            query = np.flatnonzero(wanted.any(axis=1))
            return tuple(texts[at] for at in query.tolist()), query, None
        query, head = np.nonzero(wanted)
        said = answer[np.array(self.heads_, int)[head], row[query]].tolist()
        return tuple(f"{texts[at]}\n\n{text}" for at, text in zip(query.tolist(), said, strict=True)), query, head

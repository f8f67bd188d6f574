"""What the routers that read the text share: their training parameters, and how they train and are asked.

The job that trains one says where its checkpoints go and when to stop; elsewhere they go to a temporary folder.
"""

import dataclasses
import hashlib
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.memory import SHAPES, gpu_bytes
from routers.router import Queries, Router, RouterError
from routers.validation import held_out

if TYPE_CHECKING:
    import torch

    from routers.deepspeed_training import Problem, Recipe, State, Trained
    from routers.text_networks import Tokens

VALIDATION_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the job that trains tells a router.

    Attributes:
        folder: for checkpoints, on a file system that all ranks see.
        should_stop: whether the job is about to end.
    """

    folder: Path
    should_stop: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a router that reads the text is trained: the key `training` of its parameters.

    Attributes:
        encoder: folder, hub id or `package:<name>/<folder>` of a checkpoint.
        pooling: the state that stands for the text: "first", "last" or "mean".
        max_tokens: of a text; `cut` says which end of a longer one is cut off, "left" or "right".
        batch_size: rows per step over all GPUs. micro_batch: rows per forward pass.
        steps: at most so many; every `evaluate_every` of them the network is judged on held-out queries, and training
            ends after `patience` times without a new best.
        learning_rate, weight_decay, warmup, schedule: see `deepspeed_training.Recipe`.
        checkpoint_every: steps that are done again after a kill, at most.
        zero_stage: what GPUs share: 0 nothing, 1 the optimiser's state, 2 and gradients, 3 and weights.
        gradient_checkpointing: less memory for a third more time.
    """

    encoder: str
    pooling: str
    max_tokens: int
    cut: str = "right"
    batch_size: int
    micro_batch: int
    steps: int
    learning_rate: float
    weight_decay: float
    warmup: float = 0.0
    schedule: str = "constant"
    evaluate_every: int = 50
    checkpoint_every: int = 50
    patience: int = 10
    zero_stage: int = 2
    gradient_checkpointing: bool = True


_LEAST = {"max_tokens": 2, "batch_size": 1, "micro_batch": 1, "steps": 1, "evaluate_every": 1, "checkpoint_every": 1,
          "patience": 1, "learning_rate": 0, "weight_decay": 0, "warmup": 0,}  # fmt: skip
_VALID = {"pooling": ("first", "last", "mean"), "cut": ("left", "right"), "zero_stage": (0, 1, 2, 3),
          "schedule": ("constant", "linear", "cosine")}  # fmt: skip


class TextRouter(Router):
    """A router that trains an encoder of texts with DeepSpeed, on one rank or many.

    Attributes:
        defaults: values of `Training` that differ from router to router; `training` overrides them.
        session: of the job; None outside of one.
        state_: weights of the trained network.
        trained_: what is worth knowing about the training, plain data.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"text"})
    defaults: ClassVar[Mapping[str, Any]] = {}
    training: Mapping[str, Any] | None
    session: Session | None = None
    models_: tuple[str, ...]
    state_: "State"
    trained_: dict[str, Any]

    @classmethod
    def check_packages(cls) -> None:
        """Raises RouterError where torch, transformers or deepspeed are not installed."""
        from importlib.util import find_spec

        for package in ("torch", "transformers", "deepspeed"):
            if find_spec(package) is None:
                raise RouterError(f"{cls.name}: {package} is not installed; pip install 'routeyard[train]'")

    def clone(self) -> Self:
        """An unfitted copy with the same parameters, for the same job."""
        copy = super().clone()
        if self.session is not None:
            copy.session = self.session
        return copy

    def plan(self) -> Training:
        """How it is trained.

        Raises:
            RouterError: an unknown or unusable parameter.
        """
        known = {field.name for field in dataclasses.fields(Training)}
        given = {**self.defaults, **(self.training or {})}
        if unknown := sorted(given.keys() - known):
            raise RouterError(f"{self.name}: training has no {', '.join(unknown)}; valid: {', '.join(sorted(known))}")
        try:
            plan = Training(**given)
        except TypeError as error:
            raise RouterError(f"{self.name}: training: {error}") from None
        for name, low in _LEAST.items():
            value = getattr(plan, name)
            kind = int if Training.__annotations__[name] is int else int | float
            if isinstance(value, bool) or not isinstance(value, kind) or not value >= low:
                what = "an integer" if kind is int else "a number"
                raise RouterError(f"{self.name}: training.{name} is {value!r}; expected {what} of at least {low}")
        for name, valid in _VALID.items():
            if getattr(plan, name) not in valid:
                words = ", ".join(map(str, valid))
                raise RouterError(f"{self.name}: training.{name} is {getattr(plan, name)!r}; valid: {words}")
        return plan

    def checkpoints(self) -> tuple[str, ...]:
        """What the network is made of."""
        return (self.plan().encoder,)

    def gpu_bytes(self, n_ranks: int) -> float:
        """Memory that training takes of each of so many GPUs; see `memory`."""
        plan = self.plan()
        n_parameters, hidden_size, n_layers = zip(*map(self._shape, self.checkpoints()), strict=True)
        return gpu_bytes(
            n_parameters=sum(n_parameters), hidden_size=max(hidden_size), n_layers=sum(n_layers), n_ranks=n_ranks,
            n_tokens=plan.micro_batch * plan.max_tokens, zero_stage=plan.zero_stage,
            gradient_checkpointing=plan.gradient_checkpointing,
        )  # fmt: skip

    def _shape(self, path: str) -> tuple[float, int, int]:
        if path in SHAPES:
            return SHAPES[path]
        from routers.text_networks import shape_of

        return shape_of(self.name, path)

    def divide(self, benchmark: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows to learn from, and a tenth of every benchmark to judge by; both all rows where there are too few."""
        is_held_out = held_out(benchmark, VALIDATION_SHARE, self.seed)
        if not is_held_out.any():
            return np.arange(len(benchmark)), np.arange(len(benchmark))
        return np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)

    def texts(self, queries: Queries, row: NDArray[np.int64] | None = None) -> tuple[str, ...]:
        """Text of all queries, or of some."""
        texts = checks.column(self, queries, "text")
        return tuple(texts) if row is None else tuple(texts[number] for number in row.tolist())

    def tokens(self, texts: tuple[str, ...]) -> "Tokens":
        """Texts as the network reads them."""
        from routers.text_networks import Tokens

        plan = self.plan()
        return Tokens(self.name, plan.encoder, texts, plan.max_tokens, plan.cut)

    def recipe(self) -> "Recipe":
        """The part of the parameters that the trainer needs."""
        from routers.deepspeed_training import Recipe

        plan = dataclasses.asdict(self.plan())
        return Recipe(**{field.name: plan[field.name] for field in dataclasses.fields(Recipe) if field.name in plan})

    def learn(self, problem: "Problem", *content: Any) -> None:
        """Train the network on all ranks; `state_` and `trained_` are there afterwards.

        Args:
            content: texts and labels: what tells this training from others of the same router.
        """
        from routers.deepspeed_training import descend
        from routers.text_networks import seeded

        told = hashlib.sha256(repr((self.name, sorted(self.params().items(), key=str))).encode())
        for part in content:
            told.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
        with ExitStack() as stack:
            session = self.session
            if session is None:
                temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routeyard-")))
                session = Session(folder=temporary, should_stop=lambda: False)
            folder = session.folder / told.hexdigest()[:16]
            with seeded(self.seed):
                trained: Trained | None = None
                for stage, recipe in enumerate(self.stages()):
                    network = self.network()
                    if trained:
                        network.load_state_dict(trained.state)
                    trained = descend(
                        self.name, network, problem, recipe, seed=self.seed, should_stop=session.should_stop,
                        folder=folder / f"stage-{stage}", groups=self.groups(network, stage),
                    )  # fmt: skip
        assert trained is not None
        self.state_ = trained.state
        weights = hashlib.sha256()
        for name, value in sorted(trained.state.items()):
            weights.update(name.encode() + value.float().numpy().tobytes())
        self.trained_ = {"steps": recipe.first_step + trained.n_steps, "best_step": trained.best_step,
                         "last_loss": trained.losses[-1], "weights": weights.hexdigest()[:32]}  # fmt: skip

    def learn_labels(
        self, texts: tuple[str, ...], target: NDArray[np.float32], learns: NDArray[np.int64], holds: NDArray[np.int64]
    ) -> None:
        """Train a network that gives a logit per label, by binary cross-entropy over the labels that are known.

        Args:
            target: in [0, 1], NaN where unknown, [n_texts, n_labels].
            learns, holds: numbers of the texts to learn from, and of those by which the best step is found.
        """
        import torch

        from routers.deepspeed_training import Problem, moved
        from routers.training import cross_entropy

        tokens = self.tokens(texts)

        def mean_loss(logit: "torch.Tensor", rows: NDArray[np.int64]) -> "torch.Tensor":
            total, n_known = cross_entropy(logit.float(), moved(target[rows], logit.device))
            return total / n_known

        self.learn(
            Problem(
                n_rows=len(learns),
                loss=lambda net, rows, rng: mean_loss(net(*tokens.batch(learns[rows])), learns[rows]),
                n_held_out=len(holds),
                output=lambda net, rows: net(*tokens.batch(holds[rows])),
                quality=lambda logit: -float(mean_loss(torch.from_numpy(logit), holds)),
                n_tokens=tokens.n_tokens[learns],
            ),
            texts, target, learns,
        )  # fmt: skip

    def stages(self) -> "list[Recipe]":
        """What is trained one after the other, each from the best weights of the one before."""
        return [self.recipe()]

    def groups(self, network: "torch.nn.Module", stage: int) -> "list[tuple[list[torch.nn.Parameter], float]] | None":
        """The parameters that are trained in a stage, with their learning rates; None: all with the recipe's."""
        return None

    def network(self) -> "torch.nn.Module":
        """The network with its initial weights."""
        raise NotImplementedError

    def classifier(self, n_outputs: int, dropout: float) -> "torch.nn.Module":
        """The encoder with a linear layer of so many logits."""
        from routers.text_networks import Classifier, Encoder

        plan = self.plan()
        encoder = Encoder(self.name, plan.encoder, plan.pooling, plan.gradient_checkpointing)
        return Classifier(encoder, n_outputs, dropout)

    def ask(self, n_rows: int, output: "Callable[[Any, NDArray[np.int64]], torch.Tensor]") -> NDArray[np.float32]:
        """Outputs of the trained network for so many rows, computed by all ranks together, [n_rows, n_outputs].

        Args:
            output: of the network for some of them, [n, n_outputs].
        """
        from routers.deepspeed_training import apply, device
        from routers.text_networks import seeded

        if not n_rows:
            return np.empty((0, 1), np.float32)
        if getattr(self, "asked_", None) is None:
            with seeded(self.seed):
                network = self.network()
            network.load_state_dict(self.state_)
            self.asked_ = network.to(device()).eval()
        return apply(self.asked_, n_rows, self.plan().micro_batch, output)

    def __getstate__(self) -> dict[str, Any]:
        """Without the network and the job: the weights are kept as plain tensors."""
        return {key: value for key, value in vars(self).items() if key not in ("asked_", "session")}

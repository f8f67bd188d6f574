"""IRT-Router (M-IRT): item response theory, with the traits that a query asks for read off its embedding.

A model has a level in each of a few traits; a query has a weight for each trait and a difficulty. Item response theory
calls the weights discrimination (ACL 2025, arXiv 2506.01048).
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks, trade_off
from routers.averages import overall_mean
from routers.components import principal_axes
from routers.router import Queries, Router

DISCRIMINATIONS = ("linear", "softplus")
MAX_ITERATIONS = 200
TOLERANCE = 1e-6  # of the loss, relative; the choices have settled long before


class IRT(Router):
    """P(right) = sigmoid(discrimination(query) · ability(model) - difficulty(query)), against the model's cost.

    Discrimination and difficulty are linear in the leading principal components of the embedding, with an intercept.
    Graded scores are taken as they are, as shares of right answers; missing pairs take no part. All parameters are
    fitted together by L-BFGS on all pairs, with a Gaussian prior on all but the difficulty's intercept, from a seeded
    start. The models are fitted in the order of their names, so the order of the pool does not matter.

    utility = alpha * P - (1 - alpha) * mean training cost of the model / that of the dearest. The reference takes the
    price of a token in place of the cost and calls alpha 0.8 "performance first", 0.5 balanced and 0.2 "cost first". It
    also embeds a description of each model, to which its ability is tied, and mixes a test query's embedding with its
    neighbours'; here abilities are free and embeddings stay as they are.

    Args:
        n_traits: dimensions of ability, the number of the reference.
        n_components: principal components of the embeddings; 0 for all.
        discrimination: "linear", or "softplus" of the same, never negative: the reference's.
        penalty: precision of the prior, in squared parameters; components are scaled to mean variance 1.
        n_trade_offs: values of alpha, evenly from 0 to 1; 1 for P alone, which needs no costs.
        seed: of the start and of the search for the components.
    """

    name: ClassVar[str] = "irt"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(
        self,
        *,
        n_traits: int = 25,
        n_components: int = 64,
        discrimination: str = "linear",
        penalty: float = 10.0,
        n_trade_offs: int = 101,
        seed: int = 42,
    ) -> None:
        self.n_traits = n_traits
        self.n_components = n_components
        self.discrimination = discrimination
        self.penalty = penalty
        self.n_trade_offs = n_trade_offs
        self.seed = seed

    def trade_offs(self) -> NDArray[np.float64]:
        """Alpha, the weight of accuracy, from 0 to 1, float64 [n_trade_offs]; one NaN for accuracy alone."""
        checks.at_least(self, "n_trade_offs", 1)
        return trade_off.alphas(self.n_trade_offs) if self.n_trade_offs > 1 else np.array([np.nan])

    def fit(self, train: Queries) -> Self:
        """Fit discrimination, difficulty and abilities.

        Raises:
            RouterError: unusable data; there is a trade-off and no pair has both a score and a cost.
        """
        checks.at_least(self, "n_traits", 1)
        checks.at_least(self, "n_components", 0)
        checks.one_of(self, "discrimination", DISCRIMINATIONS)
        checks.at_least(self, "penalty", 0)
        row, score = checks.scored(self, train)
        embedding = checks.embedding(self, train)[row]
        self.models_ = train.models
        self.is_scored_ = ~np.isnan(score).all(axis=0)  # [n_models]
        if len(self.trade_offs()) > 1:
            cost = checks.priced(self, train, row, score)
            self.cost_, self.unit_ = overall_mean(cost), trade_off.cost_unit(cost)
        self.mean_, self.axes_ = principal_axes(embedding, self.n_components, self.seed)
        self.scale_ = float(np.sqrt(((embedding - self.mean_) @ self.axes_).var(axis=0).mean())) or 1.0
        by_name = np.argsort(train.models)
        self.weight_, self.difficulty_, ability = fit_traits(
            self._components(embedding), score[:, by_name], self.n_traits, self.discrimination, self.penalty, self.seed
        )
        self.ability_ = ability[np.argsort(by_name)]  # the inverse permutation
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """P, weighed against the cost, float64 [n_trade_offs, n_queries, n_models]; -inf for an unscored model."""
        checks.same_pool(self, queries)
        point = self._components(checks.embedding(self, queries, len(self.mean_)))
        logit = discriminate(point @ self.weight_, self.discrimination)[0] @ self.ability_.T
        right = 1.0 / (1.0 + np.exp(-np.clip(logit - (point @ self.difficulty_)[:, None], -700, 700)))
        right = np.where(self.is_scored_, right, -np.inf)
        if self.n_trade_offs == 1:
            return right[None]
        return trade_off.weigh(right, self.cost_, self.trade_offs(), self.unit_)

    def _components(self, embedding: NDArray[np.float32]) -> NDArray[np.float64]:
        """Principal components of mean variance 1 in training, and a column of ones, [n_queries, n_components + 1]."""
        component = ((embedding - self.mean_) @ self.axes_).astype(np.float64) / self.scale_
        return np.column_stack([component, np.ones(len(component))])


def fit_traits(
    point: NDArray[np.float64],
    score: NDArray[np.float64],
    n_traits: int,
    discrimination: str,
    penalty: float,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Parameters with the smallest cross-entropy plus half the penalty times their squares.

    Args:
        point: [n_queries, dim], the last column ones.
        score: in [0, 1], [n_queries, n_models], NaN where missing.

    Returns:
        Weights of the discrimination [dim, n_traits], weights of the difficulty [dim], abilities [n_models, n_traits].
    """
    from scipy.optimize import minimize

    dim, n_models = point.shape[1], score.shape[1]
    known = (~np.isnan(score)).astype(np.float64)
    right = np.nan_to_num(score)
    ends = np.cumsum([dim * n_traits, dim])

    def parts(flat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        weight, difficulty, ability = np.split(flat, ends)
        return weight.reshape(dim, n_traits), difficulty, ability.reshape(n_models, n_traits)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight, difficulty, ability = parts(flat)
        trait, slope = discriminate(point @ weight, discrimination)
        logit = trait @ ability.T - (point @ difficulty)[:, None]
        small = np.exp(-np.abs(logit))
        entropy = np.vdot(known, np.maximum(logit, 0.0) + np.log1p(small)) - np.vdot(right, logit)
        error = known * (np.where(logit < 0.0, small, 1.0) / (1.0 + small)) - right  # sigmoid(logit) - score
        shrunk = penalty * flat
        shrunk[ends[1] - 1] = 0.0  # the difficulty's intercept
        gradient = [point.T @ ((error @ ability) * slope), -point.T @ error.sum(axis=1), error.T @ trait]
        return float(entropy + flat @ shrunk / 2), np.concatenate([part.ravel() for part in gradient]) + shrunk

    start = np.zeros(ends[1] + n_models * n_traits)  # equal abilities: the start favours no model
    start[: ends[0]] = np.random.default_rng(seed).normal(scale=0.1, size=ends[0])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_ITERATIONS, "ftol": TOLERANCE})
    return parts(found.x)


def discriminate(
    value: NDArray[np.float64], discrimination: str
) -> tuple[NDArray[np.float64], NDArray[np.float64] | float]:
    """Weights of the traits, and their derivative by the value."""
    if discrimination == "linear":
        return value, 1.0
    softplus = np.logaddexp(0.0, value)
    return softplus, np.exp(value - softplus)

"""The loss of the classifiers of a pair by hand, what they are taught, and their threshold sweep."""

import numpy as np
import pytest
import torch

from routers.hybrid_llm import HybridLLM
from routers.pair import pair_utility, share_thresholds
from routers.routellm_bert import RouteLLMBERT
from routers.routellm_causal import RouteLLMCausal
from routers.router import choose
from routers.text_pair import soft_cross_entropy
from tests.tiny_encoder import language_model, make, tiny_training

E2 = float(np.log1p(np.exp(-2)))  # -log of the softmax of a logit that is ahead by 2


def both(label):
    return np.stack([label, 1 - np.array(label)], axis=1).astype(np.float32)


@pytest.mark.parametrize(
    ("logit", "label", "expected"),
    [
        ([[0.0, 0.0]], [0.3], np.log(2)),
        ([[2.0, 0.0]], [1.0], E2),
        ([[2.0, 0.0]], [0.0], 2 + E2),
        ([[2.0, 0.0]], [0.25], 0.25 * E2 + 0.75 * (2 + E2)),
        ([[2.0, 0.0], [0.0, 0.0]], [1.0, 0.0], (E2 + np.log(2)) / 2),
    ],
)
def test_cross_entropy_against_a_share(logit, label, expected):
    loss = soft_cross_entropy(torch.tensor(logit), both(label))
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_its_gradient_against_finite_differences():
    rng = np.random.default_rng(0)
    start, label = rng.normal(size=(4, 2)).astype(np.float32), both(rng.random(4))
    logit = torch.tensor(start, requires_grad=True)
    soft_cross_entropy(logit, label).backward()
    for at in np.ndindex(start.shape):
        step = np.zeros_like(start)
        step[at] = 1e-2
        up, down = (float(soft_cross_entropy(torch.tensor(start + sign * step), label)) for sign in (1, -1))
        assert float(logit.grad[at]) == pytest.approx((up - down) / 2e-2, abs=1e-4)


SCORE = np.array([[1.0, 0.0], [0.5, 0.5], [0.2, 0.9], [0.9, 1.0]])
COST = np.array([[0.1, 2.0], [0.1, 2.0], [0.1, 0.2], [0.1, 0.2]])


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"label": "det"}, [1, 1, 0, 0]),
        ({"label": "prob"}, [1, 1, 0, 0]),
        ({"label": "trans"}, [1, 1, 0, 0]),  # two of four is as even as it gets
        ({"label": "det", "cost_weight": 1.0}, [1, 1, 0, 1]),  # 0.1 dearer is as much as 0.1 better
    ],
)
def test_hybrid_llm_is_taught_that_the_small_model_is_good_enough(parameters, expected):
    target = HybridLLM(**parameters).target(SCORE, COST)
    np.testing.assert_array_equal(target, both(expected))


def test_routellm_is_taught_who_wins():
    router = RouteLLMBERT()
    win, tie, loss = np.eye(3)
    np.testing.assert_array_equal(router.target(SCORE, COST), [loss, tie, win, win])
    np.testing.assert_allclose(router.good_enough(np.array([[0.7, 0.2, 0.1]])), [0.3])


def test_routellm_is_taught_a_grade_of_the_weak_model():
    router = RouteLLMCausal()
    expected = [[0, 0, 0, 0, 1], [0, 0, 1, 0, 0], [0.2, 0.8, 0, 0, 0], [0, 0, 0, 0.4, 0.6]]
    np.testing.assert_allclose(router.target(SCORE, COST), expected, atol=1e-6)
    np.testing.assert_allclose(router.good_enough(np.array([[0.1, 0.2, 0.3, 0.3, 0.1]])), [0.4])


@pytest.mark.slow
def test_the_grade_is_read_after_the_question():
    router = RouteLLMCausal(training=tiny_training(encoder=language_model(), max_tokens=2))
    prompts, network = router.tokens(("w1", "w1 w2 w3")), router.network().eval()
    ids, _ = prompts.batch(np.array([0]))
    assert prompts.n_tokens.tolist() == [len(ids[0]), len(ids[0]) + 1], "the second query is cut to two tokens"
    with torch.no_grad():
        logit = network(*prompts.batch(np.array([1, 0])))
        last = network.body(input_ids=ids).logits[0, -1]
    torch.testing.assert_close(logit[1], last[list(prompts.answers)])
    assert len(prompts.answers) == 5


def test_a_share_of_the_queries_goes_to_the_large_model():
    share = np.linspace(0, 1, 11)
    good_enough = np.random.default_rng(0).random(1000)
    choice = choose(pair_utility(good_enough, share_thresholds(good_enough, share), (0, 2), 3))
    assert set(np.unique(choice)) == {0, 2}
    np.testing.assert_allclose((choice == 2).mean(axis=1), share, atol=0.001)


@pytest.mark.slow
def test_it_says_what_it_would_choose_for_the_queries_it_held_out():
    from worlds import continuous

    train = continuous(n_queries=300)
    router = make("hybrid_llm", n_trade_offs=5, training=tiny_training()).fit(train)
    rows, utility, calls = router.validation()
    assert calls is None
    np.testing.assert_array_equal(rows, router.divide(train.benchmark)[1])
    assert utility.shape == (5, len(rows), len(train.models))
    small, large = router.pair_
    assert (choose(utility)[0] == small).all()
    assert (choose(utility)[-1] == large).all()

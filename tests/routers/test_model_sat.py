"""MODEL-SAT: what models are said to be good at, where the description stands, and the probability that is read."""

import numpy as np
import pytest
import torch

from routers.model_sat import ModelSAT, descriptions, keywords
from routers.router import RouterError
from tests.tiny_encoder import encoder, language_model, make, tiny_training

TEXTS = ("sum the numbers", "sum numbers now", "sort letters", "sort the letters", "the")


def test_a_description_lists_how_often_a_model_is_right_on_each_group():
    benchmark = np.array([0, 0, 1, 1, 1])
    score = np.array([[1, 0], [0, np.nan], [1, np.nan], [1, np.nan], [0.5, np.nan]])
    first, second = descriptions(score, benchmark, TEXTS)
    names = keywords(benchmark, TEXTS)
    assert "numbers" in names[0]
    assert "sum" in names[0]
    assert "letters" in names[1]
    assert names[0].startswith("1 ")
    assert first == f"The model answers correctly: {names[0]}: 50.0%; {names[1]}: 83.3%."
    assert second == f"The model answers correctly: {names[0]}: 0.0%; {names[1]}: unknown."


def test_groups_without_words_are_numbered():
    assert keywords(np.array([0, 1]), ("1 + 1", "?")) == ["group 1", "group 2"]


@pytest.mark.slow
def test_the_description_stands_in_place_of_one_token_and_yes_is_read_after_the_prompt():
    from routers.text_networks import Encoder, Prompts, Reader, Tokens

    network = Reader("x", language_model(), Encoder("x", encoder(), "mean", False), False).eval()
    prompts = Prompts("x", language_model(), ("w1 w2 w3", "w4"), 2, "Yes : No", ("Yes", "No"), True)
    described = Tokens("x", encoder(), ("w5 w6", "w7", "w8"), 10, "right")
    with torch.no_grad():
        described_two = described.batch(np.array([2, 0]))
        log = network(*prompts.batch(np.array([0, 1])), prompts.place, *described_two, np.array([1, 0]), (64, 65))
        ids, mask = prompts.batch(np.array([1]))  # alone, without padding
        vector = network.projector(network.embedder(*described.batch(np.array([2]))))
        embedded = network.body.get_input_embeddings()(ids).clone()
        embedded[0, prompts.place] = vector[0]
        last = network.body(inputs_embeds=embedded, attention_mask=mask).logits[0, -1]
    assert prompts.answers == (64, 65)  # the last two words of the tiny vocabulary
    # [UNK] of the template, the vector, "w4" cut to two tokens, the question, and the template's ":"
    assert ids.tolist() == [[1, 0, 18, 64, 3, 65, 3]]
    assert prompts.place == 1
    torch.testing.assert_close(log[1], torch.log_softmax(last, 0)[[64, 65]], rtol=1e-4, atol=1e-5)
    assert float(log.exp().sum(dim=1).max()) < 1  # among all tokens, not among these two


@pytest.mark.slow
def test_the_projector_is_a_norm_a_layer_and_a_residual_block():
    from routers.text_networks import Projector

    projector = Projector(2, 2).double()
    with torch.no_grad():
        projector.first.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        projector.up.weight.copy_(torch.eye(2))
        projector.down.weight.copy_(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    # [3, 4] has a root mean square of sqrt(12.5); then x = [a, 2 b], and x + swapped silu(x)
    x = torch.tensor([3.0, 8.0], dtype=torch.float64) / np.sqrt(12.5)
    silu = x / (1 + torch.exp(-x))
    expected = x + silu.flip(0)
    torch.testing.assert_close(projector(torch.tensor([[3.0, 4.0]], dtype=torch.float64))[0], expected)
    start = torch.randn(2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(projector, start)


@pytest.mark.slow
def test_the_first_stage_moves_the_projector_alone():
    from worlds import continuous

    stages = {"embedder": encoder(), "embedder_pooling": "mean"}
    training = tiny_training(encoder=language_model(), steps=4, evaluate_every=4)
    router = ModelSAT(**stages, first_stage=0.75, reader_rate=0.0, embedder_rate=0.0, training=training)
    router.fit(continuous())
    start = router.network().state_dict()
    moved = {name for name, value in start.items() if not torch.equal(value, router.state_[name])}
    assert moved
    assert all(name.startswith("projector") for name in moved)
    everything = ModelSAT(**stages, first_stage=0.0, training=training).fit(continuous())
    moved = {name for name, value in start.items() if not torch.equal(value, everything.state_[name])}
    assert {name.partition(".")[0] for name in moved} == {"projector", "body", "embedder"}


@pytest.mark.slow
def test_what_a_model_did_on_held_out_queries_is_not_in_its_description():
    from dataclasses import replace

    from worlds import continuous

    train = continuous()
    router = make("model_sat").fit(train)
    holds = router.divide(train.benchmark)[1]
    score = train.score.copy()
    score[holds] = 1 - score[holds]
    assert make("model_sat").fit(replace(train, score=score)).descriptions_ == router.descriptions_


@pytest.mark.slow
def test_a_difference_of_logits_is_read_if_wanted():
    from worlds import continuous

    train = continuous()
    by_probability, by_difference = (make("model_sat", read=read).fit(train) for read in ("probability", "difference"))
    assert not np.array_equal(by_probability.predict(train), by_difference.predict(train))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"read": "guess"}, "read is 'guess'; valid: probability, difference"),
        ({"first_stage": 1.0}, "first_stage is 1.0; expected a share below 1"),
        ({"embedder_rate": -1}, "embedder_rate is -1"),
    ],
)
def test_wrong_parameters_are_named(parameters, words):
    from worlds import continuous

    with pytest.raises(RouterError, match=f"model_sat: {words}"):
        ModelSAT(**parameters).fit(continuous())

"""The demo pool's checkpoints are whole and small, their tokenizer loses nothing, and their training learns."""

import json
from itertools import islice
from pathlib import Path

import pytest

from inference.demo_training import HEAD_SIZE, Shape, answer, build_tokenizer, count_parameters, train
from launch.train_demo_pool import MODELS, POOL, Part, training_examples
from scoring.skills import held_out_problems

FILES = {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
TEXTS = {
    "empty": "",
    "spaces": "  two  spaces, tab\tand newline\n ",
    "accents": "Ça alors – naïve façade, Straße",
    "Chinese": "答案是（Ｂ）",
    "Arabic": "الجواب هو ٤٢",
    "emoji": "👨‍👩‍👧‍👦🅱️",
    "control characters": "\x00\x01\x7f\x85",
    "every code point of a plane's edge": "".join(
        map(chr, [0x7F, 0x80, 0x7FF, 0x800, 0xFFFD, 0xFFFF, 0x10000, 0x10FFFF])
    ),
}


@pytest.fixture(scope="module")
def tokenizer():
    pytest.importorskip("transformers")
    return build_tokenizer()


@pytest.fixture(params=POOL)
def folder(request):
    return MODELS / request.param


def test_the_folder_holds_the_pool_and_nothing_else():
    assert {path.name for path in MODELS.iterdir()} == set(POOL)


def test_a_checkpoint_is_complete_and_small(folder):
    files = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert set(files) == FILES
    assert sum(files.values()) <= 2_200_000
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1


def test_a_checkpoint_is_the_declared_shape(folder):
    config = json.loads((folder / "config.json").read_text())
    shape = POOL[folder.name][0]
    assert config["architectures"] == ["Qwen2ForCausalLM"]
    assert (config["num_hidden_layers"], config["hidden_size"]) == (shape.n_layers, shape.width)
    assert config["hidden_size"] // config["num_attention_heads"] == HEAD_SIZE
    assert config["tie_word_embeddings"] is True
    generation = json.loads((folder / "generation_config.json").read_text())
    assert generation["eos_token_id"] == config["eos_token_id"]


def test_a_checkpoint_names_no_place_of_the_machine_that_made_it(folder):
    for name in FILES - {"model.safetensors"}:
        assert str(Path.home()) not in (text := (folder / name).read_text())
        assert str(MODELS) not in text


def test_parameters_are_counted_without_the_tied_copy(folder):
    pytest.importorskip("safetensors")
    shape = POOL[folder.name][0]
    d, n = shape.width, shape.n_layers
    layer = 4 * d * d + 3 * d + 3 * d * 2 * d + 2 * d  # attention and its biases, feed-forward, two norms
    assert count_parameters(folder) == 261 * d + n * layer + d


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_tokenizer_gives_back_any_text_one_token_per_byte(tokenizer, text):
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(ids) == len(text.encode())
    assert tokenizer.decode(ids) == text


def test_a_saved_tokenizer_is_the_built_one(tokenizer, folder):
    from transformers import AutoTokenizer

    saved = AutoTokenizer.from_pretrained(folder)
    assert saved.get_vocab() == tokenizer.get_vocab()
    assert saved.chat_template == tokenizer.chat_template
    assert (saved.eos_token, saved.pad_token) == ("<|end|>", "<|pad|>")
    fields = json.loads((folder / "tokenizer_config.json").read_text())
    assert fields["tokenizer_class"] == "PreTrainedTokenizerFast"  # the name that transformers 4 knows too


def test_the_chat_template_renders_all_roles(tokenizer):
    messages = [{"role": r, "content": c} for r, c in [("system", "Be brief."), ("user", "1+1?"), ("assistant", "2")]]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    assert text == "<|system|>Be brief.<|end|><|user|>1+1?<|end|><|assistant|>2<|end|>"
    prompt = tokenizer.apply_chat_template(messages[1:2], tokenize=False, add_generation_prompt=True)
    assert prompt == "<|user|>1+1?<|end|><|assistant|>"
    ids = tokenizer.apply_chat_template(messages[1:2], add_generation_prompt=True, return_dict=False)
    assert ids[0] == tokenizer.convert_tokens_to_ids("<|user|>")
    assert len(ids) == 3 + len("1+1?")


def test_training_examples_follow_the_mixture():
    parts = (Part("sort", 3, (3,)), Part("strings", 1, (1,)))
    examples = list(islice(training_examples(parts, 7), 2000))
    assert examples == list(islice(training_examples(parts, 7), 2000))
    is_sort = [answer == "".join(sorted(answer)) and len(answer) >= 7 for _, answer in examples]
    assert 0.7 < sum(is_sort) / len(is_sort) < 0.8
    assert {len(answer) for (_, answer), sort in zip(examples, is_sort, strict=True) if sort} == {7, 8}
    assert {len(answer) for (_, answer), sort in zip(examples, is_sort, strict=True) if not sort} == {4, 5}


@pytest.mark.slow
def test_thirty_steps_lower_the_loss_and_leave_a_checkpoint_that_answers(tmp_path):
    pytest.importorskip("torch")
    shape = Shape(n_layers=1, width=32, n_steps=30, learning_rate=1e-2)
    examples = list(islice(training_examples([Part("sort", 1, (1,))], 3), shape.n_steps * shape.batch_size))
    losses = train(iter(examples), tmp_path / "first", shape, seed=1)
    assert len(losses) == 30
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    assert losses == train(iter(examples), tmp_path / "second", shape, seed=1)
    files = [(tmp_path / folder / "model.safetensors").read_bytes() for folder in ("first", "second")]
    assert files[0] == files[1]
    assert {path.name for path in (tmp_path / "first").iterdir()} == FILES
    texts = answer(tmp_path / "first", [messages for messages, _ in examples[:3]], max_tokens=4)
    assert len(texts) == 3
    assert all(len(text) <= 4 for text in texts)


@pytest.mark.slow
def test_training_says_how_many_examples_were_missing(tmp_path):
    pytest.importorskip("torch")
    examples = islice(training_examples([Part("logic", 1)], 3), 40)
    with pytest.raises(ValueError, match="ended in step 1 of 3; training takes 96"):
        train(examples, tmp_path, Shape(n_layers=1, width=32, n_steps=3), seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", POOL)
def test_a_model_is_good_at_what_it_was_trained_for(name):
    """Greedy decoding; what an engine measures at temperature 0.2 lies a little below."""
    best = max(POOL[name][1], key=lambda part: part.weight)
    problems = [problem for problem in held_out_problems(best.skill) if problem.level in best.levels]
    texts = answer(MODELS / name, [[{"role": "user", "content": problem.question}] for problem in problems])
    n_right = sum(text == problem.answer for text, problem in zip(texts, problems, strict=True))
    assert n_right / len(problems) > 0.6

"""SGI-Bench's wet experiments: protocols are read and compared as meant, and as published."""

import json
import math
import time

import pytest
from judged_by_hand import endures

from scoring.benchmark import BenchmarkError, find
from scoring.graders import protocol
from scoring.graders.protocol import Step
from store.records import Query

WET = find("sgi_wet_experiment")
GOLD = """lysate = <Lyse cells>(
    cells="HEK293T",
    temperature="4 C, on ice"
)

cleared = <Centrifuge>(
    sample=lysate,
    speed_g=12000
)

blot = <Run blot>(
    sample=cleared,
    antibody="anti-actin (5' label)"
)"""
ROW = {"idx": "SGI_WetExperiment_0000", "question": "Plan a blot.", "answer": GOLD, "discipline": "life"}
QUERY = Query(0, "Plan a blot.", GOLD)


def steps(*actions):
    return [Step(f"x{number}", action, {}) for number, action in enumerate(actions)]


@pytest.mark.parametrize(
    ("gold", "found", "compat", "robust"),
    [
        (("Mix", "Heat"), ("Zap", "Add"), 1.0, 0.0),  # in the same alphabetical order, and nothing in common
        (("Mix", "Heat"), ("Heat", "Mix"), 0.0, 0.0),
        (("Mix", "Heat"), ("Mix", "Heat"), 1.0, 1.0),
        (("Mix", "Heat"), ("Mix", "Heat", "Cool"), 0.0, 0.0),
        (("Mix",), ("Zap",), 1.0, 0.0),
        (("Mix",), ("Mix",), 1.0, 1.0),
        (("Wash", "Mix", "Wash"), ("Wash", "Mix", "Wash"), 1.0, 1.0),
        (("Wash", "Mix", "Wash"), ("Wash", "Wash", "Mix"), 2 / 3, 2 / 3),  # one of three pairs is the other way round
        (("A", "B", "C"), ("A", "C", "B"), 2 / 3, 2 / 3),
        (("A", "B", "C"), ("A", "B", "X"), 1.0, 1 / 3),
    ],
)
def test_order_of_actions(gold, found, compat, robust):
    assert protocol.order_similarity_compat(steps(*gold), steps(*found)) == pytest.approx(compat)
    assert protocol.order_similarity(steps(*gold), steps(*found)) == pytest.approx(robust)


ONE_LINE = """a = <Mix>()
b = <Heat>(
    sample=a,
    time="5 min"
)"""


def test_a_call_on_one_line_swallows_the_next_step_only_as_published():
    assert protocol.read(ONE_LINE) == [Step("a", "mix", {}), Step("b", "heat", {"sample": "a", "time": "5 min"})]
    (merged,) = protocol.read_compat(ONE_LINE)
    assert (merged.product, merged.action) == ("a", "Mix")
    assert merged.parameters == {"b": "<Heat>(", "sample": "a", "time": "5 min"}
    assert protocol.read_compat(ONE_LINE.replace("<Mix>()", "<Mix>(\n)")) == [merged]  # and so does an empty one


@pytest.mark.parametrize(
    ("call", "parameters"),
    [
        ('x = <A>(k="v", m=37 (C), n=y)', {"k": "v", "m": "37 (C)", "n": "y"}),
        ("x = <A>(k='v, w')", {"k": "v, w"}),
        ('x=<A>(\n  k="a (b" ,\n  m=[1, 2],\n)', {"k": "a (b", "m": "[1, 2]"}),
        ("x = <A>(\n  end=the 5' end,\n  m=1)", {"end": "the 5' end", "m": "1"}),
        ("x = <A>(\n  k=y  # the washed one\n)", {"k": "y"}),
        ("x = <A>(\n  # k=1\n  m=2\n)\nAnd k=3.", {"m": "2"}),
        ("x = <A>(k=1", {"k": "1"}),
        ("x = <A>()", {}),
    ],
)
def test_parameters_of_a_call(call, parameters):
    assert protocol.read(call) == [Step("x", "a", parameters)]


@pytest.mark.parametrize(
    ("found", "accuracy"),
    [
        (GOLD, 1.0),
        (GOLD.replace("lysate", "first").replace("cleared", "second"), 1.0),  # other names for the same products
        (GOLD.replace('"HEK293T"', '"HeLa"').replace("12000", "200"), 1.0),  # raw values are not compared
        (GOLD.replace("sample=cleared", "sample=lysate"), 2 / 3),  # the product of another step
        (GOLD.replace("sample=cleared", 'sample="plasma"'), 2 / 3),  # a raw value for a product
        (GOLD.replace("speed_g", "speed"), 1 / 3),  # and its product is then unknown to the last step
        (GOLD.replace("<Centrifuge>", "<Filter>"), 1 / 3),
        (GOLD + "\n\nextra = <Rest>(\n    time=5\n)", 3 / 4),
        (GOLD.partition("\n\nblot")[0], 2 / 3),
    ],
)
def test_parameter_accuracy(found, accuracy):
    for read in (protocol.read, protocol.read_compat):
        assert protocol.parameter_accuracy(read(GOLD), read(found)) == pytest.approx(accuracy)


@pytest.mark.parametrize(
    ("output", "compat", "robust"),
    [
        (f"<answer>\n{GOLD}\n</answer>", 1, 1),
        (f"<think>perhaps <answer>x</answer></think>Here:\n\n<answer>\n```\n{GOLD}\n```\n</answer>\nDone.", 1, 1),
        (f"<answer>{GOLD}</answer> I put it into <answer> tags.", 1 / 3, 1),  # published: all text, last step lost
        (f"<answer>{GOLD}</answer> Note: <answer></answer> holds it.", 0, 1),
        (f"<answer>\n{GOLD}", 1, 1),
        (GOLD, 1, 1),
        (f"<answer>{GOLD.replace('<Lyse cells>', '<lyse  Cells>')}</answer>", 1 / 3, 1),
        ("<answer>I would lyse the cells.</answer>", 0, 0),
        ("", 0, 0),
        ("Generation failed: " + GOLD, 1, 0),
    ],
)
def test_outputs(output, compat, robust):
    assert WET.score_compat(QUERY, output).value == pytest.approx(compat)
    assert WET.score(QUERY, output).value == pytest.approx(robust)


def test_a_score_says_what_it_is_the_mean_of():
    swapped = GOLD.replace("<Centrifuge>", "<Filter>")
    score = WET.score(QUERY, f"<answer>{swapped}</answer>")
    assert score.explanation == "order 0.333, parameters 0.333"
    assert score.value == pytest.approx(1 / 3)


def test_a_gold_protocol_that_cannot_be_read_gives_no_score():
    assert math.isnan(WET.score(Query(0, "Plan.", "Lyse, then blot."), GOLD).value)


def test_rows_become_queries(tmp_path):
    folder = tmp_path / "sgi_wet_experiment"
    folder.mkdir()
    (folder / "test.jsonl").write_text(json.dumps(ROW) + "\n")
    (query,) = WET.queries(tmp_path)
    assert (query.index, query.text, query.ground_truth) == (0, "Plan a blot.", GOLD)
    assert query.metadata == {"discipline": "life"}
    prompt = query.messages[0]["content"]
    assert prompt.startswith("Plan a blot.\n")
    assert [step.action for step in protocol.read_compat(prompt)] == ["Lyse cells", "Measure protein"]


def test_a_missing_file_says_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"sgi_wet_experiment/test\.jsonl.*SGI-WetExperiment.*data_dir"):
        WET.load(tmp_path)


def test_no_text_breaks_it():
    endures(WET, QUERY)


def test_protocols_full_of_heads_take_no_longer_than_others():
    for text in (
        "a = <b>(" * 12_000,
        "a = <" * 20_000,
        "\n" * 100_000 + ")",
        "a = <b>(k=" + '"(' * 40_000,
        "a " * 50_000,
    ):
        begin = time.process_time()
        assert WET.score(QUERY, text).value < 1
        assert WET.score_compat(QUERY, text).value < 1
        assert time.process_time() - begin < 2

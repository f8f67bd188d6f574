"""FinQA: rows, the page in the prompt, published vectors, amounts, and every gold answer of the real file."""

import json

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from scoring.graders.amount import Amount, amounts
from store.records import Query

FINQA = find("finqa")
ROW = {
    "id": "ETR/2016/page_23.pdf-2",
    "pre_text": ["revenue is below .", "see note 2 ."],
    "table": [["", "2014 "], ["revenue", "$ 5735"]],
    "post_text": ["the end ."],
    "qa": {"question": "what {is} it?", "answer": "94", "program": "subtract(5829, 5735)", "exe_ans": 94.0},
}
needs_data = pytest.mark.skipif(not (DATA_DIR / "finqa").is_dir(), reason="the question files of FinQA are not here")


def query(question, gold, value):
    return Query(0, question, gold, metadata={"exe_ans": value})


def write(tmp_path, *rows):
    (tmp_path / "finqa").mkdir()
    (tmp_path / "finqa" / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


@pytest.mark.parametrize(("output", "gold", "value", "compat", "robust"), cases("finqa_published"))
def test_published_vectors(output, gold, value, compat, robust):
    assert FINQA.score_compat(query("what is it?", gold, value), output).value == compat
    assert FINQA.score(query("what is it?", gold, value), output).value == robust


@pytest.mark.parametrize(("output", "question", "gold", "value", "robust"), cases("finqa_more"))
def test_shapes_of_real_outputs(output, question, gold, value, robust):
    assert FINQA.score(query(question, gold, value), output).value == robust


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$ 1,234.50 and .5", [Amount(1234.5, n_decimals=2), Amount(0.5, n_decimals=1)]),
        ("\\$3.5 Million", [Amount(3.5, 1e6, n_decimals=1)]),
        ("from 2014-2015", [Amount(2014.0), Amount(2015.0)]),
        ("(12.6)\\%", [Amount(-12.6, is_percentage=True, n_decimals=1)]),
        ("it fell (12.6%)", [Amount(12.6, is_percentage=True, n_decimals=1)]),
        ("1,23", [Amount(1.0), Amount(23.0)]),
        ("2.5e6 per cent", [Amount(2.5e6, is_percentage=True, n_decimals=1)]),
        ("none", []),
    ],
)
def test_amounts(text, expected):
    assert amounts(text) == expected


def test_rows_become_queries(tmp_path):
    (loaded,) = FINQA.load(write(tmp_path, ROW))
    assert (loaded.index, loaded.text, loaded.ground_truth) == (0, "what {is} it?", "94")
    assert loaded.metadata == {key: ROW[key] for key in ("id", "pre_text", "table", "post_text")} | {"exe_ans": 94.0}


def test_the_prompt_shows_text_table_and_question(tmp_path):
    (loaded,) = FINQA.queries(write(tmp_path, ROW))
    first, before, table, after, question, last = loaded.messages[0]["content"].split("\n\n")
    assert "\\boxed{}" in first
    assert before == "revenue is below . see note 2 ."
    assert table.split("\n")[1:] == ["|  | 2014 |", "| revenue | $ 5735 |"]
    assert after.split("\n")[0] == "the end ."
    assert question.endswith("what {is} it?")
    assert "\\boxed{$ANSWER}" in last


@pytest.mark.parametrize("lost", ["question", "answer", "exe_ans"])
def test_a_row_without_its_answer_is_refused(tmp_path, lost):
    bad = ROW | {"qa": {key: value for key, value in ROW["qa"].items() if key != lost}}
    with pytest.raises(BenchmarkError, match=r"test\.jsonl, row 1: its qa has no"):
        FINQA.load(write(tmp_path, ROW, bad))


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"finqa/test\.jsonl.*czyssrs/FinQA.*data_dir"):
        FINQA.load(tmp_path)


@needs_data
def test_every_gold_answer_scores_one_and_no_answer_zero():
    queries = FINQA.load(DATA_DIR)
    assert len(queries) == 1147
    for one in queries:
        gold = one.ground_truth or str(one.metadata["exe_ans"])
        if gold[0] not in "[t":  # two are sentences; their amount is that of the program
            assert FINQA.score(one, f"Hence \\boxed{{{gold}}}.").value == 1, gold
        if gold not in {"yes", "no"}:
            assert FINQA.score(one, f"The answer is {one.metadata['exe_ans']}.").value == 1, gold
        assert FINQA.score_compat(one, f"Hence \\boxed{{{one.ground_truth}}}.").value == 1, gold
        for output in ("I cannot say.", "", "\\boxed{987654321.5}"):
            assert FINQA.score(one, output).value == 0


@needs_data
def test_a_slightly_wrong_amount_scores_zero():
    for one in FINQA.load(DATA_DIR):
        value = one.metadata["exe_ans"]
        if isinstance(value, float) and value and str(value) not in one.ground_truth:
            wrong = "\\boxed{%r}" % (value * 3.7)
            assert FINQA.score(one, wrong).value == 0, (one.ground_truth, value)

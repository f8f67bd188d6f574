"""HLE: rows with and without images, what model and judge are asked, and what is read in replies."""

import base64
import json
import math

import pytest
from judged_by_hand import asked, decided, judged
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from scoring.benchmarks.hle import read, read_compat
from store.records import Query

HLE = find("hle")
ROW = {
    "id": "1",
    "question": "How {many}?",
    "image": "",
    "answer": "42",
    "answer_type": "exactMatch",
    "category": "Math",
}
PIXEL = "data:image/png;base64,iVBORw0KGgo="
QUERY = Query(0, "How {many}?", "42")
YES = "extracted_final_answer: 42\nreasoning: the same\ncorrect: yes\nconfidence: 85"
NO = '{"extracted_final_answer": "17", "reasoning": "another number", "correct": "no", "confidence": 60}'


def write(tmp_path, *rows):
    (tmp_path / "hle").mkdir()
    (tmp_path / "hle" / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


@pytest.mark.parametrize(("case", "reply", "compat", "robust"), cases("hle_replies"))
def test_replies_of_judges(case, reply, compat, robust):
    assert read_compat(reply).is_correct is compat
    verdict = read(reply)
    assert (verdict and verdict.is_correct) is robust


@pytest.mark.parametrize(
    ("reply", "answer", "confidence"),
    [
        (YES, "42", "85"),
        (NO, "17", "60"),
        ("**extracted_final_answer:** *x = 3*\n**correct:** yes\n**confidence:** 72.5%", "x = 3", "72.5"),
        ("correct: yes", "", ""),
        ("extracted_final_answer: None\ncorrect: no\nconfidence: not given", "None", ""),
    ],
)
def test_answer_and_confidence_of_a_reply(reply, answer, confidence):
    assert read(reply)[1:] == (answer, confidence)


def test_answer_and_confidence_as_the_published_rule_reads_them():
    assert read_compat(YES) == (True, "42", "85")
    assert read_compat("") == (False, "None", "0")
    assert read_compat("Extracted_Final_Answer:\n 17 \nCorrect: No\nConfidence: 9%") == (False, "17", "9")


def test_the_score_tells_answer_verdict_and_confidence():
    score = judged(HLE.judging(QUERY, "Explanation: clear\nAnswer: 42\nConfidence: 85%"), YES)
    assert (score.value, score.prediction) == (1.0, "42")
    assert score.explanation == "the judge says yes, confidence 85 %"
    score = judged(HLE.judging(QUERY, "<think>hm"), NO)
    assert (score.value, score.prediction) == (0.0, "17")
    assert score.explanation == "the judge says no, confidence 60 %; broke off inside its reasoning"
    score = judged(HLE.judging_compat(QUERY, "Answer: 42"), NO)
    assert (score.value, score.prediction) == (0.0, "None")  # no rule for JSON
    assert judged(HLE.judging_compat(QUERY, "Answer: 42"), YES).value == 1


def test_the_judge_sees_question_response_and_gold_but_no_reasoning():
    response = "<think>17? no, {42}</think>\nAnswer: ４２ {x}"
    (question,) = asked(HLE.judging(QUERY, response))
    (message,) = question.messages
    assert "How {many}?" in message["content"]
    assert "\nAnswer: ４２ {x}\n" in message["content"]  # as the model wrote it
    assert "<correct_answer>\n42\n</correct_answer>" in message["content"]
    assert "17?" not in message["content"]
    for label in ("extracted_final_answer:", "reasoning:", "correct:", "confidence:"):
        assert f"\n{label} " in message["content"]
    (question,) = asked(HLE.judging_compat(QUERY, response))
    assert response in question.messages[0]["content"]


def test_a_repetition_of_the_judge_s_question_is_no_verdict():
    (question,) = asked(HLE.judging(QUERY, "Answer: 42"))
    assert question.read(question.messages[0]["content"]) is None


@pytest.mark.parametrize("response", ["", " \n", "Generation failed: 500", "<think>long</think>\n"])
def test_no_answer_is_wrong_without_a_judge_but_not_in_the_published_rule(response):
    score = decided(HLE.judging(QUERY, response))
    assert (score.value, score.explanation) == (0.0, "no answer")
    assert HLE.score(QUERY, response) == score
    assert asked(HLE.judging_compat(QUERY, response))
    assert math.isnan(HLE.score_compat(QUERY, response).value)


def test_an_answer_has_no_score_without_its_judge():
    assert math.isnan(HLE.score(QUERY, "Answer: 42").value)


def test_questions_with_an_image_are_left_out_and_keep_the_index_of_their_row(tmp_path):
    data_dir = write(tmp_path, ROW, ROW | {"image": PIXEL}, ROW | {"question": "And now?", "image": None})
    first, second = HLE.queries(data_dir)
    assert [first.index, second.index] == [0, 2]
    assert (first.text, first.ground_truth) == ("How {many}?", "42")
    assert first.metadata == {"id": "1", "answer_type": "exactMatch", "category": "Math"}
    (message,) = first.messages
    assert message["content"].endswith("\n\nHow {many}?")
    for label in ("Explanation: {", "Answer: {", "Confidence: {"):
        assert f"\n{label}" in message["content"]


def test_the_benchmark_s_own_file_has_only_question_and_answer(tmp_path):
    (query,) = HLE.load(write(tmp_path, {"question": "Why?", "answer": "So."}))
    assert (query.text, query.ground_truth, query.metadata) == ("Why?", "So.", {})


def test_an_image_is_part_of_the_message_whether_a_url_or_a_file(tmp_path):
    data_dir = write(tmp_path, ROW, ROW | {"image": PIXEL}, ROW | {"image": "plots/a.JPG"})
    (data_dir / "hle" / "plots").mkdir()
    (data_dir / "hle" / "plots" / "a.JPG").write_bytes(b"\xff\xd8")
    with_images = find("hle", images=True)
    plain, url, file = (query.messages[0]["content"] for query in with_images.queries(data_dir))
    assert isinstance(plain, str)
    assert [part["type"] for part in url] == ["text", "image_url"]
    assert url[0]["text"] == plain
    assert url[1]["image_url"] == {"url": PIXEL}
    assert file[1]["image_url"] == {"url": "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8").decode()}
    judge_sees = asked(with_images.judging(with_images.load(data_dir)[1], "Answer: 42"))[0].messages[0]["content"]
    assert "base64" not in judge_sees


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("missing.png", r"test\.jsonl, row 1: its image 'missing\.png' cannot be read from .*hle"),
        ("notes.txt", "row 1: its image 'notes.txt' is neither a data URL nor the name of an image file"),
        ({"bytes": None}, "row 1: its image is dict, expected a data URL"),
    ],
)
def test_a_bad_image_is_refused(tmp_path, image, message):
    data_dir = write(tmp_path, ROW, ROW | {"image": image})
    assert len(HLE.load(data_dir)) == 1
    with pytest.raises(BenchmarkError, match=message):
        find("hle", images=True).load(data_dir)


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"hle/test\.jsonl.*cais/hle.*consent to the terms.*data_dir"):
        HLE.load(tmp_path)


@pytest.mark.skipif(not (DATA_DIR / "hle").is_dir(), reason="the questions of HLE are not here")
def test_the_number_of_questions():
    assert len(HLE.load(DATA_DIR)) == 2158

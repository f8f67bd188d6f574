"""MELD: utterances with their history, prompt, letters by both rules, and every row of the real file."""

import csv
from collections import Counter

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from store.records import Query

MELD = find("meld")
EMOTIONS = ["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"]
OPTIONS = dict(zip("ABCDEFG", EMOTIONS, strict=True))
COLUMNS = ["Sr No.", "Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID"]
needs_data = pytest.mark.skipif(not (DATA_DIR / "meld").is_dir(), reason="the question files of MELD are not here")


def write(tmp_path, *rows):
    (tmp_path / "meld").mkdir()
    with (tmp_path / "meld" / "test_sent_emo.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return tmp_path


@pytest.mark.parametrize(("output", "published", "compat", "prediction"), cases("few_letters_published"))
def test_published_table(output, published, compat, prediction):
    query = Query(0, "So?", "B", metadata={"options": OPTIONS})
    score = MELD.score_compat(query, output)
    assert (score.prediction, score.value) == (published, compat)
    score = MELD.score(query, output)
    assert (score.prediction, score.value) == (prediction, float(prediction == "B"))


@pytest.mark.parametrize(
    ("output", "compat", "robust"),
    [
        ("Answer: Surprise", 0, 0),
        ("surprise", 0, 1),
        ("Answer: (G)", 0, 1),
        ("Answer: G. Surprise", 1, 1),
        ("Answer: H", 0, 0),
    ],
)
def test_seven_letters_and_the_names_of_emotions(output, compat, robust):
    query = Query(0, "So?", "G", metadata={"options": OPTIONS})
    assert MELD.score_compat(query, output).value == compat
    assert MELD.score(query, output).value == robust


def test_the_history_is_what_was_said_before_in_the_dialogue(tmp_path):
    rows = [1, "Hi {x}", "Ann", "joy", 0, 0], [2, "Oh,\nyou", "Bob", "fear", 0, 1], [3, "Who?", "Cid", "anger", 1, 0]
    first, second, third = MELD.load(write(tmp_path, *rows))
    assert (second.index, second.text, second.ground_truth) == (1, "Ann: Hi {x}\nBob: Oh,\nyou", "C")
    assert second.metadata == {"history": ["Ann: Hi {x}"], "utterance": "Bob: Oh,\nyou", "options": OPTIONS}
    assert first.metadata["history"] == third.metadata["history"] == []


def test_the_prompt_shows_history_utterance_and_options(tmp_path):
    rows = [1, "Hi {x}", "Ann", "joy", 0, 0], [2, "Oh", "Bob", "fear", 0, 1], [3, "Ah", "Ann", "joy", 0, 2]
    first, _, third = MELD.queries(write(tmp_path, *rows))
    head, history, utterance, options = third.messages[0]["content"].split("\n\n")
    assert "'Answer: $LETTER'" in head
    assert "LETTER is one of ABCDEFG." in head
    assert history == "History:\n- Ann: Hi {x}\n- Bob: Oh"
    assert utterance == "Utterance:\nAnn: Ah"
    assert options.split("\n")[:2] == ["Options:", "A. anger"]
    assert "History:\n-\n\n" in first.messages[0]["content"]


def test_an_unknown_emotion_is_refused(tmp_path):
    with pytest.raises(BenchmarkError, match=r"test_sent_emo\.csv, row 1: the emotion 'bored' is none of"):
        MELD.load(write(tmp_path, [1, "Hi {x}", "Ann", "joy", 0, 0], [2, "So?", "Bob", "bored", 0, 1]))


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"meld/test_sent_emo\.csv.*declare-lab/MELD.*data_dir"):
        MELD.load(tmp_path)


@needs_data
def test_the_right_letter_scores_one_on_every_row_and_a_wrong_one_zero():
    queries = MELD.load(DATA_DIR)
    assert len(queries) == 2610
    assert Counter(OPTIONS[query.ground_truth] for query in queries) == {
        "neutral": 1256,
        "joy": 402,
        "anger": 345,
        "surprise": 281,
        "sadness": 208,
        "disgust": 68,
        "fear": 50,
    }
    assert sum(not query.metadata["history"] for query in queries) == 280  # conversations
    for query in queries:
        gold = query.ground_truth
        wrong = "A" if gold != "A" else "B"
        assert MELD.score(query, f"Let us see. The answer is ({gold}) {OPTIONS[gold]}.").value == 1
        assert MELD.score_compat(query, f"Let us see.\nAnswer: {gold}").value == 1
        assert MELD.score(query, f"Let us see.\n**Answer: {wrong}**").value == 0
        assert MELD.score_compat(query, f"Let us see.\n**Answer: {wrong}**").value == 0

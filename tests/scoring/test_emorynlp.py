"""EmoryNLP: utterances with their history, prompt, letters by both rules, and every row of the real file."""

import csv
from collections import Counter

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from store.records import Query

EMORY = find("emorynlp")
EMOTIONS = ["Joyful", "Mad", "Neutral", "Peaceful", "Powerful", "Sad", "Scared"]
OPTIONS = dict(zip("ABCDEFG", EMOTIONS, strict=True))
COLUMNS = ["Utterance", "Speaker", "Emotion", "Scene_ID", "Utterance_ID", "Season", "Episode"]
needs_data = pytest.mark.skipif(
    not (DATA_DIR / "emorynlp").is_dir(), reason="the question files of EmoryNLP are not here"
)


def write(tmp_path, *rows):
    (tmp_path / "emorynlp").mkdir()
    with (tmp_path / "emorynlp" / "emorynlp_test_final.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return tmp_path


@pytest.mark.parametrize(("output", "published", "compat", "prediction"), cases("few_letters_published"))
def test_published_table(output, published, compat, prediction):
    query = Query(0, "So?", "B", metadata={"options": OPTIONS})
    score = EMORY.score_compat(query, output)
    assert (score.prediction, score.value) == (published, compat)
    score = EMORY.score(query, output)
    assert (score.prediction, score.value) == (prediction, float(prediction == "B"))


@pytest.mark.parametrize(
    ("output", "compat", "robust"),
    [
        ("Answer: Scared", 0, 0),
        ("scared", 0, 1),
        ("Answer: (G)", 0, 1),
        ("Answer: G. Scared", 1, 1),
        ("Answer: H", 0, 0),
    ],
)
def test_seven_letters_and_the_names_of_emotions(output, compat, robust):
    query = Query(0, "So?", "G", metadata={"options": OPTIONS})
    assert EMORY.score_compat(query, output).value == compat
    assert EMORY.score(query, output).value == robust


def test_the_history_is_what_was_said_before_in_the_scene(tmp_path):
    rows = (
        ["Hi {x}", "['Ann Lee']", "Joyful", 4, 1, 1, 1],
        ["Oh", "['Ann Lee', \"Bob O'Hara\"]", "Neutral", 4, 2, 1, 1],
        ["Who?", "Cid", "Mad", 4, 1, 1, 2],
    )
    first, second, third = EMORY.load(write(tmp_path, *rows))
    assert (second.index, second.text, second.ground_truth) == (1, "Ann Lee: Hi {x}\nAnn Lee and Bob O'Hara: Oh", "C")
    assert second.metadata["history"] == ["Ann Lee: Hi {x}"]
    assert first.metadata["history"] == third.metadata["history"] == []  # the third is of another episode
    assert third.text == "Cid: Who?"


def test_the_prompt_shows_history_utterance_and_options(tmp_path):
    rows = ["Hi {x}", "['Ann']", "Sad", 4, 1, 1, 1], ["Oh", "['Bob']", "Mad", 4, 2, 1, 1]
    _, second = EMORY.queries(write(tmp_path, *rows))
    head, history, utterance, options = second.messages[0]["content"].split("\n\n")
    assert "'Answer: $LETTER'" in head
    assert "LETTER is one of ABCDEFG." in head
    assert history == "History:\n- Ann: Hi {x}"
    assert utterance == "Utterance:\nBob: Oh"
    assert options.split("\n")[:2] == ["Options:", "A. Joyful"]


def test_an_unknown_emotion_is_refused(tmp_path):
    with pytest.raises(BenchmarkError, match=r"emorynlp_test_final\.csv, row 1: the emotion 'bored' is none of"):
        EMORY.load(write(tmp_path, ["Hi {x}", "['Ann']", "Sad", 4, 1, 1, 1], ["So?", "['Bob']", "bored", 4, 2, 1, 1]))


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"emorynlp/emorynlp_test_final\.csv.*declare-lab/MELD.*data_dir"):
        EMORY.load(tmp_path)


@needs_data
def test_the_right_letter_scores_one_on_every_row_and_a_wrong_one_zero():
    queries = EMORY.load(DATA_DIR)
    assert len(queries) == 984
    assert Counter(OPTIONS[query.ground_truth] for query in queries) == {
        "Neutral": 288,
        "Joyful": 217,
        "Scared": 116,
        "Peaceful": 111,
        "Powerful": 96,
        "Mad": 86,
        "Sad": 70,
    }
    assert sum(not query.metadata["history"] for query in queries) == 79  # conversations
    for query in queries:
        gold = query.ground_truth
        wrong = "A" if gold != "A" else "B"
        assert EMORY.score(query, f"Let us see. The answer is ({gold}) {OPTIONS[gold]}.").value == 1
        assert EMORY.score_compat(query, f"Let us see.\nAnswer: {gold}").value == 1
        assert EMORY.score(query, f"Let us see.\n**Answer: {wrong}**").value == 0
        assert EMORY.score_compat(query, f"Let us see.\n**Answer: {wrong}**").value == 0

"""Knights and Knaves: the published vectors, shapes of conclusions, and all 700 puzzles."""

import json

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from store.records import Query

KANDK = find("kandk")
GOLD = "(1) Zoey is a knave\n(2) Oliver is a knight"
QUERY = Query(0, "Who?", GOLD, metadata={"names": ["Zoey", "Oliver"]})
needs_data = pytest.mark.skipif(
    not (DATA_DIR / "kandk").is_dir(), reason="the puzzles of Knights and Knaves are not here"
)


@pytest.mark.parametrize(("case", "output", "compat", "robust"), cases("kandk_published"))
def test_published_vectors(case, output, compat, robust):
    assert KANDK.score_compat(QUERY, output).value == compat
    assert KANDK.score(QUERY, output).value == robust


@pytest.mark.parametrize(("case", "output", "robust"), cases("kandk_more"))
def test_shapes_of_conclusions(case, output, robust):
    score = KANDK.score(QUERY, output)
    assert score.value == robust, score


@pytest.mark.parametrize(
    ("output", "prediction", "explanation"),
    [
        ("CONCLUSION:\n(1) Zoey is a knave", "Zoey: knave", "no role for Oliver"),
        ("CONCLUSION:\nZoey: knave\nOliver: knave", "Zoey: knave, Oliver: knave", "wrong: Oliver"),
        (
            "CONCLUSION:\nZoey: knave, Zoey: knight\nOliver: knave",
            "Zoey: knave and knight, Oliver: knave",
            "two roles for Zoey",
        ),
        ("<think>Zoey", "", "no role for Zoey, Oliver; broke off inside its reasoning"),
        ("Zoey is a knave\nOlıver is a knight", "Zoey: knave", "no role for Oliver"),  # a dotless i
    ],
)
def test_the_score_says_who_is_wrong(output, prediction, explanation):
    score = KANDK.score(QUERY, output)
    assert (score.prediction, score.explanation) == (prediction, explanation)


def test_the_published_rule_cuts_the_conclusion_where_it_always_did():
    assert KANDK.score_compat(QUERY, f"CONCLUSION:\n{GOLD}\n### Reason: if so").value == 1
    assert KANDK.score_compat(QUERY, f"### Question: CONCLUSION:\n{GOLD}").value == 0
    assert KANDK.score_compat(QUERY, f"CONCLUSION:\n{GOLD}\nlet's go back and check if so").value == 1


def swapped(text):
    """Knights for knaves and the other way round."""
    return text.replace("knight", "?").replace("knave", "knight").replace("?", "knave")


def test_the_published_rule_takes_william_for_liam():
    query = Query(0, "Who?", "(1) William is a knight\n(2) Liam is a knight", metadata={"names": ["William", "Liam"]})
    assert KANDK.score_compat(query, "CONCLUSION:\n(1) William is a knight\n(2) Liam is a knave").value == 1
    assert KANDK.score(query, "CONCLUSION:\n(1) William is a knight\n(2) Liam is a knave").value == 0


def test_names_within_names_are_told_apart():
    query = Query(0, "Who?", "(1) Ann is a knight\n(2) Annabel is a knave", metadata={"names": ["Ann", "Annabel"]})
    assert KANDK.score(query, "CONCLUSION:\nAnn is a knight\nAnnabel is a knave").value == 1
    assert KANDK.score(query, "CONCLUSION:\nAnnabel is a knave").explanation == "no role for Ann"


def test_the_prompt_has_three_places_whatever_the_number_of_people():
    (message,) = KANDK.prompt(Query(0, "Four {people} met.", GOLD))
    assert "\n\nCONCLUSION:\n(1) ...\n(2) ...\n(3) ...\n\n### Question:\nFour {people} met.\n" in message["content"]
    assert message["content"].endswith("met.\n")


def test_a_row_whose_solution_misses_somebody_is_refused(tmp_path):
    (tmp_path / "kandk").mkdir()
    row = {"quiz": "Who?", "names": ["Zoey", "Oliver", "Jack"], "solution_text_format": GOLD}
    (tmp_path / "kandk" / "people2_num100.jsonl").write_text(json.dumps(row))
    with pytest.raises(BenchmarkError, match=r"people2_num100\.jsonl: .*Jack"):
        KANDK.load(tmp_path)


def test_a_missing_file_says_which_one_of_the_seven(tmp_path):
    with pytest.raises(BenchmarkError, match=r"kandk/people2_num100\.jsonl.*AlphaPav/mem-kk-logic.*data_dir"):
        KANDK.load(tmp_path)


@needs_data
def test_every_gold_solution_scores_one_and_a_changed_one_zero():
    queries = KANDK.load(DATA_DIR)
    assert [query.index for query in queries] == list(range(700))
    assert [len(queries[100 * block].metadata["names"]) for block in range(7)] == [2, 3, 4, 5, 6, 7, 8]
    for query in queries:
        gold = query.ground_truth
        last_line = gold.rpartition("\n")[2]
        wrong = gold.replace(last_line, swapped(last_line))
        shapes = (f"Reasons.\n\nCONCLUSION:\n{gold}", f"CONCLUSION:\n{gold.replace(' is a ', ': **')}")
        assert [KANDK.score(query, shape).value for shape in shapes] == [1, 1]
        assert [KANDK.score_compat(query, shape).value for shape in shapes] == [1, 0]
        assert KANDK.score(query, f"CONCLUSION:\n{wrong}").value == 0
        assert KANDK.score_compat(query, f"CONCLUSION:\n{swapped(gold)}").value == 0
        assert KANDK.score(query, "CONCLUSION:\n" + gold.rpartition("\n")[0]).value == 0

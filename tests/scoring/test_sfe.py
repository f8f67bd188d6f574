"""SFE: images in messages, answers that need no judge, grades from 0 to 10 in both profiles."""

import json

import pytest
from judged_by_hand import asked, content, endures, play, readers_endure

from inference.api_images import with_images
from scoring.benchmark import BenchmarkError, find
from store.records import Query

SFE = find("sfe")
ROW = {
    "question": "<image> Which class has the star in <image>?",
    "question_type": "mcq",
    "options": ["A. O", "B. G", "C. M"],
    "images": ["a.png", "b.jpg"],
    "field": "astronomy",
    "answer": "B",
}


def query(gold, kind="exact_match", options=None):
    metadata = {"question_type": kind, "options": options or {}, "images": [], "field": "biology"}
    return Query(0, "What is {shown}?", gold, metadata=metadata)


MCQ = query("B", "mcq", {"A": "O", "B": "G", "C": "M"})


@pytest.mark.parametrize(
    ("reply", "compat", "robust"),
    [
        ("7", 7, 7),
        ("Score: 7", 7, 7),
        ("8/10", 8, 8),
        ("I give 1 point: 9", 1, None),
        ("11", 0, None),
        ("seven", 0, None),
        ("7.5", 7, None),
        ("**7**", 7, 7),
        ("Almost right.\n\n10", 10, 10),
        ("8 out of 10", 8, 8),
        ("0", 0, 0),
        ("-3", 3, None),
        ("On the scale 0-10: 7", 0, None),
        ("3/100", 3, None),
        ("7" * 5000, 0, None),
        ("Generation failed: attempt 3", 3, None),
        ("<think>3? no, 2</think>\n8", 3, 8),
        ("<think>perhaps 3", 3, None),
        ("", 0, None),
    ],
)
def test_grades(reply, compat, robust):
    (question,), (published,) = (asked(judging(query("x"), "y")) for judging in (SFE.judging, SFE.judging_compat))
    assert published.read(reply) == compat
    assert question.read(reply) == robust


@pytest.mark.parametrize(
    ("output", "question", "value"),
    [
        ("B", MCQ, 1),
        ("<think>A?</think>The answer is **(B)**.", MCQ, 1),
        ("\\boxed{B}", MCQ, 1),
        ("G", MCQ, 1),
        ("Answer: C", MCQ, 0),
        ("B", query("B. G", "mcq", {"A": "O", "B": "G"}), 1),
        ("", MCQ, 0),
        ("Generation failed: B", MCQ, 0),
        ("Mitochondria.", query("mitochondria"), 1),
        ("The answer is **3.0 mm**.", query("3 mm"), 1),
        ("$1{,}200$", query("1200"), 1),
    ],
)
def test_what_is_beyond_doubt_needs_no_judge_but_had_one_as_published(output, question, value):
    assert SFE.score(question, output).value == value
    assert play(SFE.judging_compat(question, output), ["4"]).value == 0.4


@pytest.mark.parametrize(
    ("output", "question"),
    [
        ("Either A or B.", MCQ),
        ("A and C", query("A, C", "mcq", {"A": "O", "B": "G", "C": "M"})),
        ("organelles", query("mitochondria")),
        ("3.0", query("3 mm")),
        ("A comet.", query("A comet.", "open_ended")),
    ],
)
def test_the_rest_is_graded(output, question):
    score = play(SFE.judging(question, output), ["6"])
    assert score.value == 0.6
    assert score.explanation == "6 of 10"


def test_a_judge_sees_question_options_reference_and_the_answer_without_reasoning():
    judging = SFE.judging(query("B, C", "mcq", {"B": "G", "C": "M"}), "<think>hm {x}</think>B or C {y}")
    (question,) = asked(judging)
    for part in ("What is {shown}?", "Choices are:\nB. G\nC. M", "B, C", "B or C {y}"):
        assert part in content(question)
    assert "hm {x}" not in content(question)
    (published,) = asked(SFE.judging_compat(MCQ, "<think>hm</think>B"))
    assert "<think>hm</think>B" in content(published)


def write(tmp_path, row, images=("a.png", "b.jpg")):
    (tmp_path / "sfe" / "images").mkdir(parents=True)
    for name in images:
        (tmp_path / "sfe" / "images" / name).write_bytes(b"image")
    (tmp_path / "sfe" / "test.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


def parts(message):
    return [part["text"] if part["type"] == "text" else part["image_url"]["url"] for part in message["content"]]


def test_images_stand_where_their_tags_are(tmp_path):
    (loaded,) = SFE.queries(write(tmp_path, ROW))
    (message,) = loaded.messages
    before, first, between, second, after = parts(message)
    assert (first, second) == tuple(str(tmp_path / "sfe" / "images" / name) for name in ("a.png", "b.jpg"))
    assert "astronomy" in before
    assert between == "Which class has the star in"
    assert after == "?\nChoices are:\nA. O\nB. G\nC. M"
    assert (loaded.text, loaded.ground_truth) == (ROW["question"], "B")
    assert loaded.metadata["options"] == {"A": "O", "B": "G", "C": "M"}


def test_the_api_engine_takes_its_messages(tmp_path):
    (loaded,) = SFE.queries(write(tmp_path, ROW))
    sent, keyed = with_images(loaded.messages)
    urls = [part for part in parts(sent[0]) if part.startswith("data:")]
    assert [url.partition(";")[0] for url in urls] == ["data:image/png", "data:image/jpeg"]
    assert sum(part.startswith("sha256:") for part in parts(keyed[0])) == 2


@pytest.mark.parametrize(
    ("question", "images", "shapes"),
    [
        ("What?", ["a.png", "b.jpg"], ["text", "image_url", "image_url"]),  # without tags: after the text
        ("<image>What?", ["a.png", "b.jpg"], ["text", "image_url", "text", "image_url"]),
        ("<IMAGE><image><image>What?", ["a.png"], ["text", "image_url", "text"]),  # tags without an image vanish
        ("What?", [], ["text"]),
    ],
)
def test_tags_and_images_need_not_agree(tmp_path, question, images, shapes):
    (loaded,) = SFE.queries(write(tmp_path, ROW | {"question": question, "images": images}))
    assert [part["type"] for part in loaded.messages[0]["content"]] == shapes


def test_options_without_letters_get_some(tmp_path):
    (loaded,) = SFE.load(write(tmp_path, ROW | {"options": ["O", "G"], "answer": "G"}))
    assert loaded.metadata["options"] == {"A": "O", "B": "G"}
    assert SFE.score(loaded, "B").value == 1


def test_a_discipline_may_be_missing_and_an_answer_a_number(tmp_path):
    row = {"question": "How many?", "question_type": "Exact_Match", "images": [], "answer": 3}
    (loaded,) = SFE.queries(write(tmp_path, row))
    assert "science" in loaded.messages[0]["content"][0]["text"]
    assert SFE.score(loaded, "3.0").value == 1


def test_an_image_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BenchmarkError, match=r"row 0: there is no image .*images/b\.jpg.*PrismaX/SFE"):
        SFE.load(write(tmp_path, ROW, images=("a.png",)))


@pytest.mark.parametrize(("field", "value"), [("question_type", "essay"), ("images", [1]), ("options", [2])])
def test_a_row_of_another_form_is_refused(tmp_path, field, value):
    with pytest.raises(BenchmarkError, match=r"sfe/test\.jsonl, row 0"):
        SFE.load(write(tmp_path, ROW | {field: value}))


def test_a_missing_file_says_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"sfe/test\.jsonl.*PrismaX/SFE.*data_dir"):
        SFE.load(tmp_path)


def test_no_text_and_no_reply_breaks_it():
    for question in (MCQ, query("3 mm"), query("a comet", "open_ended")):
        endures(SFE, question)
    readers_endure(*(asked(judging(query("x"), "y"))[0].read for judging in (SFE.judging, SFE.judging_compat)))

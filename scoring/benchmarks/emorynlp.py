"""EmoryNLP: the emotion of an utterance in its conversation, seven to choose from; 984 utterances of 79 scenes.

Data: data/emorynlp/emorynlp_test_final.csv of the GitHub repository declare-lab/MELD, the version of the test set that
most later work uses (annotation by emorynlp/emotion-detection, Apache-2.0; the transcripts are of a television series),
here <data_dir>/emorynlp/emorynlp_test_final.csv. A row:

    Utterance,Speaker,Emotion,Scene_ID,Utterance_ID,Season,Episode,Start_Time,End_Time
    It's a beautiful thing.,['Chandler Bing'],Joyful,4,4,1,1,00:09:43.416,00:09:48.169

The published tables use 697 utterances, chosen by an unknown rule, with their options in an unknown order; a seeded
sample of the full test set stands in for them.

Answer: the letter that `scoring.graders.choice.letter` finds after the reasoning, compared with the gold letter. The
published rule is `letter_compat` over A to G (LLMRouterBench, section EmoryNLP). Literature reports weighted F1.
"""

import re
from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.csv_rows import read_csv
from scoring.dialogues import Turn, emotion_prompt, emotion_queries
from scoring.graders.choice import letter, letter_compat
from scoring.graders.reasoning import answer_part, why
from scoring.rows import find_file
from scoring.source import Source
from store.records import Message, Query, Score

_EMOTIONS = ("Joyful", "Mad", "Neutral", "Peaceful", "Powerful", "Sad", "Scared")
_SOURCE = "data/emorynlp/emorynlp_test_final.csv of the GitHub repository declare-lab/MELD"
_SPEAKER = re.compile(r"'([^']*)'|\"([^\"]*)\"")


class EmoryNLP(Benchmark):
    """The test utterances of EmoryNLP."""

    name = "emorynlp"
    source = Source(
        host="github", repository="declare-lab/MELD", revision="2d2011b409d3ca2d7e94460cd007d434b1d0a102",
        files={"emorynlp_test_final.csv": "data/emorynlp/emorynlp_test_final.csv"},
    )  # fmt: skip
    scorer_version = 2

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "emorynlp/emorynlp_test_final.csv", _SOURCE)
        columns = ("Utterance", "Speaker", "Emotion", "Scene_ID", "Season", "Episode")
        turns = []
        for index, row in enumerate(read_csv(path, columns)):
            if row["Emotion"] not in _EMOTIONS:
                raise BenchmarkError(f"{path}, row {index}: the emotion {row['Emotion']!r} is none of {_EMOTIONS}")
            speakers = [one or other for one, other in _SPEAKER.findall(row["Speaker"])]
            scene = (row["Season"], row["Episode"], row["Scene_ID"])
            turns.append(Turn(scene, " and ".join(speakers) or row["Speaker"], row["Utterance"], row["Emotion"]))
        return emotion_queries(turns, _EMOTIONS)

    def prompt(self, query: Query) -> list[Message]:
        return emotion_prompt(query)

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        prediction = letter(answer, query.metadata["options"])
        found = f"chose {prediction}" if prediction else "no letter"
        return Score(float(prediction == query.ground_truth), prediction, why(found, truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        prediction = letter_compat(text, "A-G")
        return Score(float(prediction == query.ground_truth), prediction)

"""MELD: the emotion of an utterance in its conversation, seven to choose from; 2,610 utterances of 280 dialogues.

Data: data/MELD/test_sent_emo.csv of the GitHub repository declare-lab/MELD (GPL-3.0; the transcripts are of a
television series), here <data_dir>/meld/test_sent_emo.csv. Two rows, shortened:

    Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime
    3,Y'know what?,Rachel,neutral,neutral,0,2,3,19,"00:14:56,353","00:14:57,520"

The published tables use 1,232 of these utterances, chosen by an unknown rule, with their options in an unknown order; a
seeded sample of the full test set stands in for them.

Answer: the letter that `scoring.graders.choice.letter` finds after the reasoning, compared with the gold letter. The
published rule is `letter_compat` over A to G (LLMRouterBench, section MELD). Literature on MELD reports weighted F1.
"""

from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.csv_rows import read_csv
from scoring.dialogues import Turn, emotion_prompt, emotion_queries
from scoring.graders.choice import letter, letter_compat
from scoring.graders.reasoning import answer_part, why
from scoring.rows import find_file
from scoring.source import Source
from store.records import Message, Query, Score

_EMOTIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
_SOURCE = "data/MELD/test_sent_emo.csv of the GitHub repository declare-lab/MELD"


class MELD(Benchmark):
    """The test utterances of MELD."""

    name = "meld"
    source = Source(
        host="github", repository="declare-lab/MELD", revision="2d2011b409d3ca2d7e94460cd007d434b1d0a102",
        files={"test_sent_emo.csv": "data/MELD/test_sent_emo.csv"},
    )  # fmt: skip
    scorer_version = 2

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "meld/test_sent_emo.csv", _SOURCE)
        turns = []
        for index, row in enumerate(read_csv(path, ("Utterance", "Speaker", "Emotion", "Dialogue_ID"))):
            if row["Emotion"] not in _EMOTIONS:
                raise BenchmarkError(f"{path}, row {index}: the emotion {row['Emotion']!r} is none of {_EMOTIONS}")
            turns.append(Turn(row["Dialogue_ID"], row["Speaker"], row["Utterance"], row["Emotion"]))
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

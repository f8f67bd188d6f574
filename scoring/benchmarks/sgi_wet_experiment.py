"""SGI-Bench, wet experiment: 68 laboratory protocols to plan from given actions and materials.

Data: InternScience/SGI-WetExperiment as JSON lines, in LLMRouterBench data/sgibench/wet_experiment/test.jsonl
(927,918 bytes), here <data_dir>/sgi_wet_experiment/test.jsonl or test.jsonl.gz. A row, shortened and made up:

    {"idx": "SGI_WetExperiment_0000", "question": "Plan the measurement of … The actions are: <Lyse cells> …",
     "answer": "lysate = <Lyse cells>(\n    cells=\"HEK293T\"\n)\n\nprotein = <Measure protein>(\n    sample=lysate\n)"}

Answer: the steps between the answer tags, compared with those of the gold protocol. The score is the mean of two
measures, the order of the actions and the share of steps with the right parameters (`scoring.graders.protocol`, also
for where the published rule differs). A protocol with another number of steps has no order in common with the gold
one: so strict are the authors; their later, lenient measure is another one.
"""

from pathlib import Path

from scoring.benchmark import Benchmark
from scoring.graders import protocol
from scoring.graders.answer_tag import tagged, tagged_compat
from scoring.graders.reasoning import answer_part, why
from scoring.rows import find_file, read_rows
from store.records import Message, Query, Score

_SOURCE = "the 68 rows of the data set InternScience/SGI-WetExperiment as JSON lines"
_FORM = """

Put the final protocol between <answer> and </answer>: each step as a call that names its product, its action in angle brackets, and its parameters one a line. For example:
<answer>
lysate = <Lyse cells>(
    cells="HEK293T",
    volume_ml=2
)

protein = <Measure protein>(
    sample=lysate,
    method="BCA assay"
)
</answer>
"""  # noqa: E501


class SGIWetExperiment(Benchmark):
    """The protocols of SGI-Bench's wet experiments."""

    name = "sgi_wet_experiment"

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, f"{self.name}/test.jsonl", _SOURCE)
        rows = read_rows(path, {"question": str, "answer": str})
        return [
            Query(index, row["question"], row["answer"], metadata={"discipline": row.get("discipline", "")})
            for index, row in enumerate(rows)
        ]

    def prompt(self, query: Query) -> list[Message]:
        return [{"role": "user", "content": query.text + _FORM}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        prediction = tagged(answer) or answer
        wanted, found = protocol.read(query.ground_truth), protocol.read(prediction)
        if not wanted:
            return Score(float("nan"), prediction, "the gold protocol has no step that can be read")
        if not found:
            return Score(0.0, prediction, why("no step", truncated))
        order = protocol.order_similarity(wanted, found)
        parameters = protocol.parameter_accuracy(wanted, found)
        return Score((order + parameters) / 2, prediction, why(_measures(order, parameters), truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        prediction = tagged_compat(text)
        prediction = text if prediction is None else prediction
        wanted, found = protocol.read_compat(query.ground_truth), protocol.read_compat(prediction)
        if not wanted or not found:
            return Score(0.0, prediction, "no step")
        order = protocol.order_similarity_compat(wanted, found)
        parameters = protocol.parameter_accuracy(wanted, found)
        return Score((order + parameters) / 2, prediction, _measures(order, parameters))


def _measures(order: float, parameters: float) -> str:
    return f"order {order:.3f}, parameters {parameters:.3f}"

"""The figures that LLMRouterBench prints (arXiv 2601.07206), under the names used here.

`published_data/` has them as files with a row per model, reference or router and a column per benchmark: Tables 4, 5, 6
(single models, all queries), 11, 12, 13 (test split, mean of five seeds), the sizes of Table 9, and in `metrics.csv`
the bars of Figures 4, 7, 8 and Table 10. Accuracies are percent and costs USD there as printed. The captions of Tables
6 and 13 give another unit for the costs; they are totals in USD (spec C.9). Blank: not printed.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from scoring.metrics import Floats, random_expectation

SETTINGS = ("performance", "performance_cost")
SEEDS = (42, 999, 2024, 2025, 3407)
TRAIN_SHARE = 0.7
ENCODER = "gte-Qwen2-7B-instruct"
MODELS_TABLE = {"performance": ("4", None), "performance_cost": ("5", "6")}  # accuracy and cost over all queries
TEST_TABLE = {"performance": ("11", None), "performance_cost": ("12", "13")}  # the same on the test split
TRADE_OFFS = {"PF": 0.0, "BL": 0.5, "CF": 0.8}  # weight of the cost in GraphRouter's three scenarios
# category -> benchmark -> its name in the paper's tables
CATEGORIES = {
    "Mathematics": {"aime": "AIME", "math500": "M500", "mathbench": "MBen", "livemathbench": "LMB"},
    "Code": {"mbpp": "MBPP", "humaneval": "HE", "livecodebench": "LCB", "swe_bench": "SWE"},
    "Logic": {"korbench": "KOR", "kandk": "K&K", "bbh": "BBH"},
    "Knowledge": {"mmlupro": "MP", "gpqa": "GPQA", "finqa": "FQA", "medqa": "MQA", "hle": "HLE", "simpleqa": "SQA"},
    "Affective": {"emorynlp": "Emory", "meld": "MELD"},
    "Instruction Following": {"arenahard": "AHARD"},
    "Tool Use": {"tau2": "Tau2"},
}
_COSTS = ("6", "13")
_DATA = Path(__file__).with_name("published_data")


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One printed table.

    Attributes:
        number: of the table in the paper. kinds: "model", "reference" or "router" of each row.
        names: the names that models and references have here, routers as printed.
        trade_offs: as printed ("0.65", "PF"), "" where a row has none.
        overall: [n_rows], the printed mean over benchmarks or total, NaN where there is none.
        value: [n_rows, n_benchmarks], accuracy in [0, 1] or USD, NaN where not printed.
    """

    number: str
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    trade_offs: tuple[str, ...]
    overall: Floats
    value: Floats

    def row(self, name: str, trade_off: str = "") -> int:
        """Number of a row; ValueError where there is none."""
        return list(zip(self.names, self.trade_offs, strict=True)).index((name, trade_off))

    def of_kind(self, kind: str) -> Floats:
        """The values of the rows of one kind, [n, n_benchmarks]."""
        return self.value[np.array(self.kinds) == kind]

    def random_expectation(self, models: Iterable[str] = ()) -> Floats:
        """What a uniform choice among printed models is expected to reach (or cost) on each benchmark.

        The mean over the models that have the benchmark: exact, since every model has all queries of its benchmarks.

        Args:
            models: names; none: all that are printed.

        Returns:
            [n_benchmarks] in the unit of the table.
        """
        rows = [self.row(name) for name in models]
        value = (self.value[rows] if rows else self.of_kind("model")).T  # a benchmark is a query here
        return random_expectation(value, value)[0]


@dataclass(frozen=True, slots=True)
class PublishedSetting:
    """The tables of one setting, all over the same benchmarks; `n_queries` is their size in Table 9."""

    name: str
    benchmarks: tuple[str, ...]
    n_queries: tuple[int, ...]
    models: tuple[str, ...]
    tables: dict[str, PublishedTable]


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """One number of a figure, or of Table 10 with the encoder it belongs to; a fraction, ParetoDist as it is."""

    source: str
    setting: str
    name: str
    encoder: str
    metric: str
    value: float


@cache
def published_setting(name: str) -> PublishedSetting:
    """The tables of "performance" or "performance_cost"."""
    with (_DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        head, sizes, *lines = csv.reader(file)
    tables = {number: _table(number, lines) for number in dict.fromkeys(line[0] for line in lines)}
    first = tables[MODELS_TABLE[name][0]]
    return PublishedSetting(name, tuple(head[5:]), tuple(map(int, sizes[5:])), first.names, tables)


@cache
def published_figures() -> tuple[PublishedFigure, ...]:
    """The bars of Figures 4, 7 and 8, and Table 10."""
    with (_DATA / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            PublishedFigure(
                row["source"], row["setting"], row["name"], row["encoder"], row["metric"],
                float(row["value"]) if row["metric"] == "pareto_dist" else round(float(row["value"]) / 100, 6),
            )
            for row in csv.DictReader(file)
        )  # fmt: skip


def closest_setting(models: Iterable[str]) -> PublishedSetting | None:
    """The published setting that shares most models with these; None if neither shares any."""
    own = set(models)
    most = max((published_setting(name) for name in SETTINGS), key=lambda setting: len(own & set(setting.models)))
    return most if own & set(most.models) else None


def canonical(name: str) -> str:
    """A benchmark or an encoder whatever stands between its words: swe-bench, org/all-MiniLM-L6-v2."""
    return re.sub(r"[-. ]", "_", name.rpartition("/")[2]).lower()


def categories(benchmarks: Sequence[str]) -> dict[str, list[int]]:
    """Category -> numbers of the benchmarks that the paper puts there, in its order; only those that have any."""
    own = [canonical(name) for name in benchmarks]
    numbers = {category: [i for i, name in enumerate(own) if name in names] for category, names in CATEGORIES.items()}
    return {category: found for category, found in numbers.items() if found}


def _table(number: str, lines: list[list[str]]) -> PublishedTable:
    rows = [line[1:] for line in lines if line[0] == number]
    kinds, names, trade_offs = (tuple(column) for column in list(zip(*rows, strict=True))[:3])
    value = np.array([[float(cell) if cell else np.nan for cell in row[3:]] for row in rows])
    if number not in _COSTS:
        value = np.round(value / 100, 6)
    return PublishedTable(number, kinds, names, trade_offs, value[:, 0], value[:, 1:])

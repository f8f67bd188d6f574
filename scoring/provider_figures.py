"""What providers say about the speed of their models, from a dated table that a user names (C.15)."""

import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from scoring.csv_rows import read_csv
from store.errors import RouteyardError

_COLUMNS = ("model", "ttft_s", "tokens_per_s", "date")
_REMEDY = "mend the file, or leave report.latency out"


@dataclass(frozen=True, slots=True)
class ProviderFigures:
    """Speeds of models.

    Attributes:
        speed: model -> seconds to the first token, output tokens a second; both above 0.
        source: the file's name, where its figures are from if it says so, and the day or days they are of.
    """

    speed: dict[str, tuple[float, float]]
    source: str


def read_provider_figures(path: Path) -> ProviderFigures:
    """Read a CSV with the columns model, ttft_s, tokens_per_s, date (as 2026-01-05) and, if wanted, source.

    Raises:
        RouteyardError: the file cannot be read, lacks a column, a number is not above 0, a date is none, or a model
            stands there twice. One line with file, model and value.
    """
    speed: dict[str, tuple[float, float]] = {}
    days, sources = [], dict[str, None]()
    for row in read_csv(path, _COLUMNS, remedy=_REMEDY):
        model = row["model"].strip()
        where = f"{path}, model {model!r}"
        if model in speed:
            raise RouteyardError(f"{where}: stands there twice; leave one of its rows out")
        speed[model] = _above_zero(row, "ttft_s", where), _above_zero(row, "tokens_per_s", where)
        days.append(_day(row["date"], where))
        sources[row.get("source", "").strip()] = None
    named = ", ".join(filter(None, sources))
    period = " to ".join(dict.fromkeys((min(days), max(days))))
    return ProviderFigures(speed, f"{path.name}{f' ({named})' if named else ''}, {period}")


def _above_zero(row: dict[str, str], column: str, where: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise RouteyardError(f"{where}: {column} is {row[column]!r}, expected a number above 0; {_REMEDY}")
    return value


def _day(text: str, where: str) -> str:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise RouteyardError(f"{where}: date is {text!r}, expected one like 2026-01-05; {_REMEDY}") from None

"""How a number of a report is written: percent with two decimals, costs by their size, a dash where it is unknown."""

from collections.abc import Callable

import numpy as np

from scoring.table_formats import UNKNOWN


def percent(fraction: float | None) -> str:
    return UNKNOWN if fraction is None else f"{100 * fraction + 0.0:.2f}"


def signed_percent(fraction: float | None) -> str:
    return UNKNOWN if fraction is None else f"{round(100 * fraction, 2) + 0.0:+.2f}"  # + 0.0: no minus before a zero


def span(ends: list[float | None], write: Callable[[float | None], str]) -> str:
    return UNKNOWN if ends[0] is None else f"[{write(ends[0])}, {write(ends[1])}]"


def decimals(number: float | None, n_decimals: int) -> str:
    return UNKNOWN if number is None else f"{number:.{n_decimals}f}"


def p_value(p: float | None) -> str:
    """Three decimals; what would be written as 0.000 is only bounded."""
    return "<0.001" if p is not None and p < 0.001 else decimals(p, 3)


def seconds(duration: float | None) -> str:
    return decimals(duration, 0 if (duration or 0) >= 100 else 1 if (duration or 0) >= 1 else 3)


def usd(amount: float | None) -> str:
    """Two decimals from a dollar on, three significant digits below."""
    if amount is None:
        return UNKNOWN
    return f"{amount:.2f}" if amount >= 1 or amount == 0 else plain(amount)


def plain(number: float | None) -> str:
    """Three significant digits without an exponent and without trailing zeros."""
    return UNKNOWN if number is None else np.format_float_positional(number, 3, fractional=False, trim="-")

"""How numbers of a report are written."""

import pytest

from scoring.number_formats import p_value
from scoring.table_formats import UNKNOWN, Column, Table, as_latex, as_markdown


@pytest.mark.parametrize(
    ("p", "text"),
    [(None, UNKNOWN), (1.0, "1.000"), (0.0496, "0.050"), (0.001, "0.001"), (0.00099, "<0.001"), (0.0, "<0.001")],
)
def test_a_p_value_is_never_written_as_zero(p, text):
    assert p_value(p) == text


def test_a_bound_is_readable_in_every_format():
    table = Table("t", "T", "", (Column("name", ("a",), is_text=True), Column("p", (p_value(0.0),))), ("router",))
    assert "| a | \\<0.001 |" in as_markdown(table)
    assert "a & $<$0.001" in as_latex(table)

"""Routers against each other: the matrix of a made-up list of pairs."""

from itertools import combinations

from scoring.pairs_table import MOST_ROUTERS, pairs_table


def row(name, avg_acc, is_reference=False):
    return {"name": name, "avg_acc": avg_acc, "is_reference": is_reference}


def pair(a, b, difference, p_holm):
    ends = [None, None] if difference is None else [difference - 0.01, difference + 0.01]
    return {
        "a": a, "b": b, "difference": difference, "difference_interval": ends, "p_value": p_holm, "p_holm": p_holm,
        "is_distinguishable": None if difference is None else ends[0] > 0 or ends[1] < 0,
    }  # fmt: skip


RESULT = {
    "routers": [row("low", 0.5), row("told", 0.9, is_reference=True), row("part", None), row("high", 0.75),
                row("middle", 0.6)],
    "pairs": [pair("low", "high", -0.25, 0.05), pair("middle", "low", 0.1, 0.051), pair("high", "middle", 0.15, 0.01),
              pair("part", "low", None, None)],
}  # fmt: skip


def test_the_best_stand_first_and_a_cell_is_the_row_minus_the_column():
    table = pairs_table(RESULT)
    assert [column.title for column in table.columns] == ["", "high", "middle", "low"]
    assert list(zip(*(column.cells for column in table.columns), strict=True)) == [
        ("high", "–", "+15.00*", "+25.00*"),
        ("middle", "-15.00*", "–", "+10.00"),
        ("low", "-25.00*", "-10.00", "–"),
    ]
    assert set(table.kinds) == {"router"}
    assert "best of" not in table.caption


def test_no_minus_stands_before_a_zero():
    result = {"routers": [row("a", 0.5), row("b", 0.5)], "pairs": [pair("a", "b", 1e-9, 1.0)]}
    assert [column.cells for column in pairs_table(result).columns[1:]] == [("–", "+0.00"), ("+0.00", "–")]


def test_of_many_routers_the_best_are_compared_and_the_caption_says_so():
    names = [f"router {i}" for i in range(20)]
    routers = [row(name, i / 100) for i, name in enumerate(names)]
    table = pairs_table({"routers": routers, "pairs": [pair(a, b, -0.01, 1.0) for a, b in combinations(names, 2)]})
    assert table.columns[0].cells == tuple(names[: -1 - MOST_ROUTERS : -1])
    assert len(table.columns) == 1 + MOST_ROUTERS
    assert table.caption.startswith("The 15 best of 20 routers.")

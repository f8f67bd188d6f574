"""Pool sizes as a table and as records; what nobody knows is left out."""

from scoring.pool_size_table import pool_size_records, pool_size_table

FIGURES = {
    "k": [1, 2], "selected": [0.5, 0.75], "random_mean": [0.4, 0.75], "random_low": [0.3, 0.75],
    "random_high": [0.5, 0.75], "greedy": [None, None], "n_samples": 100, "quantiles": [0.05, 0.95],
}  # fmt: skip


def test_a_row_per_size():
    table = pool_size_table({"pool_size": FIGURES})
    assert [column.title for column in table.columns] == [
        "Models", "Best k, in hindsight", "Random k, mean", "Random k, 5% to 95%",
    ]  # fmt: skip
    assert [column.cells for column in table.columns] == [
        ("1", "2"), ("50.00", "75.00"), ("40.00", "75.00"), ("[30.00, 50.00]", "[75.00, 75.00]"),
    ]  # fmt: skip
    assert not table.columns[0].is_text  # 10 is more than 9


def test_a_record_per_size():
    assert pool_size_records({"pool_size": FIGURES})[0] == {
        "k": 1, "selected": 0.5, "random_mean": 0.4, "random_low": 0.3, "random_high": 0.5, "greedy": None,
    }  # fmt: skip

"""Latencies of references, models and routers by hand: means, cascades, unknown speeds, the front."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from test_reduction import router, small

from scoring.latency_figures import latency_figures
from scoring.latency_table import latency_table
from scoring.provider_figures import ProviderFigures
from scoring.reduction import reduce
from scoring.tables import table_files, tables

SPEED = {"cheap": (1.0, 10.0), "good": (2.0, 10.0), "dear": (5.0, 100.0), "elsewhere": (1.0, 1.0)}
# seconds: cheap 1 + 1 on add and 1 + 3 on sort, good 2 + 1 and 2 + 3, dear 5 + 0.1 and 5 + 0.3
TOKENS = np.repeat([[10.0], [30.0]], 4, axis=0) * np.ones(3)


def figures(evaluation=None, tokens=TOKENS, speed=SPEED):
    evaluation = evaluation or small()
    result = reduce(evaluation, n_resamples=20)
    latency, notes = latency_figures(evaluation, result, tokens, ProviderFigures(speed, "providers.csv, 2026-01-05"))
    return result | {"latency": latency, "notes": result["notes"] + notes}, notes


def seconds(result):
    return {(row["name"], row["trade_off"]): row["latency_s"] for row in result["latency"]["rows"]}


def test_means_by_hand():
    result, notes = figures()
    found = seconds(result)
    assert notes == []
    assert found["cheap", None] == 3.0
    assert found["good", None] == 4.0
    assert found["dear", None] == pytest.approx(5.2)
    assert found["fixed", None] == found["good", None]
    assert found["curve", 0.0] == found["cheap", None]
    assert found["curve", 1.0] == pytest.approx(found["dear", None])
    # seed 42 chooses good, good on add, cheap, good on sort; seed 999 good, cheap, dear on its rows 6, 2, 3, 7
    assert found["curve", 0.5] == pytest.approx(np.mean([[3, np.mean([4, 5])], [np.mean([3, 2]), np.mean([5, 5.3])]]))
    assert found["Random", None] == pytest.approx(np.mean([np.mean([2, 3, 5.1]), np.mean([4, 5, 5.3])]))
    assert found["Dataset Oracle", None] == 4.0
    assert "told" not in {name for name, _ in found}


def test_the_oracle_waits_for_the_model_that_it_pays():
    # the cheapest of the best: add cheap, good, good, cheap; sort cheap, good, good, dear
    per_seed = [[np.mean([2, 3]), np.mean([4, 5])], [np.mean([3, 2]), np.mean([5, 5.3])]]
    assert seconds(figures()[0])["Oracle", None] == pytest.approx(np.mean(per_seed))


def test_the_calls_of_a_cascade_add_up():
    calls = np.tile(np.eye(3), (1, 1, 1))
    calls[0, 1] = [2, 1, 0]  # good answers after cheap was asked twice
    cascade = router("cascade", [[1, 1, 1, 1]], [[1, 1, 1, 1]], calls=calls)
    found = seconds(figures(small(routers=(cascade,)))[0])
    assert found["cascade", None] == 2 * found["cheap", None] + found["good", None]


def test_unknown_speeds_and_tokens_leave_rows_out_and_a_note_names_them():
    tokens = TOKENS.copy()
    tokens[6, 0] = np.nan  # a test query of the second seed
    result, notes = figures(tokens=tokens, speed={"cheap": SPEED["cheap"], "good": SPEED["good"]})
    assert set(seconds(result)) == {("good", None), ("fixed", None), ("Dataset Oracle", None)}
    assert len(notes) == 1
    assert "providers.csv, 2026-01-05" in notes[0]
    assert notes[0].endswith(": Random, Oracle, cheap, dear, curve.")


def test_a_missing_pair_is_left_out_of_the_mean():
    evaluation, tokens = small(), TOKENS.copy()
    score, cost = evaluation.score.copy(), evaluation.cost.copy()
    score[0, 1] = cost[0, 1] = tokens[0, 1] = np.nan
    tokens[1, 1] = 20.0
    found = seconds(figures(replace(evaluation, score=score, cost=cost), tokens)[0])
    assert found["good", None] == np.mean([[4, 5], [3, 5]])


def test_a_collected_router_has_none():
    parts = {"collected": ("auto",), "collected_score": np.ones((8, 1)), "collected_cost": np.ones((8, 1))}
    result, notes = figures(small(**parts))
    assert ("auto", None) not in seconds(result)
    assert notes[0].endswith(": auto.")


def test_the_front_is_of_models_and_routers_with_a_cost():
    result, _ = figures()
    rows = {(row["name"], row["trade_off"]): row for row in result["latency"]["rows"]}
    assert {key for key, row in rows.items() if row["is_on_front"]} == {
        ("cheap", None), ("curve", 0.0), ("good", None), ("fixed", None), ("curve", 0.5),
    }  # fmt: skip
    assert rows["dear", None]["is_on_front"] is False
    assert rows["Oracle", None]["is_on_front"] is None
    without = figures(replace(small(), cost=np.full((8, 3), np.nan)))[0]
    assert {row["is_on_front"] for row in without["latency"]["rows"]} == {None}


def test_the_table_has_the_headline_trade_offs_and_the_records_all():
    result, _ = figures()
    table = latency_table(result)
    assert [column.title for column in table.columns][1:] == [
        "Latency s", "AvgAcc", "Cost USD", "Trade-off", "Front",
    ]  # fmt: skip
    assert table.columns[0].cells[:3] == ("Random", "Dataset Oracle", "Oracle")
    assert table.columns[0].cells.count("curve") == 1
    assert "providers.csv, 2026-01-05" in table.caption
    assert "latency" in {table.name for table in tables(result)}
    files = table_files(result)
    assert {"latency.md", "latency.tex", "latency.csv", "latency.parquet"} <= set(files)
    rows = list(csv.DictReader(io.StringIO(files["latency.csv"].decode())))
    assert [row["trade_off"] for row in rows if row["name"] == "curve"] == ["0.0", "0.5", "1.0"]

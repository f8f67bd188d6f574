"""RouterEval's metrics by hand, the published relations between them, and the layout of its tables."""

from pathlib import Path

import numpy as np
import pytest

from scoring.routereval import (
    DATASETS,
    Figures,
    e_p,
    mu_o,
    r_o,
    reference_figures,
    router_figures,
    softmax,
    v_b,
    v_r,
)
from scoring.routereval_tables import Cell, mean_over_groups, table_files

PUBLISHED = Path(__file__).parents[2].parent / "shared" / "spec" / "published"
SCORE = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def test_metrics_by_hand():
    assert mu_o(SCORE, np.array([0, 0, 1, 0])) == 0.5
    assert v_r(0.5, 0.4) == 1.25
    assert v_b(0.75, SCORE) == 1.5
    assert np.isnan(v_b(0.0, np.zeros((2, 2))))
    assert e_p(np.array([[0.5, 0.5], [1.0, 0.0]])) == 0.5
    assert e_p(np.array([[1.0, 0.0]])) == 0.0
    np.testing.assert_allclose(softmax(np.array([[0.0, np.log(3.0), -np.inf]])), [[0.25, 0.75, 0.0]])


def test_r_o_by_hand():
    assert r_o(SCORE, 1.0) == (0.75, 0.5)  # certain twice; nobody right, and both: one bit each
    assert r_o(SCORE, 0.0) == (0.5, 1.0)
    mean, entropy = r_o(SCORE, 0.5)
    quarter = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    assert mean == 0.625
    assert entropy == pytest.approx((2 * quarter + 2) / 4)


def test_r_o_equals_its_simulation():
    rng, n_draws = np.random.default_rng(3), 20_000
    score = rng.integers(0, 5, (20, 4)) / 4
    anyone = score[np.arange(20), rng.integers(0, 4, (n_draws, 20))]
    drawn = np.where(rng.random((n_draws, 20)) < 0.5, score.max(axis=1), anyone).mean(axis=1)
    assert abs(drawn.mean() - r_o(score, 0.5)[0]) < 4 * drawn.std() / np.sqrt(n_draws)


def test_figures_of_references_and_of_a_router():
    references = reference_figures("routereval_math", SCORE)
    assert references["Oracle"] == Figures(0.75, 0.75 / 0.4, 1.5, 0.5)
    assert references["Random"] == Figures(0.5, 0.5 / 0.4, 1.0, 1.0)
    found = router_figures("routereval_math", SCORE, np.array([0, 0, 1, 1]), np.zeros((4, 2)))
    assert found == Figures(0.75, 0.75 / 0.4, 1.5, 1.0)


def cells():
    groups = {"all-strong": 0.2, "all-weak": 0.4, "strong-to-weak": 0.9}
    found = {
        Cell(m, router, "routereval_mmlu", group): Figures(value, value / 0.864, value * 2, m * value)
        for m in (3, 5)
        for router in ("knn", "Oracle")
        for group, value in groups.items()
    }
    found[Cell(3, "lost", "routereval_mmlu", "all-weak")] = Figures(1.0, 1.0, 1.0, 1.0)
    found[Cell(3, "knn", "routereval_gpqa", "all-weak")] = Figures(1.0, 1.0, 1.0, 1.0)
    return found


def test_an_entry_is_the_mean_over_the_three_groups_or_unknown():
    np.testing.assert_allclose(mean_over_groups(cells(), 3, "knn", "routereval_mmlu"), (0.5, 0.5 / 0.864, 1.0, 1.5))
    assert mean_over_groups(cells(), 3, "lost", "routereval_mmlu") is None


def test_tables_have_the_published_layout():
    files = table_files(cells())
    tables = ("routereval_table1", "routereval_table2", "routereval_table3")
    assert set(files) == {f"{name}.{suffix}" for name in tables for suffix in ("md", "tex", "csv", "parquet")}
    lines = files["routereval_table1.md"].decode().splitlines()
    assert lines[4] == r"| Router | m | MMLU mu\_o | MMLU V\_R | MMLU V\_B | MMLU E\_p |"
    assert lines[6:9] == [
        "| Oracle | 3 | 0.50 | 0.58 | 1.00 | 1.50 |", "| knn | 3 | 0.50 | 0.58 | 1.00 | 1.50 |",
        "| lost | 3 | – | – | – | – |",
    ]  # fmt: skip
    assert r"MMLU mu\_o & MMLU V\_R" in files["routereval_table1.tex"].decode()
    assert files["routereval_table1.tex"].decode().count(r"\midrule") == 2  # under the head, and between sizes
    csv = files["routereval_table1.csv"].decode().splitlines()
    assert csv[:2] == ["m,router,dataset,metric,value", "3,Oracle,MMLU,mu_o,0.5"]
    assert "3,knn,GPQA,all-weak,E_p,1.0" in files["routereval_table3.csv"].decode().splitlines()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_names_and_reference_accuracies_are_those_of_the_published_tables(number):
    path = PUBLISHED / f"routereval_table{number}.csv"
    if not path.exists():
        pytest.skip(f"no {path}")
    head, *lines = path.read_text().splitlines()
    rows = [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]
    names = dict(DATASETS.values())
    assert {row["dataset"] for row in rows} <= set(names)
    shown = [name for name, _ in DATASETS.values()]
    assert {row["dataset"] for row in rows} == set({1: shown[:8], 2: shown[8:], 3: ["MMLU"]}[number])
    value = {(row["m"], row["router"], row["dataset"], row["metric"]): float(row["value"]) for row in rows}
    for (m, router, dataset, metric), mean in value.items():
        if metric == "mu_o":  # both are printed with two decimals
            ratio = value[m, router, dataset, "V_R"]
            assert abs(v_r(mean, names[dataset]) - ratio) <= 0.005 + 0.005 / names[dataset] + 1e-9

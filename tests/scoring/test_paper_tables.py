"""Tables in the paper's layout: order, marks as in the printed tables, LaTeX whose braces and columns add up."""

import csv
import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from test_comparison import run
from test_report import evaluation

from scoring.paper_tables import encoder_figures, encoder_table, marks, paper_table_files, paper_tables
from scoring.published import CATEGORIES, SETTINGS, published_setting
from scoring.reduction import reduce
from scoring.table_formats import UNKNOWN, as_latex, as_markdown

SPEC = Path(__file__).parents[2].parent / "shared" / "spec" / "published"


@pytest.fixture(scope="module")
def result():
    """The flagship pool scoring what Table 12 prints, and a router with trade-offs."""
    routers = [("avengers_pro", [0.0, 0.65], ["qwen3-235b-a22b-2507", "gpt-5"])]
    return run("performance_cost", routers=routers, rename=lambda name: name.replace("_", "-"))


def cells(line):
    """Columns of a LaTeX line, a \\multicolumn counted as many."""
    line = line.strip().removesuffix("\\\\")
    wide = sum(int(width) - 1 for width in re.findall(r"\\multicolumn\{(\d+)\}", line))
    return len(re.findall(r"(?<!\\)&", line)) + 1 + wide


def table_of(result, name):
    return next(table for table in paper_tables(result) if table.name == name)


def test_columns_stand_in_the_printed_order_under_the_printed_names(result):
    table = table_of(result, "paper_test")
    titles = [column.title for column in table.columns]
    assert titles == ["", "AIME", "LMB", "LCB", "SWE", "GPQA", "HLE", "MP", "SQA", "AHARD", "Tau2", "Avg"]
    groups = [column.group for column in table.columns]
    assert groups == [
        "",
        *["Mathematics"] * 2,
        *["Code"] * 2,
        *["Knowledge"] * 4,
        "Instruction Following",
        "Tool Use",
        "",
    ]
    performance = table_of(run("performance"), "paper_models")
    assert [column.title for column in performance.columns[1:]] == [
        "AIME", "M500", "MBen", "MBPP", "HE", "LCB", "KOR", "K&K", "BBH", "MP", "GPQA", "FQA", "MQA", "Emory", "MELD",
    ]  # fmt: skip


def test_every_published_benchmark_has_a_category_and_a_name():
    known = {name for names in CATEGORIES.values() for name in names}
    assert known == {name for setting in SETTINGS for name in published_setting(setting).benchmarks}


def test_rows_are_models_references_routers(result):
    table = table_of(result, "paper_test_cost")
    assert list(dict.fromkeys(table.kinds)) == ["model", "reference", "router"]
    names = table.columns[0].cells
    assert names[-1] == "avengers_pro (0.65)"
    assert names[13:15] == ("Random", "Best Single: gpt-5")
    total = table.columns[-1]
    assert float(total.cells[names.index("gpt-5")]) == pytest.approx(125.60, abs=0.05)
    assert total.cells[names.index("gpt-5-chat")] == UNKNOWN  # it has no tau2
    assert total.marks[names.index("deepseek-v3-0324")] == "best"  # as printed, without gpt-5-chat
    assert not any(total.marks[13:])


def test_average_has_its_deviation_over_seeds(result):
    table = table_of(result, "paper_test")
    average = table.columns[-1].cells[table.columns[0].cells.index("gpt-5")]
    assert average == "65.96 ± 0.00"


def test_equal_cells_share_a_mark():
    assert marks(["1.00", "3.00", UNKNOWN, "3.00", "2.00 ± 9.00"]) == ("", "best", "", "best", "second")
    assert marks(["1.00", "3.00", "0.50"], lowest=True) == ("second", "", "best")
    assert marks([UNKNOWN, UNKNOWN]) == ("", "")
    assert marks([]) == ()


@pytest.mark.parametrize(
    ("setting", "number"), [(s, n) for s in SETTINGS for n in published_setting(s).tables], ids=lambda value: str(value)
)
def test_marks_are_the_printed_ones(setting, number):
    found = sorted(SPEC.glob(f"lrb_table{number:>02}*"))
    if not found:
        pytest.skip("the transcribed tables are not here")
    with found[0].open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["row_type"] == "model"]
    differing = []
    for column in dict.fromkeys(row["dataset"] for row in rows):
        of_column = [row for row in rows if row["dataset"] == column]
        ours = marks([row["value"] or UNKNOWN for row in of_column], lowest=number in ("6", "13"))
        printed = tuple(row["mark"] for row in of_column)
        if ours != printed:
            differing.append(column)
    assert differing == []


@pytest.mark.parametrize("name", ["paper_models", "paper_models_cost", "paper_test", "paper_test_cost"])
def test_latex_adds_up(result, name):
    text = paper_table_files(result)[f"{name}.tex"].decode()
    assert text.count("{") == text.count("}")
    depth = np.cumsum([(c == "{") - (c == "}") for c in re.sub(r"\\[{}]", "", text)])
    assert depth.min() >= 0
    assert depth[-1] == 0
    lines = text.splitlines()
    width = len(re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)[1])
    assert {cells(line) for line in lines if line.endswith("\\\\")} == {width}
    assert r"\multicolumn{2}{c}{Mathematics}" in text
    assert r"\cmidrule(lr){2-3}" in text
    assert r"\textbf{" in text
    assert text.count(r"\midrule") == (3 if "test" in name else 1)


def test_odd_names_survive_the_marks():
    result = reduce(evaluation(), n_resamples=10)
    files = paper_table_files(result)
    assert r"\& 50\% |\$a\_b\$| [bold]\{\}" in files["paper_test.tex"].decode()
    assert "multicolumn" not in files["paper_test.tex"].decode()  # no benchmark has a category
    rows = [line.replace("\\|", "") for line in files["paper_test.md"].decode().splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1
    assert "**" in files["paper_test.md"].decode()
    assert "<u>" in files["paper_test.md"].decode()


def test_without_costs_there_are_no_tables_of_them():
    files = paper_table_files(reduce(evaluation(has_cost=False), n_resamples=10))
    assert set(files) == {f"{name}.{suffix}" for name in ("paper_models", "paper_test") for suffix in ("md", "tex")}


# ------------------------------------------------------------------------------------------------- encoders


def with_encoder(encoder, **changes):
    parts = evaluation()
    return reduce(dataclasses.replace(parts, provenance={"encoder": encoder}, **changes), n_resamples=10)


def test_encoders_stand_side_by_side():
    one = with_encoder("minilm")
    fewer = with_encoder("hashed", routers=evaluation().routers[:1])
    table = encoder_table(encoder_figures([one, fewer]))
    assert [column.title for column in table.columns] == ["", "minilm", "hashed"]
    assert table.columns[0].cells == ("curve", "plain", "collected")  # a reference is told the answer by no encoder
    curve = one["routers"][0]
    assert table.columns[1].cells[0] == f"{100 * curve['avg_acc']:.2f} ± {100 * curve['avg_acc_sd']:.2f}"
    assert table.columns[2].cells[1] == UNKNOWN
    files = paper_table_files(one | {"encoders": encoder_figures([one, fewer])})
    assert files["paper_encoders.md"].decode() == as_markdown(table)
    assert r"$\pm$" in files["paper_encoders.tex"].decode()
    assert as_latex(table).count("&") == 2 * 4


def test_reports_that_differ_in_more_than_the_encoder_are_refused():
    other = evaluation(names=("small", "other", "third"))
    with pytest.raises(ValueError, match="minilm and hashed have other models"):
        encoder_figures([with_encoder("minilm"), with_encoder("hashed", models=other.models)])
    with pytest.raises(ValueError, match="these have minilm, minilm"):
        encoder_figures([with_encoder("minilm"), with_encoder("minilm")])

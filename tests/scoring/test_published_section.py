"""The page's section of published figures: every figure with both values, its difference or why there is none."""

from html import escape

import pytest
from test_comparison import NAN, run

from scoring.comparison import compare
from scoring.comparison_tables import single_benchmarks_table
from scoring.html_report import html_page


@pytest.fixture(scope="module")
def result():
    routers = [("avengers", [NAN], ["Qwen3-8B"])]
    result = run("performance", benchmarks=["aime", "meld"], models=["Qwen3-8B", "gemma-2-9b-it"], routers=routers)
    return result | {"published": compare(result)}


def test_every_figure_of_a_benchmark_has_both_values_and_a_difference_or_a_reason(result):
    table = single_benchmarks_table(result["published"])
    cells = {column.title: column.cells for column in table.columns}
    assert len(table.kinds) == sum(bool(row["benchmark"]) for row in result["published"]["rows"]) > 0
    assert "–" not in cells["Published"] + cells["Measured"]
    assert all(remarks for delta, remarks in zip(cells["Δ"], cells["Remarks"], strict=True) if delta == "–")
    assert {"aime", "meld"} == set(cells["Benchmark"])


def test_the_section_has_its_tables_and_says_what_the_remarks_mean(result):
    page = html_page(result, {}).decode()
    section = page[page.index('<h2 id="beside-the-published-figures">') :]
    section = section[: section.index("</section>")]
    for title in ("Agreement", "Means, totals and metrics", "Single benchmarks", "Published, not in this run"):
        assert title in section
    for reason, sentence in result["published"]["reasons"].items():
        assert f"<dt>{reason}</dt><dd>{escape(sentence)}</dd>" in section
    assert '<a href="#beside-the-published-figures">' in page


def test_without_a_comparison_there_is_no_section(result):
    without = {key: value for key, value in result.items() if key != "published"}
    assert "beside-the-published-figures" not in html_page(without, {}).decode()


def test_nothing_in_common_is_said(result):
    other = compare(run("performance", benchmarks=["aime"], models=["Qwen3-8B"], rename=lambda name: f"my {name}"))
    page = html_page(result | {"published": other}, {}).decode()
    assert "nothing can be compared" in page
    assert "Single benchmarks" not in page

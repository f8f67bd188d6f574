"""The report: complete, the same bytes for the same result, self-contained, and nothing in a name breaks it."""

import csv
import dataclasses
import hashlib
import io
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import orjson
import pytest
from rich.console import Console

from scoring import html_report
from scoring.figures import drawings
from scoring.html_report import html_page
from scoring.reduction import Evaluation, RouterRun, reduce
from scoring.report import write_report
from scoring.router_tables import gains_table, trade_off_table
from scoring.tables import print_tables, summary_table, table_files

# A model's name that HTML, TeX, Markdown and rich must survive.
ODD = '<script>alert("x")</script> & 50% |$a_b$| [bold]{}'


def evaluation(*, n_benchmarks=3, has_cost=True, names=("small", ODD, "large-instruct-v0.2")):
    generator = np.random.default_rng(0)
    n_queries, n_seeds, trade_off = 30 * n_benchmarks, 2, np.array([0.0, 0.5, 1.0])
    test = tuple(np.sort(generator.permutation(n_queries)[: 15 * n_benchmarks]) for _ in range(n_seeds))

    def router(name, trade_off, is_reference=False):
        choice = tuple(generator.integers(3, size=(len(trade_off), len(rows))) for rows in test)
        return RouterRun(
            name=name,
            is_reference=is_reference,
            trade_off=trade_off,
            headline=len(trade_off) - 1,
            choice=choice,
            fit_s=(1.5, 2.5),
            route_s=(0.01, 0.02),
            calls=(None, None),
        )

    return Evaluation(
        setting="performance <&> cost",
        models=names,
        benchmarks=tuple(f"benchmark_{i}" for i in range(n_benchmarks)),
        seeds=(42, 999),
        benchmark=np.arange(n_queries) % n_benchmarks,
        index=np.arange(n_queries),
        score=(generator.random((n_queries, 3)) < [0.3, 0.5, 0.7]).astype(float),
        cost=generator.random((n_queries, 3)) * [0.001, 0.01, 0.1] if has_cost else np.full((n_queries, 3), np.nan),
        test=test,
        routers=(
            router("curve", trade_off),
            router("plain", np.array([np.nan])),
            router("told", np.array([np.nan]), is_reference=True),
        ),
        provenance={"version": "0.1.0", "configuration": {"seeds": [42, 999], "note": "<b>"}},
        collected=("collected",),
        collected_score=np.full((n_queries, 1), 0.5),
        collected_cost=np.full((n_queries, 1), 0.02 if has_cost else np.nan),
    )


@pytest.fixture(scope="module")
def result():
    return reduce(evaluation(), n_resamples=100)


@pytest.fixture(scope="module")
def files(result, tmp_path_factory):
    """The written report, in a folder that held an older one."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "index.html").write_text("old")
    paths = write_report(result, folder)
    assert sorted(paths) == sorted(folder.iterdir())
    return {path.name: path.read_bytes() for path in paths}


class Page(HTMLParser):
    """Tags, ids, addresses and visible text of a page."""

    def __init__(self, page: bytes):
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "srcset", "data", "action"):
                self.addresses.append(value)

    def handle_data(self, data):
        self.text += data


def printed(result, width):
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    print_tables(result, console)
    return console.file.getvalue()


def test_report_is_complete(files):
    tables = (
        "summary",
        "metrics",
        "curves",
        "decisions",
        "accuracy",
        "seeds",
        "cost",
        "pairs",
        "pool_size",
        "all_queries",
    )
    tables += ("paper_models", "paper_models_cost", "paper_test", "paper_test_cost")
    figures = ("accuracy", "gains", "trade_off", "savings", "benchmarks", "hardness", "pool_size", "shares")
    expected = {"metrics.json", "index.html"}
    expected |= {f"{name}.{suffix}" for name in tables for suffix in ("md", "tex")}
    records = ("rows", "pairs", "per_benchmark", "per_seed", "trade_offs", "hardness", "shares", "pool_size")
    expected |= {f"{name}.{suffix}" for name in records for suffix in ("csv", "parquet")}
    expected |= {f"{name}.{suffix}" for name in figures for suffix in ("svg", "png")}
    assert set(files) == expected
    assert all(files.values())


def test_without_costs_nothing_about_costs_is_there():
    result = reduce(evaluation(has_cost=False), n_resamples=20)
    assert "trade_off" not in drawings(result)
    files = table_files(result)
    assert "cost.md" not in files
    head = next(line for line in files["curves.md"].decode().splitlines() if line.startswith("|"))
    assert "PerfGain" in head
    assert not {"Cost USD", "CostSave (θ†)", "ParetoDist"} & set(head.split(" | "))


@pytest.mark.slow
def test_another_process_makes_the_same_bytes(files):
    code = (
        "import hashlib, sys; from test_report import evaluation; from scoring.reduction import reduce;"
        "from scoring.report import report_files;"
        "files = report_files(reduce(evaluation(), n_resamples=100));"
        "[print(name, hashlib.sha256(files[name]).hexdigest()) for name in files];"
        "assert 'matplotlib.pyplot' not in sys.modules, 'pyplot holds global state'"
    )
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join([str(here.parents[1]), str(here)])}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=100)
    assert run.returncode == 0, run.stderr
    theirs = dict(line.split() for line in run.stdout.splitlines())
    assert theirs == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def test_json_is_the_result(result, files):
    assert orjson.loads(files["metrics.json"]) == orjson.loads(orjson.dumps(result))


def test_page_loads_nothing(files):
    page = files["index.html"].decode()
    assert "http" not in page
    assert "@import" not in page
    assert "url(" not in page.replace("url(#", "")
    addresses = Page(files["index.html"]).addresses
    assert addresses
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in addresses)


def test_page_refers_only_to_ids_it_has(files):
    page = Page(files["index.html"])
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)
    clips = {part.split(")")[0] for part in files["index.html"].decode().split("url(#")[1:]}
    assert clips <= set(page.ids)


def test_names_stay_text(files):
    page = Page(files["index.html"])
    assert page.tags.count("script") == 2  # the points of the plot, and the program
    assert "b" in page.tags  # of the summary cards
    assert ODD in page.text
    assert "Routeyard: performance <&> cost" in page.text
    assert '"note": "<b>"' in page.text
    assert "$title" not in page.text


def test_figures_follow_the_page_in_dark_and_light(files):
    page = files["index.html"].decode()
    assert "currentColor" in page
    assert "#101214" not in page
    assert "#101214" in files["accuracy.svg"].decode()


@pytest.mark.parametrize(
    "name", ["summary", "metrics", "curves", "decisions", "accuracy", "cost", "pool_size", "all_queries"]
)
def test_markdown_rows_have_one_cell_per_column(files, name):
    lines = files[f"{name}.md"].decode().splitlines()
    rows = [line.replace("\\|", "") for line in lines if line.startswith("|")]
    assert len(rows) > 3
    assert len({row.count("|") for row in rows}) == 1


def test_latex_specials_are_escaped(files):
    assert r"\& 50\% |\$a\_b\$| [bold]\{\}" in files["summary.tex"].decode()
    assert files["summary.tex"].decode().count(r"\midrule") == 3  # below the head and between the three kinds


def test_csv_has_full_precision(result, files):
    rows = list(csv.DictReader(io.StringIO(files["per_benchmark.csv"].decode())))
    everything = result["references"] + result["routers"] + result["single_models"]
    assert len(rows) == len(everything) * len(result["benchmarks"])
    expected = [accuracy for row in everything for accuracy in row["accuracy"]]
    assert [float(row["accuracy"]) for row in rows] == expected
    points = list(csv.DictReader(io.StringIO(files["trade_offs.csv"].decode())))
    assert [point["trade_off"] for point in points if point["name"] == "curve"] == ["0.0", "0.5", "1.0"]
    assert {point["name"] for point in points} == {"small", ODD, "large-instruct-v0.2", "curve", "plain", "collected"}


@pytest.mark.parametrize("width", [60, 100, 200])
def test_terminal_shows_every_number_within_its_width(result, width):
    lines = printed(result, width).splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    words = " ".join(lines)
    for table in (summary_table(result), gains_table(result), trade_off_table(result)):
        for column in table.columns[1:]:
            assert all(cell in words for cell in column.cells)


def test_terminal_shows_names_that_look_like_markup(result):
    assert "[bold]" in printed(result, 200)


def test_terminal_shows_benchmarks_only_where_they_fit():
    few, many = (reduce(evaluation(n_benchmarks=n, names=("a", "b", "c")), n_resamples=20) for n in (3, 15))
    assert "benchmark_2" in printed(few, 100)
    assert "benchmark_2" not in printed(many, 100)
    assert "16 columns do not fit here: see accuracy.md" in printed(many, 100)
    assert "benchmark_14" in printed(many, 300)


def test_rows_are_ordered_by_accuracy_within_their_kind(result):
    table = summary_table(result)
    assert list(dict.fromkeys(table.kinds)) == ["reference", "router", "model"]
    shown = [float(cell) for cell, kind in zip(table.columns[1].cells, table.kinds, strict=True) if kind == "model"]
    assert shown == sorted(shown, reverse=True)
    assert table.columns[0].cells[1] == "Best Single: large-instruct-v0.2"


def test_of_many_routers_the_best_are_drawn_and_the_legend_says_so():
    small = evaluation()
    many = tuple(dataclasses.replace(small.routers[0], name=f"router {i}") for i in range(20))
    result = reduce(dataclasses.replace(small, routers=(*many, small.routers[2])), n_resamples=20)
    best = sorted(
        (row for row in result["routers"] if not row["is_reference"]), key=lambda row: -row["avg_acc"]
    )[:12]  # fmt: skip
    for name in ("trade_off", "hardness"):
        (legend,) = drawings(result)[name](result).legends
        assert legend.get_title().get_text() == "the 12 best of 21 routers"
        names = {text.get_text() for text in legend.get_texts()}
        assert len(names & {row["name"] for row in result["routers"]}) == 12
        assert {row["avg_acc"] for row in result["routers"] if row["name"] in names} <= {r["avg_acc"] for r in best}


def test_no_router_still_makes_a_report():
    result = reduce(dataclasses.replace(evaluation(), routers=(), collected=()), n_resamples=20)
    assert "shares" not in drawings(result)
    assert all(draw(result).axes for draw in drawings(result).values())
    assert "No router was evaluated." in html_page(result, {}).decode()


def test_what_the_page_does_not_know_is_no_error_and_follows_under_its_own_title(result, monkeypatch):
    more = summary_table(result)
    more = dataclasses.replace(more, name="calls", title="Calls <of> routers", kinds=("call",) * len(more.kinds))
    monkeypatch.setattr(html_report, "tables", lambda result: [more, gains_table(result)])
    figures = {"new_figure.svg": b"<svg><g/></svg>", "new_figure.png": b""}
    page = html_page(result | {"calls": [{"anything": 1}], "more": None}, figures).decode()
    assert '<h2 id="calls-of-routers">Calls &lt;of&gt; routers</h2>' in page
    assert '<a href="#calls-of-routers">' in page
    assert "<figcaption>New figure</figcaption>" in page
    assert page.index("Metrics and trade-offs") < page.index("Calls &lt;of&gt;")


def test_unknown_values_are_dashes_and_empty_columns_are_left_out():
    score = evaluation().score.copy()
    score[evaluation().benchmark == 0, 0] = np.nan
    text = table_files(reduce(dataclasses.replace(evaluation(), score=score), n_resamples=20))["summary.md"].decode()
    row = next(line for line in text.splitlines() if line.startswith("| small |"))
    assert set(row.split(" | ")[1:]) == {"–", "– |"}


def test_every_key_of_the_result_is_documented(result):
    documented = set(re.findall(r"`(\w+)`", (Path(__file__).parents[2] / "docs" / "metrics_json.md").read_text()))
    rows = [row for kind in ("references", "single_models", "routers", "pairs", "points") for row in result[kind]]
    parts = [result["bootstrap"], result["hardness"], *result["hardness"]["rows"], result["pool_size"]]
    for part in [result, *rows, *parts, result["all_queries"]]:
        assert part.keys() <= documented, part.keys() - documented

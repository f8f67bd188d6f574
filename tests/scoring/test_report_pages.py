"""The report's pages in a real browser: sorting, filters, the plot, the query explorer, hostile text, no request."""

import dataclasses

import numpy as np
import orjson
import pytest
from query_world import BENCHMARKS, HOSTILE, MODELS, evaluation, prompts
from test_comparison import run

from scoring.comparison import compare
from scoring.html_report import html_page
from scoring.reduction import reduce
from scoring.report import write_report
from tests.browser import Browser, installed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(installed() is None, reason="no Chromium is installed; ./install.sh dev, as root on Debian"),
]
READY = "document.documentElement.dataset.ready"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("report")
    write_report(reduce(evaluation(), n_resamples=20), path, evaluation(), prompts())
    return path


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture
def report(browser, folder):
    """The main page; afterwards nothing has gone wrong in it and nothing was fetched but itself."""
    page = browser.page(folder / "index.html")
    yield page
    check_quiet(page)


@pytest.fixture
def explorer(browser, folder):
    """The page of queries, decoded; afterwards as above."""
    page = browser.page(folder / "queries.html")
    page.wait_for(READY)
    yield page
    check_quiet(page)


def check_quiet(page):
    assert page.errors == []
    own, *others = page.requests
    assert own.startswith("file://")
    assert all(address.startswith("data:image/png;base64,") for address in others)


def names(page, table=0):
    """Names of the rows of a table that can be seen."""
    rows = f"[...document.querySelectorAll('table.sortable')[{table}].tBodies[0].rows]"
    return page.run(f"{rows}.filter(row => !row.hidden).map(row => row.cells[0].textContent)")


def cells(page, column, table=0):
    rows = f"[...document.querySelectorAll('table.sortable')[{table}].tBodies[0].rows]"
    return page.run(f"{rows}.map(row => row.cells[{column}].textContent)")


def found(page):
    """Indices of the queries that the explorer has found, as it draws them when it is scrolled from end to end."""
    return page.run(
        "(async () => { const box = document.querySelector('.rows'), seen = new Map();"
        " for (let top = 0; ; top += box.clientHeight / 2) { box.scrollTop = top;"
        " await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));"
        " for (const row of box.querySelectorAll('[data-position]'))"
        " seen.set(Number(row.dataset.position), Number(row.cells[0].textContent.split(' ').pop()));"
        " if (top > box.scrollHeight) break; }"
        " return [...seen.keys()].sort((a, b) => a - b).map(position => seen.get(position)) })()"
    )


def texts(page, selector):
    return page.run(f"[...document.querySelectorAll({orjson.dumps(selector).decode()})].map(e => e.textContent)")


# ---- the main page


def test_a_heading_sorts_by_mouse_and_by_key(report):
    report.click("table.sortable thead button", 1)
    assert report.run("document.querySelector('th[aria-sort]').ariaSort") == "descending"
    falling = [float(text) for text in cells(report, 1) if text != "–"]
    assert falling == sorted(falling, reverse=True)
    assert report.run("document.activeElement.textContent") == "AvgAcc"
    report.press("Enter")
    assert report.run("document.querySelector('th[aria-sort]').ariaSort") == "ascending"
    assert [float(text) for text in cells(report, 1) if text != "–"] == falling[::-1]
    report.click("table.sortable thead button", 0)
    assert names(report) == sorted(names(report), key=str.lower)


def test_unknown_values_sort_last_both_ways(report):
    tables = "[...document.querySelectorAll('table.sortable')]"
    table = report.run(f"{tables}.findIndex(table => table.tHead.textContent.includes('ParetoDist'))")
    heads = f"[...document.querySelectorAll('table.sortable')[{table}].tHead.rows[0].cells]"
    column = report.run(f"{heads}.findIndex(cell => cell.textContent === 'ParetoDist')")
    for _ in range(2):
        report.run(f"{heads}[{column}].firstChild.click()")
        values = cells(report, column, table=table)
        assert "–" in values
        assert "–" not in values[: values.index("–")]
        assert set(values[values.index("–") :]) == {"–"}


def test_names_kinds_and_benchmarks_are_filtered(report):
    everything = names(report)
    report.choose("text", "TURNS")
    assert names(report) == ["turns"]
    assert report.run("document.querySelector('output').textContent").startswith("1 of ")
    report.choose("text", "")
    report.click("[name=kind][value=reference]")
    report.click("[name=kind][value=model]")
    assert set(names(report)) == {"turns", "first", "cascade", "collected"}
    report.click("[name=kind][value=reference]")
    report.click("[name=kind][value=model]")
    assert names(report) == everything
    report.choose("benchmark", BENCHMARKS[1])
    headings = "[...document.querySelectorAll('th[data-benchmark]')]"
    assert set(report.run(f"{headings}.filter(h => !h.hidden).map(h => h.textContent)")) == {BENCHMARKS[1]}
    assert set(report.run(f"{headings}.filter(h => h.hidden).map(h => h.textContent)")) == {BENCHMARKS[0]}
    seeds = "[...document.querySelectorAll('th[data-seed]')]"
    everyone = report.run(f"{seeds}.map(h => h.textContent)")
    report.choose("seed", everyone[1])
    assert report.run(f"{seeds}.filter(h => !h.hidden).map(h => h.textContent)") == [everyone[1]]


def test_rows_that_are_no_contenders_stay_whatever_is_filtered(report):
    pools = "[...document.querySelectorAll('tr.pool')].map(row => row.hidden)"
    report.choose("text", "turns")
    report.click("[name=kind][value=model]")
    assert report.run(pools) == [False] * len(MODELS)
    assert report.run("document.querySelector('output').textContent").startswith("1 of ")


def test_the_published_figures_sort_and_filter(browser, tmp_path):
    result = run("performance", benchmarks=["aime", "meld"], models=["Qwen3-8B", "gemma-2-9b-it"],
                 routers=[("avengers", [np.nan], ["Qwen3-8B"])])  # fmt: skip
    (tmp_path / "index.html").write_bytes(html_page(result | {"published": compare(result)}, {}))
    page = browser.page(tmp_path / "index.html")
    page.run("document.querySelector('#beside-the-published-figures ~ details').open = true")
    table = "document.querySelector('#beside-the-published-figures ~ details table')"
    page.run(f"[...{table}.tHead.rows[0].cells].find(head => head.textContent === 'Measured').firstChild.click()")
    shown = f"[...{table}.tBodies[0].rows].filter(row => !row.hidden).map(row => row.cells[4].textContent)"
    falling = [float(text) for text in page.run(shown)]
    assert falling == sorted(falling, reverse=True)
    page.choose("text", "qwen3")
    assert 0 < len(page.run(shown)) < len(falling)
    assert set(page.run(f"[...{table}.tBodies[0].rows].filter(row => !row.hidden).map(row => row.className)")) == {
        "model"
    }
    check_quiet(page)


def test_a_point_of_the_plot_says_what_it_is(report):
    assert report.run("getComputedStyle(document.querySelector('#figure-trade_off')).display") == "none"
    labels = report.run("[...document.querySelectorAll('[data-point]')].map(e => e.ariaLabel)")
    number = next(i for i, text in enumerate(labels) if text.startswith("turns, trade-off 0.5"))
    report.move("[data-point]", number)
    tip = report.run("document.querySelector('.tip').innerText").split("\n")
    assert not report.run("document.querySelector('.tip').hidden")
    assert tip == labels[number].split(", ")
    metrics = reduce(evaluation(), n_resamples=20)
    point = next(p for p in metrics["points"] if p["name"] == "turns" and p["trade_off"] == 0.5)
    assert tip[:3] == ["turns", "trade-off 0.5", f"AvgAcc {100 * point['avg_acc']:.2f}%"]
    assert float(tip[3].removesuffix(" USD")) == pytest.approx(point["cost_usd"], rel=0.01)
    assert report.run("document.querySelectorAll('.frontier').length") == 1


def test_the_plot_is_walked_with_arrow_keys(report):
    report.run("document.querySelector('[data-point][tabindex=\"0\"]').focus()")
    first = report.run("document.activeElement.ariaLabel")
    assert report.run("document.querySelector('.tip b').textContent") == first.split(", ")[0]
    report.press("ArrowRight")
    second = report.run("document.activeElement.ariaLabel")
    assert second != first
    report.press("ArrowDown")
    assert report.run("document.activeElement.ariaLabel") not in (first, second)
    assert report.run("document.querySelectorAll('[data-point][tabindex=\"0\"]').length") == 1


def test_the_legend_hides_a_series(report):
    labels = "[...document.querySelectorAll('[data-point]')].map(e => e.ariaLabel.split(',')[0])"
    assert "first" in report.run(labels)
    number = texts(report, ".legend button").index("first")
    report.click(".legend button", number)
    assert report.run(f"document.querySelectorAll('.legend button')[{number}].ariaPressed") == "false"
    assert "first" not in report.run(labels)
    report.click(".legend button", number)
    assert "first" in report.run(labels)


def test_without_a_script_and_on_paper_the_drawn_figure_is_there(browser, folder, report):
    report.call("Emulation.setEmulatedMedia", media="print")
    shown = "s => getComputedStyle(document.querySelector(s)).display !== 'none'"
    assert report.run(f"['#figure-trade_off', '#plot', '.filters'].map({shown})") == [True, False, False]
    plain = browser.page(folder / "index.html", script=False)
    assert plain.run(f"['#figure-trade_off', '#plot', '.filters'].map({shown})") == [True, False, False]
    check_quiet(plain)


# ---- the explorer


def test_it_shows_the_test_queries_of_a_seed_and_draws_only_what_is_seen(explorer):
    assert explorer.run("document.querySelectorAll('[data-position]').length") < 60
    assert explorer.run("document.querySelector('.rows table').getAttribute('aria-rowcount')") == "201"
    assert found(explorer) == list(range(200))
    explorer.choose("seed", "1")
    assert sorted(found(explorer)) == list(range(100, 300))


@pytest.mark.parametrize("width", [390, 1440])
def test_every_column_has_room_and_the_table_fills_its_box(browser, folder, width):
    page = browser.page(folder / "queries.html", width=width)
    page.wait_for(READY)
    heads = page.run("[...document.querySelectorAll('.rows thead th')].map(head => head.offsetWidth)")
    box, table, row = page.run(
        "['.rows', '.rows table', '.rows tbody [data-position]']"
        ".map(s => document.querySelector(s)).map(e => [e.clientWidth, e.offsetHeight])"
    )
    assert min(heads) >= 80
    assert heads[1] >= 220  # the prompt
    assert table[0] >= box[0]
    assert sum(heads) == pytest.approx(table[0], abs=2)
    assert row[1] == 52  # what the program counts with


@pytest.mark.parametrize("seed", [0, 1])
def test_filters_find_what_numpy_finds(explorer, seed):
    data = evaluation()
    rows = data.test[seed]
    score, right = data.score[rows], (data.score[rows] > 0).sum(axis=1)
    taken = score[np.arange(len(rows)), rows % 3]
    explorer.choose("seed", str(seed))
    explorer.choose("router", "0")
    for fields, expected in (
        ({"benchmark": "1"}, data.benchmark[rows] == 1),
        ({"right": "1-3"}, (right >= 1) & (right <= 3)),
        ({"right": "0-0"}, right == 0),
        ({"right": "all"}, right == 3),
        ({"outcome": "right"}, taken > 0),
        ({"outcome": "wrong"}, ~(taken > 0)),
        ({"outcome": "missed"}, ~(taken > 0) & (right > 0)),
        ({"outcome": "below"}, ~(taken >= np.nanmax(score, axis=1))),
        ({"chosen": "2"}, rows % 3 == 2),
        ({"benchmark": "0", "outcome": "missed", "right": "1-3"}, ~(taken > 0) & (right > 0) & (rows % 2 == 0)),
        ({"text": "IS 17"}, [f"{n}".startswith("17") for n in rows]),
    ):
        for name, value in fields.items():
            explorer.choose(name, value)
        assert sorted(found(explorer)) == rows[np.array(expected)].tolist(), fields
        for name in fields:
            explorer.choose(name, "")


def test_the_summary_counts_and_averages(explorer):
    explorer.choose("benchmark", "0")
    mean = {"turns": np.nanmean([evaluation().score[q, q % 3] for q in range(0, 200, 2)]), "collected": 0.25}
    summary = explorer.run("document.querySelector('#summary').textContent")
    assert summary.startswith("100 of 200 test queries; mean score on them:")
    for name, value in mean.items():
        if name in summary:
            assert f"{name} {100 * value:.1f}%" in summary
    assert "Best Single 100.0%" in summary


def test_a_column_sorts_and_columns_are_chosen(explorer):
    explorer.click(".rows thead button", 1)
    right = (evaluation().score[:200] > 0).sum(axis=1)
    order = found(explorer)
    assert right[order].tolist() == sorted(right)
    assert explorer.run("document.querySelector('.rows th[aria-sort]').textContent") == "Right of 3"
    explorer.run("document.querySelector('.columns').open = true")
    explorer.click("[name=column][value='0']")
    before = texts(explorer, ".rows thead th")
    explorer.click("[name=column][value='0']")
    assert len(texts(explorer, ".rows thead th")) - len(before) in (1, -1)
    assert {"turns"} == set(texts(explorer, ".rows thead th")) ^ set(before)


def test_a_click_opens_every_models_score_and_the_routers_choices(explorer):
    explorer.choose("text", "is 150 +")
    assert found(explorer) == [150]
    explorer.click(".rows tbody td", 1)
    assert explorer.run("document.querySelector('dialog').open")
    assert texts(explorer, "#query") == ["aime 150"]
    rows = "[...document.querySelectorAll('dialog table')[{}].tBodies[0].rows]"
    models, routers = (
        explorer.run(rows.format(i) + ".map(row => [...row.cells].map(cell => cell.textContent))") for i in (0, 1)
    )
    assert [row[:3] for row in models] == [
        [MODELS[0], "✓ 1", "0.000151"],
        [MODELS[1], "✓ 1", "0.00151"],
        ["collected", "◐ 0.25", "0.02"],
        [MODELS[2], "✗ 0", "0.0151"],
    ]
    assert models[0][3] == "turns, first, cascade, Best Single"
    assert models[2][3] == "collected"
    cascade = [row[1:] for row in routers if row[0] == "cascade"]  # once the first model, twice the second
    assert cascade == [["42", MODELS[0], "✓ 1", "0.00317"], ["999", MODELS[0], "✓ 1", "0.00317"]]
    explorer.press("Escape")
    assert not explorer.run("document.querySelector('dialog').open")
    explorer.wait_for("document.activeElement.textContent === 'aime 150'")


def test_rows_and_queries_are_walked_with_keys(explorer):
    explorer.run("document.querySelector('.rows tbody button').focus()")
    for _ in range(60):
        explorer.press("ArrowDown")
    assert explorer.run("document.activeElement.textContent") == "aime 60"
    explorer.press("Enter")
    assert texts(explorer, "#query") == ["aime 60"]
    explorer.click("dialog [value='1']")
    assert texts(explorer, "#query") == [f"{BENCHMARKS[1]} 61"]
    explorer.click("dialog [value='0']")
    assert not explorer.run("document.querySelector('dialog').open")


def test_reset_brings_everything_back(explorer):
    explorer.choose("text", "is 150 +")
    explorer.choose("outcome", "missed")
    explorer.click("[type=reset]")
    explorer.wait_for("document.querySelector('#summary').textContent.startsWith('200 of 200')")


def test_text_of_prompts_and_names_stays_text(report, explorer):
    explorer.choose("text", "onerror")
    assert found(explorer) == [5]
    assert texts(explorer, ".clamp") == [HOSTILE]
    explorer.click(".rows tbody button")
    assert texts(explorer, "dialog blockquote") == [HOSTILE]
    assert f"odd {HOSTILE}" in texts(explorer, "dialog tbody th")
    assert texts(explorer, "h1") == [f"Queries: setting {HOSTILE}"]
    assert texts(report, "h1") == [f"Routeyard: setting {HOSTILE}"]
    for page in (report, explorer):
        assert page.run("document.querySelectorAll('main img, form img, dialog img, main i').length") == 0


@pytest.mark.parametrize("name", ["index.html", "queries.html"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_sticks_out_and_text_can_be_read(browser, folder, name, width, dark):
    page = browser.page(folder / name, width=width, height=844, dark=dark)
    if name == "queries.html":
        page.wait_for(READY)
    assert page.run("document.documentElement.scrollWidth") <= width
    contrast = page.run(
        "(() => { const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => v / 255)"
        ".map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };"
        " const paper = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;"
        " if (!c.endsWith(', 0)')) return c } return 'rgb(255, 255, 255)' };"
        " return Math.min(...[...document.querySelectorAll('p, a, th, td, label, button, output, span, small')]"
        ".filter(e => e.offsetParent && e.textContent.trim()).map(e => {"
        " const [a, b] = [light(getComputedStyle(e).color), light(paper(e))].sort((x, y) => y - x);"
        " return (a + .05) / (b + .05) })) })()"
    )
    assert contrast >= 4.5
    check_quiet(page)


def test_the_explorer_works_without_prompts_and_costs(browser, tmp_path):
    blank = np.full_like(evaluation().cost, np.nan)
    data = dataclasses.replace(evaluation(), cost=blank, collected_cost=blank[:, :1])
    write_report(reduce(data, n_resamples=20), tmp_path, data)
    page = browser.page(tmp_path / "queries.html")
    page.wait_for(READY)
    assert "Prompt" not in texts(page, ".rows thead th")
    page.choose("text", "aime 15")
    assert sorted(found(page)) == [150, 152, 154, 156, 158]
    page.click(".rows tbody button")
    assert "USD" not in page.run("document.querySelector('dialog').textContent")
    check_quiet(page)
    main = browser.page(tmp_path / "index.html")
    assert main.run("document.querySelector('#plot')") is None
    check_quiet(main)

"""The figures: there exactly where their data are, the same bytes twice, nothing cut off, a router has one colour."""

import dataclasses
import io
from itertools import combinations

import matplotlib.style
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.image import imread
from matplotlib.text import Annotation, Text
from test_report import evaluation

from scoring.contenders import ORACLE
from scoring.figure_style import MOST_LINES, PAPER, STYLE, fix_layout, shortened
from scoring.figures import CAPTIONS, drawings, figure_files
from scoring.html_parts import inline_svg
from scoring.html_report import html_page
from scoring.latency import non_dominated
from scoring.plot_data import plot_data
from scoring.reduction import reduce

BENCHMARKS = ("aime", "mbpp", "math500", "gpqa", "swe-bench")  # mathematics, code, mathematics, knowledge, code
MODELS = ("Meta-Llama-3-70B-Instruct", "organisation/" + 9 * "long-name-" + "with $mathematics$", "gemma-2-9b-it")
N_ROUTERS = 22


def many_routers():
    """An evaluation with a table of rows that is long, names that are, and routers with and without trade-offs."""
    generator = np.random.default_rng(1)
    small = dataclasses.replace(evaluation(n_benchmarks=5, names=MODELS), benchmarks=BENCHMARKS)
    curve, plain, told = small.routers

    def run(i):
        router = plain if i % 3 else curve
        choice = tuple(generator.integers(3, size=rows.shape) for rows in router.choice)
        return dataclasses.replace(router, name=f"routerbench_knn_cost_{i}" + i // 21 * "_and_so_on", choice=choice)

    return dataclasses.replace(small, routers=(*map(run, range(N_ROUTERS)), told))


def with_latency(result, low=0.4):
    """The result with a latency for every point, from `low` seconds to fourteen times as many."""
    rows = [dict(point) for point in result["points"]]
    rows += [row | {"trade_off": None} for row in result["references"]]
    seconds = low * 14 ** np.random.default_rng(2).permutation(np.linspace(0, 1, len(rows)))
    front = non_dominated(*(np.array([row[key] for row in rows]) for key in ("avg_acc", "cost_usd")), seconds)
    keys = ("name", "kind", "trade_off", "avg_acc", "cost_usd")
    return result | {
        "latency": {
            "source": "prices of a day",
            "rows": [
                {key: row[key] for key in keys} | {"latency_s": float(s), "is_on_front": bool(is_on_front)}
                for row, s, is_on_front in zip(rows, seconds, front, strict=True)
            ],
        }
    }


def with_validated(result, lower=0.5):
    """The result with PerfGain and CostSave of a choice on validation that is as much lower as the key says."""
    honest = [
        row | {f"{key}_validated": None if row[key] is None else row[key] - lower for key in ("perf_gain", "cost_save")}
        for row in result["routers"]
    ]
    return result | {"routers": honest}


@pytest.fixture(scope="module")
def result():
    return with_validated(with_latency(reduce(many_routers(), n_resamples=20)))


@pytest.fixture(scope="module")
def few():
    """Two contestants, a collected one, and a model's name that is hard to write."""
    return with_latency(reduce(evaluation(), n_resamples=20))


@pytest.fixture(scope="module")
def figures(result):
    """Name -> figure, drawn as for a file."""
    with matplotlib.style.context(["default", STYLE]):
        drawn = {name: draw(result) for name, draw in drawings(result).items()}
        for figure in drawn.values():
            fix_layout(figure)
    return drawn


def drawn(name, result):
    with matplotlib.style.context(["default", STYLE]):
        return drawings(result)[name](result)


def legend_labels(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def row_names(figure):
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_a_report_with_all_data_has_all_figures_each_with_a_caption_and_a_place(result):
    assert set(drawings(result)) == set(CAPTIONS)
    page = html_page(result, {f"{name}.svg": b"<svg><g/></svg>" for name in CAPTIONS}).decode()
    assert "Further figures" not in page
    assert all(f'id="figure-{name}"' in page for name in CAPTIONS)


@pytest.mark.parametrize(("width", "is_wide"), [(590.4, False), (777.6, True)])
def test_a_wide_figure_gets_more_room_on_the_page(width, is_wide):
    picture = inline_svg("gains", f'<?xml?><svg width="{width}pt" height="9pt"><g/></svg>'.encode(), "Gains")
    assert ('class="wide"' in picture) == is_wide


def without(*keys):
    return lambda result: {key: value for key, value in result.items() if key not in keys}


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        (without("latency"), {"latency"}),
        (lambda result: result | {"latency": {"source": "", "rows": []}}, {"latency"}),
        (
            lambda result: result | {"latency": {"source": "", "rows": [dict.fromkeys(result["latency"]["rows"][0])]}},
            {"latency"},
        ),
        (without("pool_size"), {"pool_size"}),
        (lambda result: result | {"pool_size": None}, {"pool_size"}),
        (lambda result: result | {"pool_size": {"k": [1]}}, {"pool_size"}),
        (lambda result: result | {"benchmarks": ["demo_a", "demo_b", "demo_c", "gpqa", "hle"]}, {"domains"}),
        (lambda result: result | {"routers": []}, {"gains", "savings", "shares"}),
        (
            lambda result: result | {"routers": [row | {"cost_usd": None} for row in result["routers"]]},
            {"savings"},
        ),
        (lambda result: result | {"points": [p | {"cost_usd": None} for p in result["points"]]}, {"trade_off"}),
    ],
)
def test_a_figure_without_data_is_not_drawn(result, change, gone):
    assert set(CAPTIONS) - set(drawings(change(result))) == gone


def test_the_same_result_gives_the_same_bytes(few):
    first = figure_files(few)
    assert len(first) == 2 * len(drawings(few))
    assert figure_files(few) == first


def test_nothing_is_cut_off_at_the_edge_of_a_picture(result, few):
    for case in (result, few):
        for name, content in figure_files(case).items():
            if name.endswith(".png"):
                picture = imread(io.BytesIO(content))[..., :3]
                edges = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
                np.testing.assert_allclose(edges, np.tile(to_rgb(PAPER), (len(edges), 1)), atol=0.01, err_msg=name)


def test_no_text_is_outside_its_figure_and_none_is_markup(figures):
    for name, figure in figures.items():
        box = figure.get_tightbbox()
        assert box.x0 >= 0, name
        assert box.y0 >= 0, name
        assert box.x1 <= figure.get_figwidth(), name
        assert box.y1 <= figure.get_figheight(), name
        texts = [text.get_text() for text in figure.findobj(Text)]
        assert not [text for text in texts if "mathdefault" in text], name  # a tick that nobody gave a format


def test_legends_leave_the_room_to_the_drawing(figures):
    for name, figure in figures.items():
        for legend in figure.legends:
            box = legend.get_window_extent()
            assert box.width < figure.bbox.width, name
            assert box.height < 0.3 * figure.bbox.height, name


def test_a_router_has_the_same_colour_and_marker_everywhere(result, figures):
    plotted = {
        series["name"]: (series["colour"], series["marker"])
        for series in plot_data(result)["series"]
        if series["kind"] == "router" and not series["isHidden"]
    }
    assert len(plotted) == MOST_LINES
    assert len(set(plotted.values())) == MOST_LINES
    found = {}
    for name in ("trade_off", "hardness", "latency"):
        (legend,) = figures[name].legends
        found[name] = {
            handle.get_label(): (to_hex(handle.get_color()), handle.get_marker())
            for handle in legend.legend_handles
            if handle.get_label() in plotted
        }
    marks = [line for line in figures["domains"].axes[0].lines if line.get_marker() != "None"]
    found["domains"] = {
        name: (to_hex(mark.get_color()), mark.get_marker())
        for name, mark in zip(row_names(figures["domains"]), marks, strict=True)
        if name in plotted
    }
    assert found == dict.fromkeys(("trade_off", "hardness", "latency", "domains"), plotted)


@pytest.mark.parametrize("name", ["trade_off", "latency"])
def test_names_beside_points_cover_no_name_and_no_mark(figures, name):
    (axes,) = figures[name].axes
    named = [text for text in axes.texts if isinstance(text, Annotation)]
    assert len(named) >= 4
    boxes = [text.get_window_extent() for text in named]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    points = np.concatenate([axes.transData.transform(marks.get_offsets()) for marks in axes.collections])
    assert not any(box.contains(x, y) for box in boxes for x, y in points)


def test_only_the_front_and_the_references_are_named_in_the_latency_figure(result, figures):
    rows = result["latency"]["rows"]
    on_front = {shortened(row["name"]) for row in rows if row["is_on_front"] or row["kind"] == "reference"}
    assert {text.get_text() for text in figures["latency"].axes[0].texts} <= on_front


def test_domains_average_the_benchmarks_of_a_category(result, figures):
    panels = figures["domains"].axes
    assert [axes.get_title(loc="left") for axes in panels] == ["Mathematics", "Code", "Knowledge"]
    rows = {row["name"]: row["accuracy"] for row in result["references"] + result["routers"]}
    for axes, numbers in zip(panels, ((0, 2), (1, 4), (3,)), strict=True):
        expected = [100 * np.mean([rows[name][i] for i in numbers]) for name in row_names(figures["domains"])]
        marks = [line.get_xdata()[0] for line in axes.lines if line.get_marker() != "None"]
        np.testing.assert_allclose(marks, expected)


def test_gains_are_sorted_and_leave_out_references(result, figures):
    gain = {row["name"]: row["gain_at_best_single"] for row in result["routers"] if not row["is_reference"]}
    names = row_names(figures["gains"])
    assert names == sorted(gain, key=lambda name: -gain[name])
    widths = [bar.get_width() for bar in figures["gains"].axes[1].patches]
    np.testing.assert_allclose(widths, [100 * gain[name] for name in names])


def test_savings_show_both_choices_of_a_trade_off_where_both_are_known(result, figures):
    rows = {row["name"]: row for row in result["routers"]}
    honest, published, _ = figures["savings"].axes[0].lines
    names = row_names(figures["savings"])
    np.testing.assert_allclose(published.get_xdata(), [100 * rows[name]["perf_gain"] for name in names])
    np.testing.assert_allclose(honest.get_xdata(), [100 * rows[name]["perf_gain_validated"] for name in names])
    assert published.get_markerfacecolor() == "none"
    assert len(legend_labels(figures["savings"])) == 2
    plain = [{key: value for key, value in row.items() if not key.endswith("_validated")} for row in result["routers"]]
    assert legend_labels(drawn("savings", result | {"routers": plain})) == ["θ chosen on the test curve, as published"]


def test_a_saving_beyond_the_axis_stands_at_its_end_with_its_number(result):
    dear = [row | {"cost_save": -4.0, "cost_save_validated": None} for row in result["routers"]]
    panel = drawn("savings", result | {"routers": dear}).axes[1]
    assert set(panel.lines[1].get_xdata()) == {-100}
    assert [text.get_text() for text in panel.texts].count("-400") == sum(not row["is_reference"] for row in dear)


def test_a_router_without_a_cost_has_no_savings(result):
    known = [row | {"cost_usd": None} if row["name"] == "collected" else row for row in result["routers"]]
    assert "collected" in row_names(drawn("savings", result))
    assert "collected" not in row_names(drawn("savings", result | {"routers": known}))


def test_the_largest_pool_is_the_oracle(result, figures):
    (axes,) = figures["pool_size"].axes
    (star,) = (line for line in axes.lines if line.get_marker() == "*")
    oracle = next(row["avg_acc"] for row in result["references"] if row["name"] == ORACLE)
    assert star.get_xdata()[0] == len(MODELS)
    assert star.get_ydata()[0] == pytest.approx(100 * oracle)
    assert any(label.startswith("Best Single ") for label in legend_labels(figures["pool_size"]))
    unknown = result["pool_size"] | {"greedy": [None] * len(MODELS)}
    labels = legend_labels(drawn("pool_size", result | {"pool_size": unknown}))
    assert "grown on training queries" not in labels


@pytest.mark.parametrize(("name", "most", "expected"), [("short", 40, "short"), ("0123456789", 5, "01…89")])
def test_long_names_lose_their_middle(name, most, expected):
    assert shortened(name, most) == expected


@pytest.mark.parametrize(
    ("n_models", "labels"),
    [(3, ["0", "1", "2", "3"]), (33, ["0", "1–3", "4–6", "7–9", "10–12", "13–15", "16–18", "19–21", "22–24", "25–27",
                                      "28–30", "31–33"])],
)  # fmt: skip
def test_queries_are_grouped_by_right_models_where_these_are_many(few, n_models, labels):
    levels, rng = n_models + 1, np.random.default_rng(3)
    n_queries = rng.integers(1, 9, levels).astype(float)
    rows = [row | {"accuracy": rng.random(levels).tolist()} for row in few["hardness"]["rows"]]
    rows[-1]["accuracy"][1] = None  # no score of that router on these
    hardness = few["hardness"] | {"n_queries": n_queries.tolist(), "rows": rows}
    top, bottom = drawn("hardness", few | {"hardness": hardness}).axes
    assert [label.get_text() for label in bottom.get_xticklabels()] == labels
    assert sum(bar.get_height() for bar in top.patches) == n_queries.sum()
    lines = {line.get_label(): line for line in bottom.lines}
    for row in rows:
        if row["name"] not in lines:
            continue
        accuracy = np.array(row["accuracy"], dtype=float)
        for at, height in zip(*lines[row["name"]].get_data(), strict=True):
            first, _, last = labels[int(at)].partition("–")
            some = [k for k in range(int(first), int(last or first) + 1) if not np.isnan(accuracy[k])]
            assert height == pytest.approx(100 * np.average(accuracy[some], weights=n_queries[some]))

"""Paths: names go in and come out, and only data files are data files."""

import pytest
from store_samples import add_part, answer, query

from store.layout import Layout
from store.queries import write_queries

NAMES = ["org/model", "..", "model.h5", ".hidden", "gpt-4.1", "模型"]


def test_benchmarks_and_models_come_back_by_name(layout: Layout):
    assert layout.benchmarks() == []
    for name in NAMES:
        write_queries(layout, name, [query(0)])
        add_part(layout, "w", [answer(0)], benchmark="aime", model=name)
    (layout.root / "queries" / ".aime.h5.1.0123abcd.tmp").touch()
    assert layout.benchmarks() == sorted(NAMES)
    assert layout.models("aime") == sorted(NAMES)
    assert layout.models("bbh") == []


def test_every_data_file_is_listed_and_nothing_else(layout: Layout):
    paths = set()
    for name in NAMES:
        write_queries(layout, name, [query(0)])
        add_part(layout, "w", [answer(0)], benchmark=name, model=name)
        paths |= {layout.queries(name), *layout.parts(name, name)}
        (layout.responses(name, name) / ".0000.w.h5.w.0123abcd.tmp").touch()
        (layout.responses(name, name) / "0001.w.h5.damaged").touch()
    assert layout.files() == sorted(paths)


@pytest.mark.parametrize("name", NAMES)
def test_every_path_stays_below_the_root(layout: Layout, name: str):
    paths = [
        layout.queries(name),
        layout.responses(name, name),
        layout.scores(name, name),
        layout.embeddings(name, name),
        layout.routings(name, name, 42),
        layout.claims(name, name),
        layout.score_matrix(name),
        layout.candidate_groups(name),
        layout.setting(name),
    ]
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert path.resolve().relative_to(layout.root.resolve()).parts == path.relative_to(layout.root).parts

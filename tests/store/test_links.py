"""Every link of `store.h5` opens, wherever the store is moved."""

from pathlib import Path

import h5py
import numpy as np
from store_samples import add_part, answer, query

from store.embeddings import write_embeddings
from store.layout import Layout
from store.links import write_links
from store.queries import write_queries


def link_names(path: Path) -> list[str]:
    """Paths of all external links."""
    names: list[str] = []

    def walk(group: h5py.Group) -> None:
        for name in group:
            if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
                names.append(f"{group.name}/{name}".lstrip("/"))
            else:
                walk(group[name])

    with h5py.File(path, "r", locking=False) as file:
        walk(file)
    return names


def fill(layout: Layout) -> None:
    write_queries(layout, "bbh", [query(0)])
    write_embeddings(layout, "org/encoder", "bbh", np.arange(2), np.ones((2, 3), np.float32), {"digest": "d"})
    for model in ("org/模型", ".hidden", "gpt-4.1", "a model's [1] %41"):
        add_part(layout, "job1", [answer(0)], benchmark="bbh", model=model)
    add_part(layout, "job2", [answer(1)], benchmark="bbh", model="gpt-4.1")


def test_every_link_opens_after_the_store_was_moved(layout: Layout, tmp_path: Path):
    fill(layout)
    assert write_links(layout) == 7
    moved = Layout(layout.root.rename(tmp_path / "elsewhere"))
    names = link_names(moved.links)
    assert len(names) == 7
    assert "responses/bbh/gpt-4.1/0000.job2" in names
    assert "responses/bbh/org∕模型/0000.job1" in names
    with h5py.File(moved.links, "r", locking=False) as file:
        for name in names:
            assert file[name].attrs["n_rows"] > 0
        assert file["responses/bbh/gpt-4.1/0000.job2/index"][:].tolist() == [1]


def test_links_are_written_anew(layout: Layout):
    fill(layout)
    write_links(layout)
    layout.queries("bbh").unlink()
    assert write_links(layout) == 6
    assert "queries/bbh" not in link_names(layout.links)


def test_an_empty_store_has_an_empty_list_of_links(layout: Layout):
    layout.root.mkdir()
    assert write_links(layout) == 0
    assert link_names(layout.links) == []

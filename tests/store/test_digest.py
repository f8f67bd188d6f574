"""Digests depend on everything that matters and on nothing else."""

from pathlib import Path

import pytest

from store.digest import digest, digest_folder


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A folder with a small file, and one of which only the ends are read."""
    folder = tmp_path / "checkpoint"
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "sub" / "model.safetensors").write_bytes(bytes(5 << 20))
    return folder


def test_key_order_does_not_matter_and_values_do():
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    values = [{"a": 1}, {"a": 1.5}, {"a": "1"}, {"a": None}, {"a": [1]}, {"a": True}, [], "", "\ud800", {"a": {"b": 1}}]
    assert len({digest(value) for value in values}) == len(values)
    assert len(digest([])) == 32
    assert set(digest([])) <= set("0123456789abcdef")


def test_a_moved_checkpoint_keeps_its_digest(checkpoint: Path):
    before = digest_folder(checkpoint)
    assert digest_folder(checkpoint.rename(checkpoint.with_name("elsewhere"))) == before


@pytest.mark.parametrize("position", [0, (1 << 20) - 1, 4 << 20, (5 << 20) - 1])
def test_a_changed_end_of_a_large_file_changes_the_digest(checkpoint: Path, position: int):
    before = digest_folder(checkpoint)
    with (checkpoint / "sub" / "model.safetensors").open("r+b") as file:
        file.seek(position)
        file.write(b"x")
    assert digest_folder(checkpoint) != before


def test_names_sizes_and_small_files_matter(checkpoint: Path):
    seen = {digest_folder(checkpoint)}
    (checkpoint / "config.json").write_text("{ }")
    seen.add(digest_folder(checkpoint))
    (checkpoint / "config.json").rename(checkpoint / "sub" / "config.json")
    seen.add(digest_folder(checkpoint))
    (checkpoint / "empty").touch()
    seen.add(digest_folder(checkpoint))
    assert len(seen) == 4


def test_what_a_downloader_leaves_behind_does_not_matter(checkpoint: Path):
    before = digest_folder(checkpoint)
    notes = checkpoint / ".cache" / "huggingface" / "download"
    notes.mkdir(parents=True)
    (notes / "config.json.metadata").write_text("5c2d…\n1732287600.0\n")  # the time of the download
    (checkpoint / ".gitattributes").touch()
    assert digest_folder(checkpoint) == before


def test_a_link_counts_as_what_it_points_to(checkpoint: Path, tmp_path: Path):
    before = digest_folder(checkpoint)
    blob = (checkpoint / "config.json").rename(tmp_path / "blob")
    (checkpoint / "config.json").symlink_to(blob)
    assert digest_folder(checkpoint) == before

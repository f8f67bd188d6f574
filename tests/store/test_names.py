"""Names become single, harmless path components and come back as they were."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from store.errors import StoreError
from store.names import from_file_name, to_file_name

AWKWARD = ["Qwen/Qwen3-8B", "..", ".", ".hidden", "a/../b", "/", "50%", "%2E", "naïve 模型", "a\0b", "x" * 200, "a.h5"]
# surrogates too: a name may come from the command line's bytes
names = st.text(st.characters(exclude_categories=()), min_size=1, max_size=16)
relaxed = settings(derandomize=True, database=None, deadline=None)


@relaxed
@given(names)
@example("..")
@example("a/b")
@example(".x")
@example("\udcff\ud800")
def test_names_come_back(name: str):
    assert from_file_name(to_file_name(name)) == name


@relaxed
@given(names)
def test_components_are_plain(name: str):
    component = to_file_name(name)
    assert component.isascii()
    assert component.isprintable()
    assert not component.startswith(".")
    assert not set(component) & set('/\\\0 *?[]:"<>|')


@relaxed
@given(names, names)
@example("a/b", "a%2Fb")
@example(".a", "%2Ea")
def test_distinct_names_have_distinct_components(left: str, right: str):
    assert (to_file_name(left) == to_file_name(right)) == (left == right)


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_are_one_file_each(tmp_path: Path, name: str):
    (tmp_path / to_file_name(name)).touch()
    assert [from_file_name(path.name) for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["", "x" * 201, "/" * 67, "模" * 23])
def test_empty_and_too_long_names_are_refused(name: str):
    with pytest.raises(StoreError, match="empty or longer than 200"):
        to_file_name(name)

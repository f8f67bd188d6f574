"""Pickles of foreign origin: data comes back as it was, and whatever else they ask for is refused before it happens."""

import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from store.errors import DamagedFileError, StoreError
from store.restricted_pickle import load

DATA = {
    "model": ["a", "b"],
    "names": np.array(["x", "longer"]),
    "objects": np.array(["x", "y" * 50], object),
    "float": np.arange(6.0).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "other": np.arange(3, dtype=">i4"),
    "bool": np.array([True, False]),
    "empty": np.zeros((0, 4)),
    "scalar": np.float64(0.5),
    "name": np.str_("m"),
    "plain": (1, 2.5, None, True, {"deep": [np.ones(2)]}),
}


class Call:
    """Pickles as a call."""

    def __init__(self, *call, state=None):
        self.call, self.state = call, state

    def __reduce__(self):
        function, *arguments = self.call
        return (function, tuple(arguments)) if self.state is None else (function, tuple(arguments), self.state)


def store(tmp_path, value, protocol=4):
    path = tmp_path / "file.pkl"
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_data_comes_back_whatever_the_protocol(tmp_path, protocol):
    found = load(store(tmp_path, DATA, protocol))
    np.testing.assert_equal(found, DATA)
    for key in ("float", "columns", "other", "bool", "names", "objects", "empty"):
        assert found[key].dtype == DATA[key].dtype, key


def test_names_of_older_numpy_are_known(tmp_path):
    path = store(tmp_path, np.arange(3.0), 2)
    path.write_bytes(path.read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    np.testing.assert_array_equal(load(path), [0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    "value",
    [
        Call(os.mkdir, "owned"),
        Call(eval, "1 + 1"),
        Call(getattr, "text", "upper"),
        Call(np.load, "x.npy", None, True),
        [Call(pickle.loads, b"N.")],
        OrderedDict(a=1),
        np.array([1], "M8[s]"),
        np.array([(1, 2.0)], [("a", int), ("b", float)]),
        np.ma.masked_array([1.0]),
    ],
    ids=["mkdir", "eval", "getattr", "np.load", "nested", "OrderedDict", "date", "structure", "masked"],
)
def test_whatever_is_not_data_is_refused(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=r"file\.pkl holds .*; only dicts, lists, strings, numbers and NumPy arrays"):
        load(store(tmp_path, value))
    assert [path.name for path in tmp_path.iterdir()] == ["file.pkl"]


def test_arrays_of_objects_cannot_be_made_from_bytes(tmp_path):
    """NumPy's own functions would take raw bytes for addresses of objects."""
    reconstruct, _, _ = np.array([None]).__reduce__()
    forged = Call(reconstruct, np.ndarray, (0,), b"b", state=(1, (1,), np.dtype("O"), False, b"\x41" * 8))
    with pytest.raises(StoreError, match="objects as raw bytes"):
        load(store(tmp_path, forged))
    with pytest.raises(StoreError, match="objects as raw bytes"):
        load(store(tmp_path, Call(np.array([1.0]).__reduce_ex__(5)[0], b"\x41" * 8, np.dtype("O"), (1,), "C")))
    with pytest.raises(DamagedFileError):
        load(store(tmp_path, Call(np.ndarray, (1,), np.dtype("O"), b"\x41" * 8)))


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(np.arange(1000.0))[:-500]])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "file.pkl"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"file\.pkl is no whole pickle"):
        load(path)

"""Read a pickle of foreign origin that holds data and nothing else: dicts, lists, strings, numbers, NumPy arrays.

A pickle is a program: it may name any function of any package and call it with any arguments. Here every name but the
few with which NumPy writes arrays is refused, and even those do not lead into NumPy, whose own functions can be made
to build objects from raw bytes: they lead to the stand-ins of this file, which check what they are given.
"""

import pickle
import struct
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from store.errors import DamagedFileError, StoreError

_PLAIN = "biufUS"  # kinds of numbers and of fixed-width text; no structures, no dates


class _Type:
    """Stands for `numpy.dtype`; `dtype` is "O" only for arrays of objects, which are built from lists."""

    def __init__(self, code: str, align: bool = False, copy: bool = True) -> None:
        self.dtype = np.dtype(str(code))
        if self.dtype.kind not in _PLAIN + "O" or self.dtype.fields or self.dtype.subdtype:
            raise _Refused(f"an array of {code!r}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):  # the rest follows from the code
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for an array until `_finish`: pickle makes it empty and fills it later."""

    def __init__(self) -> None:
        self.value: Any = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, is_fortran, content = state
        order = "F" if is_fortran else "C"
        if kind.dtype.kind == "O" and isinstance(content, list):
            self.value = np.empty(len(content), object)
            self.value[:] = content
            self.value = self.value.reshape(shape, order=order)
        else:
            self.value = _from_bytes(content, kind, shape, order)


def load(path: Path) -> Any:
    """The data in a pickle file.

    Arrays of numbers are read-only views of the bytes that were read: one copy of the file is held, not two.

    Raises:
        StoreError: it holds something else than data; nothing of it was carried out.
        DamagedFileError: it breaks off or is no pickle.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        try:
            return _finish(_Unpickler(file).load())
        except _Refused as error:
            raise StoreError(
                f"{path} holds {error}; only dicts, lists, strings, numbers and NumPy arrays are read, for a pickle "
                "may run any program. Get the file from its publisher again, or convert it where you trust it"
            ) from None
        except (pickle.UnpicklingError, EOFError, struct.error, ArithmeticError, LookupError, AttributeError,
                TypeError, ValueError, MemoryError, RecursionError) as error:  # fmt: skip
            raise DamagedFileError(
                f"{path} is no whole pickle ({error or type(error).__name__}); get it again"
            ) from None


class _Refused(Exception):
    """What a pickle asked for that is not data."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[module.replace("numpy._core", "numpy.core"), name]
        except KeyError:
            raise _Refused(f"{module}.{name}") from None

    def persistent_load(self, pid: Any) -> NoReturn:
        raise _Refused("a reference to another file")


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _from_buffer(content: bytes, kind: _Type, shape: tuple[int, ...], order: str) -> _Array:
    array = _Array()
    array.value = _from_bytes(content, kind, shape, order)
    return array


def _scalar(kind: _Type, content: bytes) -> Any:
    return _from_bytes(content, kind, (1,), "C")[0].item()


def _encode(text: str, encoding: str) -> bytes:
    """Protocols below 3 write bytes so, and in no other encoding."""
    if encoding != "latin1":
        raise _Refused(f"text in {encoding!r}")
    return text.encode("latin1")


def _from_bytes(content: bytes, kind: _Type, shape: tuple[int, ...], order: str) -> np.ndarray:
    if kind.dtype.kind not in _PLAIN:
        raise _Refused("objects as raw bytes")
    if 0 in shape:  # np.frombuffer takes no empty bytes
        return np.zeros(shape, kind.dtype)
    return np.frombuffer(content, kind.dtype).reshape(shape, order="F" if order == "F" else "C")


def _finish(value: Any) -> Any:
    """The same with arrays in the place of their stand-ins."""
    if isinstance(value, dict):
        return {key: _finish(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_finish(item) for item in value)
    return value.value if isinstance(value, _Array) else value


def _no_bytes() -> bytes:
    """How the same protocols write the content of an empty array."""
    return b""


class _ArrayName:
    """Stands for `numpy.ndarray` as an argument; never called."""


_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _ArrayName,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _no_bytes,
}

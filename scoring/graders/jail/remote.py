"""Use what a program defines from another process, so that the program never runs where it is judged.

Values travel as pickles. The judge's side reads only plain values; anything else stays in the program's process and is
known to the judge by a number. A program can therefore answer what it likes, but not bring along an object that is
equal to everything, nor touch the code that compares. Arguments are copies: a program cannot change them either.
"""

import contextlib
import io
import operator
import pickle
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

_HEAD = struct.Struct(">Q")
_PLAIN: tuple[Any, ...] = (
    bool, int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset, range, Decimal, Fraction
)  # fmt: skip


class ProgramError(Exception):
    """The program raised, ended, or answered nonsense; the text says what."""


class Channel:
    """Messages over a socket, each with its length before it."""

    def __init__(self, connection: socket.socket):
        self._connection = connection

    def send(self, message: bytes) -> None:
        self._connection.sendall(_HEAD.pack(len(message)))
        self._connection.sendall(message)

    def receive(self, max_bytes: int) -> bytes:
        """The next message.

        Raises:
            EOFError: the other side is gone.
            ProgramError: it is larger than max_bytes.
        """
        (length,) = _HEAD.unpack(self._exactly(_HEAD.size))
        if length > max_bytes:
            raise ProgramError(f"a value of {length} bytes; the limit is {max_bytes}")
        return self._exactly(length)

    def _exactly(self, n_bytes: int) -> bytes:
        parts = bytearray()
        while len(parts) < n_bytes:
            part = self._connection.recv(min(n_bytes - len(parts), 1 << 20))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)


class Peer:
    """The judge's end: asks the program's process to look up, to call, …"""

    def __init__(self, channel: Channel, max_bytes: int):
        self._channel, self._max_bytes = channel, max_bytes

    def ask(self, operation: str, *operands: Any) -> Any:
        """What an operation of `serve` gives in the program's process.

        Raises:
            ProgramError: it raised there, or its answer cannot be read.
            EOFError: the process is gone.
        """
        message = io.BytesIO()
        _JudgePickler(message, 5).dump((operation, *operands))
        try:
            self._channel.send(message.getvalue())
        except OSError as error:
            raise EOFError from error
        return self.answer()

    def answer(self) -> Any:
        """The next answer; see `ask`."""
        message = self._channel.receive(self._max_bytes)
        try:
            is_value, value = _JudgeUnpickler(message, self).load()
        except Exception as error:
            raise ProgramError(f"an answer that is no value ({type(error).__name__})") from error
        if is_value is not True:
            raise ProgramError(value if isinstance(value, str) else "no reason given")
        return value


class Remote:
    """An object of the program's process: a function, a class, or an instance that is not plain."""

    __slots__ = ("_key", "_peer")

    def __init__(self, peer: Peer, key: int):
        object.__setattr__(self, "_peer", peer)
        object.__setattr__(self, "_key", key)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._peer.ask("call", self, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._peer.ask("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.ask("setattr", self, name, value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._peer.ask("list", self))

    def __len__(self) -> int:
        try:
            return self._peer.ask("len", self)
        except ProgramError as error:  # an iterator, for instance, which list() asks, too
            raise TypeError(str(error)) from error

    def __bool__(self) -> bool:
        return self._peer.ask("bool", self)

    def __getitem__(self, key: Any) -> Any:
        return self._peer.ask("getitem", self, key)


class _JudgePickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> int | None:
        return obj._key if type(obj) is Remote else None


class _JudgeUnpickler(pickle.Unpickler):
    """Reads plain values only. All classes it knows are Python's own and cannot be changed."""

    def __init__(self, message: bytes, peer: Peer):
        super().__init__(io.BytesIO(message))
        self._peer = peer

    def find_class(self, module: str, name: str) -> Any:
        for kind in _PLAIN:
            if module == kind.__module__ and name == kind.__name__:
                return kind
        raise pickle.UnpicklingError(f"{module}.{name}")

    def persistent_load(self, key: Any) -> Remote:
        return Remote(self._peer, int(key))


def serve(channel: Channel, namespace: dict[str, Any], start: Callable[[], None]) -> None:
    """The program's end: start it, then answer until the judge is gone.

    Args:
        channel: to the judge.
        namespace: where the program's definitions are after `start`.
        start: runs the program's text.
    """
    objects: list[Any] = []

    def get(name: str) -> Any:
        if name not in namespace:
            raise NameError(f"{name!r} is not defined")
        return namespace[name]

    operations: dict[str, Callable[..., Any]] = {
        "start": start,
        "get": get,
        "call": lambda function, args, kwargs: function(*args, **kwargs),
        "getattr": getattr,
        "setattr": setattr,
        "list": list,
        "len": len,
        "bool": bool,
        "getitem": operator.getitem,
    }
    pending: tuple = ("start",)
    with contextlib.suppress(EOFError):
        while True:
            operation, *operands = pending
            try:
                answer = _dump((True, operations[operation](*operands)), objects)
            except BaseException as error:
                answer = _dump((False, describe(error)), objects)
            channel.send(answer)
            pending = _ProgramUnpickler(channel.receive(sys.maxsize), objects).load()


def describe(error: BaseException) -> str:
    """Type and text of an exception, whatever its class does."""
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except BaseException:
        return "an exception that cannot be shown"


def _dump(answer: tuple[bool, Any], objects: list[Any]) -> bytes:
    message = io.BytesIO()
    _ProgramPickler(message, objects).dump(answer)
    return message.getvalue()


class _ProgramPickler(pickle.Pickler):
    def __init__(self, message: io.BytesIO, objects: list[Any]):
        super().__init__(message, 5)
        self._objects = objects

    def persistent_id(self, obj: Any) -> int | None:
        if obj is None or isinstance(obj, _PLAIN) or _is_numpy_scalar(obj) or any(obj is kind for kind in _PLAIN):
            return None
        self._objects.append(obj)
        return len(self._objects) - 1

    def reducer_override(self, obj: Any) -> Any:
        """A Counter travels as a dictionary, a named tuple as a tuple, a NumPy scalar as a number."""
        if _is_numpy_scalar(obj):
            obj = obj.item()
            return type(obj), (obj,)
        for kind in _PLAIN:
            if isinstance(obj, kind) and type(obj) is not kind:
                return kind, (kind(obj),)
        return NotImplemented


class _ProgramUnpickler(pickle.Unpickler):
    def __init__(self, message: bytes, objects: list[Any]):
        super().__init__(io.BytesIO(message))
        self._objects = objects

    def persistent_load(self, key: Any) -> Any:
        return self._objects[key]


def _is_numpy_scalar(obj: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(obj, numpy.generic)

"""Classes found by their name: one file per class, called like it, in a package that lists nothing.

For benchmarks and routers alike. It lives in `store` because both rooms may import that and not each other.
"""

import importlib
import pkgutil
from collections.abc import Collection
from difflib import get_close_matches
from types import ModuleType
from typing import TypeVar

from store.errors import RouteyardError

T = TypeVar("T")


def names(package: ModuleType, others: Collection[str] = ()) -> list[str]:
    """Names of a package's modules, sorted; imports none of them.

    Args:
        others: modules that hold something else.
    """
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name not in others)


def find(package: ModuleType, name: str, valid: list[str], base: type[T], error: type[RouteyardError]) -> type[T]:
    """The subclass of `base` whose attribute `name` is `name`, in the package's module of that name.

    Args:
        valid: the names there are.
        error: what to raise.

    Raises:
        RouteyardError: of the class `error`; the message has the nearest name and all valid ones.
    """
    what = base.__name__.lower()
    if name not in valid:
        near = get_close_matches(name, valid, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise error(f"unknown {what} {name!r}.{hint} Valid: {', '.join(valid)}")
    module = importlib.import_module(f"{package.__name__}.{name}")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, base) and getattr(value, "name", None) == name:
            return value
    raise error(f"{module.__file__} has no {base.__name__} class whose attribute name is {name!r}")

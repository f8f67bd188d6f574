"""Model and benchmark names <-> file names, reversibly.

`Qwen/Qwen3-8B` must be one path component, and two different names must never share one. Percent-encoding does
both; the characters that stay readable are the ones harmless on every file system.
"""

from urllib.parse import quote, unquote

from store.errors import StoreError

_MAX_BYTES = 200  # file systems allow 255; parts add a suffix


def to_file_name(name: str) -> str:
    """The path component for a name.

    Raises:
        StoreError: the name is empty or too long for a file name.
    """
    safe = quote(name, safe="@+=,", errors="surrogatepass")
    if safe.startswith("."):
        safe = "%2E" + safe[1:]  # no hidden files, no "." and ".."
    if not 0 < len(safe) <= _MAX_BYTES:
        raise StoreError(f"name {name[:80]!r} is empty or longer than {_MAX_BYTES} bytes once made safe for paths")
    return safe


def from_file_name(component: str) -> str:
    """The name that `to_file_name` turned into this path component."""
    return unquote(component, errors="surrogatepass")

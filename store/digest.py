"""Digests: short names for everything that determines a content, so that two configurations never mix unseen."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

_SAMPLE_BYTES = 1 << 20


def digest(value: Any) -> str:
    """32 hexadecimal digits that depend on a JSON value and not on the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def digest_source(folder: Path) -> str:
    """Digest of all Python files below a folder: whoever edits them gets made again what they make."""
    paths = sorted(folder.rglob("*.py"))
    return digest([[str(path.relative_to(folder)), path.read_text()] for path in paths])


def digest_folder(folder: Path) -> str:
    """Digest of a checkpoint folder: names and sizes of all files, whole contents of small ones.

    Hidden files and folders do not count: downloaders keep time stamps there.

    Of a file over 2 MB only the first and last megabyte are read: the header of a safetensors file and its end, so
    that a 70B checkpoint on a shared file system costs milliseconds.
    """
    result = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, size_bytes = path.relative_to(folder), path.stat().st_size
        if any(part.startswith(".") for part in name.parts):
            continue
        result.update(f"{name}\0{size_bytes}\0".encode())
        with path.open("rb") as file:
            if size_bytes <= 2 * _SAMPLE_BYTES:
                result.update(file.read())
            else:
                result.update(file.read(_SAMPLE_BYTES))
                file.seek(-_SAMPLE_BYTES, 2)
                result.update(file.read())
    return result.hexdigest()[:32]

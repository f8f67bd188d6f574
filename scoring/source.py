"""Where a benchmark's question files can be fetched, and the SHA-256 of those that are known.

`scoring/benchmarks/SHA256SUMS` has a line per known file, as `sha256sum` writes it: of question files by their name
below the data folder, unpacked where they lie there packed; of files that are converted on arrival by their path in the
repository; and, below LLMRouterBench/, of the very files behind the published tables.
"""

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

_PAGES = {"github": "https://github.com/{}", "hub": "https://huggingface.co/datasets/{}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A public repository with the files of one benchmark.

    Attributes:
        host: "github", or "hub" for a data set on the Hugging Face hub.
        repository: "owner/name".
        revision: commit, so that everybody gets the same.
        files: name below <data_dir>/<benchmark> -> path in the repository. Parquet becomes JSON lines on the way.
        columns: of Parquet, those that are kept; None for all.
        needs_consent: only accounts that have agreed to its terms get it.
    """

    host: Literal["github", "hub"]
    repository: str
    revision: str
    files: Mapping[str, str]
    columns: tuple[str, ...] | None = None
    needs_consent: bool = False

    @property
    def page(self) -> str:
        """Its address, for people."""
        return _PAGES[self.host].format(self.repository)


@cache
def known_digests() -> dict[str, str]:
    """SHA-256 by name; see the module."""
    lines = (Path(__file__).parent / "benchmarks" / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def digest_of(path: Path) -> str:
    """SHA-256 of a file's content, unpacked where its name ends in ".gz" and it is gzip."""
    if path.suffix == ".gz":
        try:
            with gzip.open(path) as unpacked:
                return hashlib.file_digest(unpacked, "sha256").hexdigest()  # type: ignore[arg-type]  # it serves
        except (gzip.BadGzipFile, EOFError, zlib.error):
            pass
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_there(place: Path) -> bool:
    """Whether a question file is there, packed or not."""
    return place.is_file() or place.with_name(place.name + ".gz").is_file()

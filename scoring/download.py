"""Fetch a benchmark's question files from their source to their place.

Only this file imports the hub's client and httpx.

A file appears at its place whole and checked, or not at all; what is there already is left alone, so typing the command
again goes on with what is missing. Data sets on the hub come through its own client, which takes a broken connection up
where it broke and finds HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE itself; GitHub's files are small and come by https,
those kept in Git LFS from where it keeps them. Tested against a small HTTP server that answers like the two; the real
ones were out of reach where this was written.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from scoring.benchmark import BenchmarkError
from scoring.parquet import to_json_lines
from scoring.source import Source, digest_of, is_there, known_digests
from store.atomic import make_folder, move_file, write_file

if TYPE_CHECKING:
    import httpx

GITHUB = "https://raw.githubusercontent.com"
GITHUB_LFS = "https://media.githubusercontent.com/media"
_LFS_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")
_TRIES = 4  # of a file on GitHub
_TIMEOUT_S = 30.0  # without a byte


def fetch(name: str, source: Source, data_dir: Path) -> None:
    """Put those files of a benchmark that are missing below `data_dir / name`.

    Raises:
        BenchmarkError: a file cannot be had, or is not the known one; those before it are at their places.
        OSError: the disk is full or refuses.
    """
    make_folder(data_dir)
    with TemporaryDirectory(dir=data_dir, prefix=f".{name}-") as folder:
        for file, path in source.files.items():
            place = data_dir / name / file
            if is_there(place):
                continue
            found = (_from_hub if source.host == "hub" else _from_github)(source, path, Path(folder))
            if path.endswith(".parquet"):
                _check(f"{name}/{path}", found, source, path)
                found, parquet = found.with_suffix(".jsonl"), found
                to_json_lines(parquet, found, source.columns)
            else:
                _check(f"{name}/{file.removesuffix('.gz')}", found, source, path)
            make_folder(place.parent)
            move_file(found, place)


def _check(name: str, path: Path, source: Source, file: str) -> None:
    """Raise if the digest of a file that has come is not the known one of that name."""
    expected = known_digests().get(name)
    if expected and (found := digest_of(path)) != expected:
        raise BenchmarkError(
            f"{_where(source, file)} is not the known file: SHA-256 expected {expected}, found {found}. It was not "
            "kept; try again, and if it stays so, get it another way"
        )


def _from_hub(source: Source, path: str, folder: Path) -> Path:
    try:
        from huggingface_hub import errors, hf_hub_download
    except ImportError as error:
        raise BenchmarkError(f"huggingface_hub cannot be imported ({error}); pip install 'routeyard[data]'") from None
    try:
        return Path(
            hf_hub_download(source.repository, path, repo_type="dataset", revision=source.revision, local_dir=folder)
        )
    except Exception as error:  # many are of the client's HTTP library, another one in each of its major versions
        cause = error.__cause__ if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ else error
        status = getattr(getattr(cause, "response", None), "status_code", None)
        if isinstance(cause, errors.GatedRepoError) or (source.needs_consent and status in (401, 403)):
            raise BenchmarkError(
                f"{source.page} is given out after consent: agree to its terms there with your account, and set "
                "HF_TOKEN to an access token of that account"
            ) from error
        raise BenchmarkError(f"{_where(source, path)} cannot be fetched: {_line(cause)}") from error


def _from_github(source: Source, path: str, folder: Path) -> Path:
    try:
        import httpx
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential
    except ImportError as error:
        raise BenchmarkError(f"a package is missing ({error}); pip install 'routeyard[data]'") from None
    part = quote(f"{source.repository}/{source.revision}/{path}")
    place = folder / path
    retrying = Retrying(
        stop=stop_after_attempt(_TRIES), wait=wait_exponential(), retry=retry_if_exception(_may_pass), reraise=True
    )
    with httpx.Client(timeout=_TIMEOUT_S, follow_redirects=True) as client:
        try:
            content = retrying(_get, client, f"{GITHUB}/{part}")
            if pointer := _LFS_POINTER.match(content):
                content = retrying(_get, client, f"{GITHUB_LFS}/{part}")
        except httpx.HTTPError as error:
            raise BenchmarkError(f"{_where(source, path)} cannot be fetched: {_line(error)}") from error
    write_file(place, content)
    if pointer and digest_of(place) != pointer[1].decode():
        raise BenchmarkError(
            f"{_where(source, path)}: Git LFS has another file than the repository says (SHA-256 expected "
            f"{pointer[1].decode()}, found {digest_of(place)}); get it another way"
        )
    return place


def _get(client: "httpx.Client", url: str) -> bytes:
    response = client.get(url)
    response.raise_for_status()
    return response.content


def _may_pass(error: BaseException) -> bool:
    """Whether trying again may help: a lost connection, or a server that says so."""
    import httpx

    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in (408, 429, 500, 502, 503, 504)
    return isinstance(error, httpx.TransportError)


def _where(source: Source, path: str) -> str:
    return f"{path} of {source.page} at {source.revision}"


def _line(error: BaseException) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")

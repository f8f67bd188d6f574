"""Fetching question files with the real clients from a real server: what arrives is whole and known, or not at all."""

import gzip
import json
from hashlib import sha256
from io import BytesIO

import pytest
from pyarrow import table
from pyarrow.parquet import write_table

from scoring import download
from scoring.benchmark import BenchmarkError
from scoring.download import fetch
from scoring.source import Source, digest_of, known_digests
from tests.file_server import send_clients_to, serving

CONTENT = b'{"question": "1 + 1?", "answer": "2"}\n' * 200_000  # 7.6 MB, several reads


@pytest.fixture
def site(monkeypatch):
    with serving() as site:
        send_clients_to(site, monkeypatch)
        yield site


def hub(*files, repository="owner/set", **options):
    return Source(host="hub", repository=repository, revision="rev", files={file: file for file in files}, **options)


def github(**files):
    return Source(host="github", repository="owner/code", revision="c0ffee", files=files)


def on_hub(path, repository="owner/set"):
    return f"/datasets/{repository}/resolve/rev/{path}"


def on_github(path, kind="raw"):
    return f"/{kind}/owner/code/c0ffee/{path}"


def failure_of(source, data_dir):
    """The message of the failure; nothing half-written is left behind."""
    with pytest.raises(BenchmarkError) as caught:
        fetch("quiz", source, data_dir)
    left = [path for path in data_dir.rglob("*") if path.is_file()]
    assert left == [], left
    assert [path.name for path in data_dir.iterdir()] in ([], ["quiz"])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_of_the_hub_comes_to_its_place(site, tmp_path):
    site.files[on_hub("data/test.jsonl")] = CONTENT
    fetch("quiz", hub("data/test.jsonl"), tmp_path / "new")
    assert (tmp_path / "new" / "quiz" / "data" / "test.jsonl").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["quiz"]


def test_a_file_of_github_gets_the_name_that_its_loader_looks_for(site, tmp_path):
    site.files[on_github("a folder/test.txt").replace(" ", "%20")] = CONTENT
    fetch("quiz", github(**{"test.jsonl": "a folder/test.txt"}), tmp_path)
    assert (tmp_path / "quiz" / "test.jsonl").read_bytes() == CONTENT


def test_what_is_there_is_not_fetched_again_packed_or_not(site, tmp_path):
    folder = tmp_path / "quiz"
    folder.mkdir()
    (folder / "one.jsonl").write_text("mine")
    (folder / "two.jsonl.gz").write_bytes(gzip.compress(b"mine"))
    site.files[on_github("3")] = b"theirs"
    fetch("quiz", github(**{"one.jsonl": "1", "two.jsonl": "2", "three.jsonl": "3"}), tmp_path)
    assert [path for _, path, _, _ in site.requests] == [on_github("3")]
    assert (folder / "one.jsonl").read_text() == "mine"


def test_a_failure_keeps_the_files_before_it_and_the_next_run_goes_on_from_there(site, tmp_path):
    site.files[on_github("1")] = b"one"
    source = github(**{"one.jsonl": "1", "two.jsonl": "2"})
    with pytest.raises(BenchmarkError, match=r"2 of https://github\.com/owner/code at c0ffee cannot be fetched: .*404"):
        fetch("quiz", source, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["quiz", "one.jsonl"]
    site.files[on_github("2")] = b"two"
    fetch("quiz", source, tmp_path)
    assert (tmp_path / "quiz" / "two.jsonl").read_bytes() == b"two"
    assert len(site.asked(on_github("1"))) == 1


def test_a_connection_to_the_hub_that_breaks_is_taken_up_where_it_broke(site, tmp_path):
    site.files[on_hub("test.jsonl")] = 4 * CONTENT
    site.cuts[on_hub("test.jsonl")] = [25_000_000]
    fetch("quiz", hub("test.jsonl"), tmp_path)
    assert (tmp_path / "quiz" / "test.jsonl").read_bytes() == 4 * CONTENT
    first, second = site.asked(on_hub("test.jsonl"))
    assert not first
    assert 10_000_000 < int(second.removeprefix("bytes=").rstrip("-")) <= 25_000_000


@pytest.mark.slow
def test_a_connection_to_the_hub_that_stays_broken_leaves_nothing(site, tmp_path):
    site.files[on_hub("test.jsonl")] = CONTENT
    site.cuts[on_hub("test.jsonl")] = [5_000_000] + [0] * 20
    message = failure_of(hub("test.jsonl"), tmp_path)
    assert "test.jsonl of https://huggingface.co/datasets/owner/set at rev cannot be fetched" in message


@pytest.mark.parametrize("trouble", [{"refusals": [(503, "")]}, {"cuts": [1_000_000]}], ids=["overloaded", "cut"])
def test_trouble_with_github_that_passes_is_waited_for(site, tmp_path, trouble):
    site.files[on_github("1")] = CONTENT
    for name, value in trouble.items():
        getattr(site, name)[on_github("1")] = value
    fetch("quiz", github(**{"one.jsonl": "1"}), tmp_path)
    assert (tmp_path / "quiz" / "one.jsonl").read_bytes() == CONTENT
    assert len(site.asked(on_github("1"))) == 2


def test_a_connection_to_github_that_stays_broken_leaves_nothing(site, tmp_path):
    site.files[on_github("1")] = CONTENT
    site.cuts[on_github("1")] = [1_000_000] * 9
    assert "cannot be fetched: RemoteProtocolError" in failure_of(github(**{"one.jsonl": "1"}), tmp_path)


def test_a_file_that_github_does_not_have_is_asked_for_once(site, tmp_path):
    assert "404" in failure_of(github(**{"one.jsonl": "1"}), tmp_path)
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "EntryNotFound", ["test.jsonl of https://huggingface.co/datasets/owner/set at rev", "EntryNotFound"]),
        (404, "RevisionNotFound", ["cannot be fetched", "RevisionNotFound"]),
        (404, "RepoNotFound", ["cannot be fetched", "RepositoryNotFound"]),
        (401, "GatedRepo", ["after consent", "HF_TOKEN", "https://huggingface.co/datasets/owner/set"]),
        (403, "GatedRepo", ["after consent", "HF_TOKEN"]),
        (400, "", ["cannot be fetched", "Bad request"]),
    ],
    ids=lambda value: str(value) if not isinstance(value, list) else "",
)
def test_a_refusal_of_the_hub_says_what_to_do(site, tmp_path, status, code, words):
    site.refusals[on_hub("test.jsonl")] = [(status, code)] * 9
    message = failure_of(hub("test.jsonl"), tmp_path)
    assert all(word in message for word in words), message


@pytest.mark.parametrize("status", [401, 403])
def test_a_set_known_to_ask_for_consent_says_so_whatever_the_hub_says(site, tmp_path, status):
    site.refusals[on_hub("test.jsonl")] = [(status, "")] * 9
    assert "HF_TOKEN" in failure_of(hub("test.jsonl", needs_consent=True), tmp_path)


def test_the_token_goes_to_the_hub_and_into_no_message(site, tmp_path, monkeypatch):
    site.token, path = "hf_secret", on_hub("test.csv", "gated/set")
    site.files[path] = b"a,b\n1,2\n"
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "hf_wrong" not in failure_of(hub("test.csv", repository="gated/set"), tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.delenv("HF_HUB_DISABLE_IMPLICIT_TOKEN")
    fetch("quiz", hub("test.csv", repository="gated/set"), tmp_path)
    assert (tmp_path / "quiz" / "test.csv").read_bytes() == b"a,b\n1,2\n"


def test_a_hub_that_cannot_be_reached_is_one_line(site, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in failure_of(hub("test.jsonl"), tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_with_another_digest_than_the_known_one_is_refused(site, tmp_path, monkeypatch, packed):
    right, wrong = b"the known file", b"another file"
    monkeypatch.setattr(download, "known_digests", lambda: {"quiz/one.jsonl": sha256(right).hexdigest()})
    suffix, pack = (".gz", gzip.compress) if packed else ("", bytes)
    source = github(**{f"one.jsonl{suffix}": f"1{suffix}"})
    site.files[on_github(f"1{suffix}")] = pack(wrong)
    message = failure_of(source, tmp_path)
    assert f"expected {sha256(right).hexdigest()}, found {sha256(wrong).hexdigest()}" in message
    site.files[on_github(f"1{suffix}")] = b"\x1f\x8b broken"
    assert "is not the known file" in failure_of(source, tmp_path)
    site.files[on_github(f"1{suffix}")] = pack(right)
    fetch("quiz", source, tmp_path)
    assert digest_of(tmp_path / "quiz" / f"one.jsonl{suffix}") == sha256(right).hexdigest()


def pointer(content):
    oid = sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n".encode()


def test_a_file_that_github_keeps_in_lfs_is_fetched_from_there(site, tmp_path):
    site.files |= {on_github("1"): pointer(CONTENT), on_github("1", "media"): CONTENT}
    fetch("quiz", github(**{"one.jsonl": "1"}), tmp_path)
    assert (tmp_path / "quiz" / "one.jsonl").read_bytes() == CONTENT


def test_a_file_of_lfs_that_is_another_one_is_refused(site, tmp_path):
    site.files |= {on_github("1"): pointer(CONTENT), on_github("1", "media"): b"quota exceeded"}
    message = failure_of(github(**{"one.jsonl": "1"}), tmp_path)
    assert sha256(CONTENT).hexdigest() in message
    assert sha256(b"quota exceeded").hexdigest() in message


def parquet(columns):
    buffer = BytesIO()
    write_table(table(columns), buffer)
    return buffer.getvalue()


def converted(*columns):
    return Source(
        host="hub", repository="owner/set", revision="rev", files={"test.jsonl": "data/x.parquet"}, columns=columns
    )


def test_parquet_becomes_json_lines(site, tmp_path):
    site.files[on_hub("data/x.parquet")] = parquet(
        {"id": [70, 71], "question": ["«x²» \u2028?", "B"], "options": [["a", "b"], []], "image": [b"\x00", None]}
    )
    fetch("quiz", converted("question", "id", "options"), tmp_path)
    lines = (tmp_path / "quiz" / "test.jsonl").read_text("utf-8").split("\n")
    assert [json.loads(line) for line in lines[:-1]] == [
        {"question": "«x²» \u2028?", "id": 70, "options": ["a", "b"]},
        {"question": "B", "id": 71, "options": []},
    ]
    assert [path.name for path in (tmp_path / "quiz").iterdir()] == ["test.jsonl"]


@pytest.mark.parametrize("content", [b"no Parquet", {"id": [1]}], ids=["no Parquet file", "no column missing"])
def test_parquet_that_is_none_or_has_changed_its_form_is_refused(site, tmp_path, content, request):
    site.files[on_hub("data/x.parquet")] = parquet(content) if isinstance(content, dict) else content
    assert request.node.callspec.id in failure_of(converted("id", "missing"), tmp_path)


def test_the_list_of_digests_is_well_formed():
    for name, digest in known_digests().items():
        assert len(digest) == 64, name
        assert set(digest) <= set("0123456789abcdef"), name
        assert "/" in name
        assert not name.endswith(".gz"), name

"""The cache of API answers: what a key depends on, and that what is kept stays."""

import sqlite3
import subprocess
import sys

import pytest

from inference.api_cache import SCHEMA, ApiCache, cache_key
from store.errors import NewerSchemaError, StoreError

ANSWER = {"text": "é \ud83d\x00", "cost_usd": None, "extra": {"model": "m"}}
BODY = {"model": "m", "messages": [{"role": "user", "content": "q"}], "temperature": 0.2}


@pytest.fixture
def cache(tmp_path):
    cache = ApiCache(tmp_path / "deep" / "api_cache.sqlite")
    yield cache
    cache.close()


def test_an_answer_comes_back_as_it_was(cache):
    cache.put("k", ANSWER).result()
    assert cache.get("k").result() == ANSWER
    assert cache.get("other").result() is None


def test_the_first_answer_of_a_key_stays(cache):
    cache.put("k", ANSWER).result()
    cache.put("k", {"text": "later"}).result()
    assert cache.get("k").result() == ANSWER


def test_many_at_once_are_all_kept(cache, tmp_path):
    futures = [cache.put(str(number), {"text": str(number)}) for number in range(500)]
    for future in futures:
        future.result()
    with sqlite3.connect(tmp_path / "deep" / "api_cache.sqlite") as other:
        assert other.execute("SELECT count(*) FROM answers").fetchone() == (500,)
    other.close()


def test_closing_keeps_what_was_not_yet_committed(tmp_path):
    cache = ApiCache(tmp_path / "c")
    cache.put("k", ANSWER)
    cache.close()
    again = ApiCache(tmp_path / "c")
    assert again.get("k").result() == ANSWER
    again.close()


def test_two_processes_may_write_to_one_file(cache, tmp_path):
    program = (
        "import sys; from pathlib import Path; from inference.api_cache import ApiCache\n"
        "cache = ApiCache(Path(sys.argv[1]))\n"
        "for n in range(50): cache.put(f'theirs {n}', {'text': ''}).result()\n"
        "cache.close()"
    )
    path = tmp_path / "deep" / "api_cache.sqlite"
    other = subprocess.Popen([sys.executable, "-c", program, str(path)])
    for number in range(50):
        cache.put(f"ours {number}", {"text": ""}).result()
    assert other.wait(60) == 0
    keys = [f"{who} {number}" for who in ("ours", "theirs") for number in range(50)]
    assert all(cache.get(key).result() for key in keys)


def test_what_could_not_be_written_is_written_with_the_next(cache, monkeypatch):
    cache._thread.submit(cache._db.execute, "PRAGMA query_only = ON").result()
    with pytest.raises(sqlite3.Error):
        cache.put("first", ANSWER).result()
    cache._thread.submit(cache._db.execute, "PRAGMA query_only = OFF").result()
    cache.put("second", ANSWER).result()
    assert cache.get("first").result() == ANSWER


def test_no_files_beside_it_that_a_network_file_system_cannot_share(cache, tmp_path):
    cache.put("k", ANSWER).result()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["api_cache.sqlite"]


def test_a_newer_schema_is_refused_in_one_line(tmp_path):
    with sqlite3.connect(tmp_path / "c") as db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    db.close()
    with pytest.raises(NewerSchemaError, match="update the suite") as caught:
        ApiCache(tmp_path / "c")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path):
    (tmp_path / "c").write_text("a text, much longer than the header of a database would be" * 20)
    with pytest.raises(StoreError, match="cannot be used"):
        ApiCache(tmp_path / "c")


def test_a_key_does_not_depend_on_the_order_of_fields_nor_on_the_scheme():
    key = cache_key("https://api.example.com/v1", BODY, 0)
    assert cache_key("http://API.example.com/v1/", dict(reversed(BODY.items())), 0) == key


@pytest.mark.parametrize(
    "other",
    [
        ("https://api.example.com:8443/v1", BODY, 0),
        ("https://api.example.com/v2", BODY, 0),
        ("https://api.example.com/v1", {**BODY, "model": "n"}, 0),
        ("https://api.example.com/v1", {**BODY, "temperature": 0.3}, 0),
        ("https://api.example.com/v1", {**BODY, "reasoning_effort": "low"}, 0),
        ("https://api.example.com/v1", {**BODY, "messages": [{"role": "system", "content": "q"}]}, 0),
        ("https://api.example.com/v1", BODY, 1),
    ],
)
def test_a_key_depends_on_everything_else(other):
    assert cache_key(*other) != cache_key("https://api.example.com/v1", BODY, 0)

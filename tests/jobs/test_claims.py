"""Claims: one holder at a time, the dead and the silent lose theirs, nothing depends on it."""

import json
import os
import time

import pytest

from jobs.claims import Claims, read_owner


def alive(owner):
    return False


def dead(owner):
    return True


@pytest.fixture
def path(tmp_path):
    return tmp_path / "claims" / "0000000-0000099.json"


def test_only_one_of_two_gets_it(path):
    assert Claims("a", alive).take(path)
    assert not Claims("b", alive).take(path)


def test_taking_twice_is_harmless(path):
    claims = Claims("a", alive)
    assert claims.take(path)
    assert claims.take(path)


def test_a_freed_claim_can_be_taken(path):
    first = Claims("a", alive)
    first.take(path)
    first.free(path)
    assert Claims("b", alive).take(path)


def test_the_claim_of_the_dead_is_free_at_once(path):
    Claims("a", alive).take(path)
    assert Claims("b", dead).take(path)
    assert json.loads(path.read_text())["owner"] == "b"


def test_the_claim_of_the_silent_is_free_after_a_while(path):
    Claims("a", alive).take(path)
    old = time.time() - 700
    os.utime(path, (old, old))
    assert Claims("b", alive).take(path)


def test_a_renewed_claim_is_not_stale(path):
    first = Claims("a", alive)
    first.take(path)
    old = time.time() - 700
    os.utime(path, (old, old))
    first.renew()
    assert not Claims("b", alive).take(path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "\0\0"])
def test_a_corrupted_claim_counts_by_its_age_only(path, content):
    path.parent.mkdir()
    path.write_text(content)
    assert not Claims("b", dead).take(path)
    old = time.time() - 700
    os.utime(path, (old, old))
    assert Claims("b", dead).take(path)


def test_who_lost_a_claim_does_not_free_the_new_holders(path):
    first = Claims("a", alive)
    first.take(path)
    second = Claims("b", dead)
    second.take(path)
    first.renew()
    first.free_all()
    assert json.loads(path.read_text())["owner"] == "b"


def test_a_live_claim_made_while_we_looked_is_put_back(path, monkeypatch):
    """Two take over the claim of the same dead owner: the slower one catches the faster one's new claim."""
    Claims("gone", alive).take(path)
    slow, fast = Claims("slow", dead), Claims("fast", dead)

    def judge(owner):
        if owner == "gone" and json.loads(path.read_text())["owner"] == "gone":
            assert fast.take(path)  # in between
        return True

    monkeypatch.setattr(slow, "_is_dead", judge)
    assert not slow.take(path)
    assert json.loads(path.read_text())["owner"] == "fast"


def test_nothing_is_left_behind(path):
    first = Claims("a", alive)
    first.take(path)
    second = Claims("b", dead)
    second.take(path)
    second.free_all()
    assert list(path.parent.iterdir()) == []


def test_a_claim_that_was_damaged_is_healed_by_its_owner_and_given_back(path):
    mine = Claims("me", alive)
    assert mine.take(path)
    path.write_bytes(b"\x00garbage")
    assert not Claims("other", alive).take(path)
    mine.renew()
    assert read_owner(path) == "me"
    path.write_bytes(b"\x00garbage")
    mine.free(path)
    assert not path.exists()


def test_a_damaged_claim_that_nobody_renews_is_free_earlier_than_a_stale_one(path):
    assert Claims("gone", alive).take(path)
    path.write_bytes(b"\x00garbage")
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 200))
    assert Claims("other", alive).take(path)
    assert read_owner(path) == "other"

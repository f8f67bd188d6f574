"""A provider's figures: what is read, and that what cannot be used is refused in one line."""

import pytest

from scoring.provider_figures import read_provider_figures
from store.errors import RouteyardError

HEAD = "model,ttft_s,tokens_per_s,date"


def written(tmp_path, *lines):
    path = tmp_path / "providers.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_speeds_and_where_they_are_from(tmp_path):
    path = written(tmp_path, f"{HEAD},source", "a,0.5,50,2026-01-05,OpenRouter", "b/c,2,120.5,2026-02-01,OpenRouter")
    figures = read_provider_figures(path)
    assert figures.speed == {"a": (0.5, 50.0), "b/c": (2.0, 120.5)}
    assert figures.source == "providers.csv (OpenRouter), 2026-01-05 to 2026-02-01"


def test_one_day_and_no_source(tmp_path):
    path = written(tmp_path, HEAD, "a,0.5,50,2026-01-05", "b,0.5,50,2026-01-05")
    assert read_provider_figures(path).source == "providers.csv, 2026-01-05"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["model,ttft_s,date", "a,1,2026-01-05"], "has no column 'tokens_per_s'"),
        ([HEAD], "holds no row"),
        ([HEAD, "a,1,50"], "not as many cells"),
        ([HEAD, "a,0,50,2026-01-05"], "model 'a': ttft_s is '0', expected a number above 0"),
        ([HEAD, "a,1,-3,2026-01-05"], "tokens_per_s is '-3', expected"),
        ([HEAD, "a,1,,2026-01-05"], "tokens_per_s is '', expected"),
        ([HEAD, "a,1,inf,2026-01-05"], "tokens_per_s is 'inf', expected"),
        ([HEAD, "a,nan,5,2026-01-05"], "ttft_s is 'nan', expected"),
        ([HEAD, "a,1,50,5 Jan"], "date is '5 Jan', expected one like 2026-01-05"),
        ([HEAD, "a,1,50,2026-01-05", "a,2,50,2026-01-05"], "model 'a': stands there twice"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path, lines, message):
    path = written(tmp_path, *lines)
    with pytest.raises(RouteyardError) as raised:
        read_provider_figures(path)
    assert str(path) in str(raised.value)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RouteyardError, match=r"nowhere\.csv cannot be read .*; mend the file"):
        read_provider_figures(tmp_path / "nowhere.csv")

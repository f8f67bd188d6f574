"""What is printed of tasks: words of others are never taken for markup."""

from jobs.executor import TaskStatus
from launch.follow import following, print_failures


def test_a_cause_that_looks_like_markup_is_printed_as_it_is(capsys, tmp_path):
    task = TaskStatus("knn [v2]", state="failed", cause="KeyError: '[/red]'", log=tmp_path / "[log]")
    with following("train") as show:
        show([task])
    assert print_failures([task])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "train: knn [v2] failed: KeyError: '[/red]'"
    assert lines[1] == "failed knn [v2]: KeyError: '[/red]'"
    assert lines[2].endswith("[log]")

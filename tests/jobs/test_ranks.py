"""How the ranks of a training job learn of each other."""

import pytest

from jobs.ranks import RanksError, introduce

TORCH = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@pytest.fixture
def environment(monkeypatch):
    """Sets SLURM's variables of a rank, and gives back what torch.distributed would read afterwards."""
    import os

    for name in (*TORCH, "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_LAUNCH_NODE_IPADDR"):
        monkeypatch.setenv(name, "")  # so that it is as before at the end, whatever is set meanwhile
        monkeypatch.delenv(name)

    def as_rank(folder, rank, restart="0", **options):
        for name, value in {
            "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": rank, "SLURM_LOCALID": "0", "SLURM_JOB_ID": "7",
            "SLURM_RESTART_COUNT": restart,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        assert introduce(folder, **options) == int(rank)
        return {name: os.environ[name] for name in TORCH}

    return as_rank


def test_every_rank_is_told_where_rank_0_is(environment, tmp_path):
    first, second = environment(tmp_path, "0"), environment(tmp_path, "1")
    assert (first.pop("RANK"), second.pop("RANK")) == ("0", "1")
    assert first == second
    assert first["WORLD_SIZE"] == "2"
    assert int(first["MASTER_PORT"]) > 1023


def test_an_earlier_attempt_does_not_answer(environment, tmp_path):
    environment(tmp_path, "0", restart="0")
    with pytest.raises(RanksError, match=r"rank 1: rank 0 of job 7\.1 did not say where it is within 0 s"):
        environment(tmp_path, "1", restart="1", within_s=0.3)


def test_one_rank_sets_nothing(tmp_path, monkeypatch):
    import os

    for name in (*TORCH, "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    assert introduce(tmp_path) == 0
    monkeypatch.setenv("SLURM_NTASKS", "1")
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert introduce(tmp_path) == 0
    assert not set(TORCH) & set(os.environ)
    assert not list(tmp_path.iterdir())

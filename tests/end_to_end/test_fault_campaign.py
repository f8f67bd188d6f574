"""A short fault campaign; `fault_campaign.py` is the long one."""

import os

import pytest

from tests.end_to_end import fault_campaign

pytestmark = pytest.mark.slow


def test_under_faults_nothing_is_lost_and_next_to_nothing_made_twice(slurm):
    directory = os.path.dirname(slurm["SLURM_CONF"])
    with fault_campaign.prepared(1000, seed=1, slurm=fault_campaign.Path(directory)) as campaign:
        fault_campaign.run(campaign, n_faults=9, every_s=2.0, most_runs=6)
        figures = fault_campaign.judge(campaign)
    assert campaign.injected.total() >= 4, campaign.injected
    assert figures["responses in the store"] == figures["responses expected"] == 4000
    assert figures["acknowledged responses lost"] == 0
    assert figures["pairs with missing, double or failed rows"] == 0
    assert figures["files that fail a checksum"] == 0
    assert figures["temporary files left"] == figures["claims left"] == 0
    assert figures["share of tokens generated twice, %"] < 5

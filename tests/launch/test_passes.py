"""Which models of a pool talk in τ²-Bench, and that it is a pass of its own."""

import pytest

from configs.compose import compose
from launch import collect
from launch.passes import passes
from store.errors import RouteyardError


def test_the_flagship_models_but_the_one_that_calls_no_tools(capsys):
    plain, talks = passes(compose(["pool=flagship", "benchmarks=[aime,tau2]", "simulator=gpt_4_1"]))
    assert (list(plain.benchmark), list(talks.benchmark)) == (["aime"], ["tau2"])
    assert len(plain.pool.models) == 13
    assert {model.name for model in plain.pool.models} - {model.name for model in talks.pool.models} == {"gpt-5-chat"}
    assert "left out, for they call no tools: gpt-5-chat" in capsys.readouterr().out


@pytest.mark.parametrize(("benchmarks", "n_passes"), [("[aime,gpqa]", 1), ("[tau2]", 1), ("[tau2,aime]", 2)])
def test_one_pass_for_each_kind(benchmarks, n_passes):
    assert len(passes(compose(["pool=flagship", f"benchmarks={benchmarks}", "simulator=gpt_4_1"]))) == n_passes


def test_without_a_simulator_it_says_which_there_are():
    with pytest.raises(RouteyardError, match="choose simulator=…; there are: gpt_4_1"):
        passes(compose(["pool=flagship", "benchmarks=[tau2]"]))


def test_a_pool_that_calls_no_tools_is_one_line_and_nothing_is_begun(tmp_path, capsys):
    words = ["pool=demo", "benchmarks=[tau2]", "simulator=gpt_4_1", f"store.root={tmp_path / 'store'}"]
    assert collect.main(words) == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith("error: tau2: no model of pool demo calls tools (demo-adder, ")
    assert "tool_call_parser" in message
    assert "\n" not in message
    assert not (tmp_path / "store").exists()

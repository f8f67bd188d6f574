"""Configuration: groups and overrides compose, every mistake is one line that names key and cure."""

import pytest

from configs.compose import SEVERAL, SINGLE, ConfigError, available, compose, describe, to_yaml


def mistake(*arguments):
    with pytest.raises(ConfigError) as caught:
        compose(arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_group_entry_and_overrides_in_order():
    config = compose(["cluster=local", "cluster.max_parallel=3", "cluster.max_parallel=5", "sampling.temperature=0"])
    assert (config.cluster.executor, config.cluster.max_parallel, config.sampling.temperature) == ("local", 5, 0.0)


def test_defaults_give_way_to_arguments():
    assert compose([], {"cluster": "inline"}).cluster.name == "inline"
    assert compose(["cluster=local"], {"cluster": "inline"}).cluster.name == "local"


def test_several_benchmarks_by_list_or_comma():
    assert list(compose(["benchmarks=[math500,kandk]"]).benchmark) == ["math500", "kandk"]
    assert list(compose(["benchmarks=math500,kandk"]).benchmark) == ["math500", "kandk"]


def test_an_option_of_one_of_several():
    config = compose(["benchmarks=[math500]", "benchmark.math500.max_tokens=12", "benchmark.math500.params.x=1"])
    assert config.benchmark["math500"].max_tokens == 12
    assert config.benchmark["math500"].params == {"x": 1}


def test_a_free_mapping_takes_any_key():
    config = compose(["cluster=local", "cluster.slurm.partition=a800", "cluster.slurm.additional_parameters={mem: 1G}"])
    assert config.cluster.slurm == {"partition": "a800", "additional_parameters": {"mem": "1G"}}


def test_a_pool_of_ones_own_by_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("models:\n  - {name: a/b, path: org/model}\nbenchmarks: [kandk]\n")
    config = compose([f"pool={path}"])
    assert (config.pool.name, config.pool.models[0].name, list(config.benchmark)) == ("mine", "a/b", ["kandk"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pool=nowhere"], ["pool=nowhere", "no such pool", "demo"]),
        (["cluster=lcal"], ["'local'", "inline"]),
        (["sampling.temprature=0"], ["sampling.temprature", "'temperature'", "top_p"]),
        (["sampling.temperature=hot"], ["sampling.temperature", "hot"]),
        (["sampling.temperature=3"], ["sampling.temperature", "at most 2"]),
        (["sampling.temperature=.nan"], ["sampling.temperature", "at least 0"]),
        (["collect.n_repeats=0"], ["collect.n_repeats", "at least 1"]),
        (["collect.n_repeats=1.5"], ["collect.n_repeats", "1.5"]),
        (["score.profile=strict"], ["score.profile", "robust, compat"]),
        (["cluster.max_parallel=3"], ["cluster=", "first"]),
        (["benchmarks=[math500]", "benchmark.math50.max_tokens=12"], ["benchmark.math50", "'math500'"]),
        (["benchmarks=[math500,foo]"], ["foo", "math500"]),
        (["foo"], ["'foo'", "key=value"]),
        (["foo.bar=1"], ["foo", "store"]),
        (["store=1"], ["store"]),
        (["cluster=[a]"], ["cluster", "one name"]),
    ],
)
def test_a_mistake_is_one_line_with_key_and_cure(arguments, words):
    message = mistake(*arguments)
    assert all(word in message for word in words), message


def test_a_broken_yaml_names_the_file(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("models: [\n")
    assert str(path) in mistake(f"pool={path}")


def test_a_wrong_key_in_a_yaml_names_it(tmp_path):
    path = tmp_path / "typo.yaml"
    path.write_text("executor: local\nmax_paralel: 2\n")
    assert "max_paralel" in mistake(f"cluster={path}")


def test_a_missing_key_in_a_yaml_names_it(tmp_path):
    path = tmp_path / "short.yaml"
    path.write_text("max_parallel: 2\n")
    assert "executor" in mistake(f"cluster={path}")


@pytest.mark.parametrize("group", [*SINGLE, *SEVERAL.values()])
def test_every_entry_of_every_group_composes_and_is_called_like_its_file(group):
    key = next((key for key, value in SEVERAL.items() if value == group), group)
    assert available(group)
    for name in available(group):
        section = getattr(compose([f"{key}={name}"]), group)
        assert (section[name] if isinstance(section, dict) else section).name in (name, section_name(group, name))


def section_name(group, name):
    """The engine's and the encoder's YAML say what they use, not what they are called."""
    if group == "encoder":
        return {"minilm": "all-MiniLM-L6-v2", "hashed": "hashed-words-1024"}[name]
    return "vllm" if group == "engine" else name


def test_the_composed_configuration_is_yaml_that_composes_to_the_same(tmp_path):
    config = compose(["cluster=local", "cluster.slurm.partition=x"])
    path = tmp_path / "again.yaml"
    path.write_text("\n".join(line[2:] for line in to_yaml(config, ["cluster"]).splitlines()[1:]))
    assert compose([f"cluster={path}"]).cluster == config.cluster


def test_every_option_is_described():
    keys = [key for section in ("store", "pool", "benchmark", "cluster") for key, _, _ in describe(section)]
    assert {"store.root", "pool.models", "benchmark.<name>.sample", "cluster.executor"} <= set(keys)

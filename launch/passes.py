"""What is collected one after the other: plain questions, then the conversations of τ²-Bench.

They need engines of other kinds, so they are tasks of their own, with workers of their own.
"""

from dataclasses import replace

from configs.schema import Config
from inference.spec import ModelSpec
from inference.tau2_engine import BENCHMARK
from launch.command import required
from launch.follow import console
from store.errors import RouteyardError


def passes(config: Config) -> list[Config]:
    """The configuration for the plain benchmarks, where there are any, and the one for τ²-Bench, where it is asked for.

    Raises:
        RouteyardError: nobody plays the user, or no model of the pool can be the agent.
    """
    plain = {name: benchmark for name, benchmark in config.benchmark.items() if name != BENCHMARK}
    found = [replace(config, benchmark=plain)] if plain or not config.benchmark else []
    if BENCHMARK not in config.benchmark:
        return found
    required(config, "pool")
    required(config, "simulator")
    assert config.pool is not None
    able = [model for model in config.pool.models if _calls_tools(model)]
    unable = ", ".join(model.name for model in config.pool.models if not _calls_tools(model))
    if not able:
        raise RouteyardError(
            f"{BENCHMARK}: no model of pool {config.pool.name} calls tools ({unable}); one behind an API needs "
            "calls_tools: true, a checkpoint its tool_call_parser (hermes, llama3_json, …: see vLLM's documentation)"
        )
    if unable:
        console.print(f"{BENCHMARK}: left out, for they call no tools: {unable}", soft_wrap=True, highlight=False)
    pool = replace(config.pool, models=able)
    return [*found, replace(config, pool=pool, benchmark={BENCHMARK: config.benchmark[BENCHMARK]})]


def _calls_tools(model: ModelSpec) -> bool:
    return model.calls_tools if model.provider else model.tool_call_parser is not None

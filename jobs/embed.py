"""Embed the queries of benchmarks with one encoder; what is there already is skipped."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from inference.embedding import load, resolve
from inference.identity import is_local
from inference.spec import EncoderSpec
from store.digest import digest, digest_folder
from store.embeddings import embedding_digest, write_embeddings
from store.layout import Layout
from store.queries import read_query_columns


def embed(root: Path, encoder: EncoderSpec, benchmarks: Sequence[str]) -> dict[str, int]:
    """Embeds every benchmark that lacks up-to-date vectors; gives back benchmark -> queries embedded now.

    Equal texts are embedded once, over all benchmarks of the call.

    Raises:
        EngineError: the encoder cannot be loaded.
        StoreError: a benchmark's queries are not in the store.
    """
    layout, identity = Layout(root), _identity(encoder)
    texts: dict[str, list[str]] = {}
    indices: dict[str, np.ndarray] = {}
    for benchmark in missing_embeddings(root, encoder, benchmarks):
        columns = ["index", "text" if encoder.text == "query" else "messages"]
        table, _ = read_query_columns(layout, benchmark, columns)
        indices[benchmark] = table["index"]
        texts[benchmark] = (
            table["text"] if encoder.text == "query" else [_prompt(messages) for messages in table["messages"]]
        )
    if not texts:
        return {}
    unique = {text: row for row, text in enumerate(dict.fromkeys(text for rows in texts.values() for text in rows))}
    embedder = load(encoder)
    started = time.perf_counter()
    vector = embedder(list(unique))
    s_per_text = (time.perf_counter() - started) / len(unique)
    for benchmark, index in indices.items():
        rows = [unique[text] for text in texts[benchmark]]
        write_embeddings(
            layout,
            encoder.name,
            benchmark,
            index,
            vector[rows],
            {"digest": _digest(layout, identity, benchmark), "identity": identity, "s_per_text": s_per_text},
        )
    return {benchmark: len(index) for benchmark, index in indices.items()}


def missing_embeddings(root: Path, encoder: EncoderSpec, benchmarks: Sequence[str]) -> tuple[str, ...]:
    """Benchmarks without up-to-date embeddings of all their queries; raises as `embed`."""
    layout, identity = Layout(root), _identity(encoder)
    return tuple(
        benchmark
        for benchmark in benchmarks
        if embedding_digest(layout, encoder.name, benchmark) != _digest(layout, identity, benchmark)
    )


def _identity(encoder: EncoderSpec) -> dict[str, Any]:
    """What determines a text's embedding."""
    path = resolve(encoder)
    options = {key: value for key, value in asdict(encoder).items() if key not in ("batch_size", "path")}
    return {**options, "weights": digest_folder(Path(path)) if is_local(path) else path}


def _digest(layout: Layout, identity: dict[str, Any], benchmark: str) -> str:
    return digest({**identity, "queries": read_query_columns(layout, benchmark, ())[1]["digest"]})


def _prompt(messages: str) -> str:
    """All text of the chat messages."""
    return "\n".join(message["content"] for message in json.loads(messages) if isinstance(message["content"], str))

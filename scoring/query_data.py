"""What `queries.html` holds, as one compact block: every test query's scores, costs, prompt and the routers' choices.

The block is a little-endian file of its own: the length of a JSON header, the header, then plain arrays, each at a
multiple of 8 bytes, which a browser reads as typed arrays without a copy. It is deflated and written as base64, so
nothing that stands in a prompt or a name can be taken for HTML. Scores are numbers of a list of the values that occur
(two for right and wrong), so they are exact and take one byte; costs are float32.
"""

import base64
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from scoring.contenders import BEST_SINGLE
from scoring.evaluation import Evaluation, scored_queries
from scoring.metrics import n_right

Result = dict[str, Any]

MOST_PROMPTS = 60_000  # beyond it the prompts are left out
_ALIGNMENT = 8


def query_data(result: Result, evaluation: Evaluation, prompts: Sequence[str] | None = None) -> str:
    """The block as base64 text; the same arguments give the same text.

    Args:
        result: what `evaluation` was reduced to, see `scoring.reduction.reduce`.
        evaluation: as it was reduced.
        prompts: the start of each query's prompt, [n_queries]; None where they are not to be shown. White space is
            folded to single blanks. More than `MOST_PROMPTS` tested queries are shown without.

    Raises:
        ValueError: there are not as many prompts as queries.
    """
    if prompts is not None and len(prompts) != len(evaluation.benchmark):
        raise ValueError(f"{len(prompts)} prompts for {len(evaluation.benchmark)} queries; give one for each")
    data = scored_queries(evaluation)
    tested = np.unique(np.concatenate(data.test))
    score = np.concatenate([data.score, data.collected_score], axis=1) if data.collected else data.score
    cost = np.concatenate([data.cost, data.collected_cost], axis=1) if data.collected else data.cost
    values, code = np.unique(score[tested], return_inverse=True)
    arrays: dict[str, NDArray[Any]] = {
        "benchmark": _smallest(data.benchmark[tested]),
        "index": data.index[tested].astype(np.float64),  # exact to 2^53, and a browser has no plainer integer
        "n_right": _smallest(n_right(data.score[tested])),
        "score": _smallest(code.reshape(score[tested].shape)),
    }
    if not np.isnan(cost).all():
        arrays["cost"] = cost[tested].astype(np.float32)
    for number, rows in enumerate(data.test):
        arrays[f"test {number}"] = _smallest(np.searchsorted(tested, rows))
    for router, choice, calls in _choices(result, data):
        for number, (chosen, called) in enumerate(zip(choice, calls, strict=True)):
            arrays[f"choice {router} {number}"] = _smallest(chosen)
            if called is not None:
                arrays[f"calls {router} {number}"] = called.astype(np.float32)
    if prompts is not None and len(tested) <= MOST_PROMPTS:
        text = "\n".join(" ".join(prompts[row].split()) for row in tested.tolist())
        arrays["prompts"] = np.frombuffer(text.encode(errors="replace"), np.uint8)
    header = {
        "models": [*data.models, *data.collected],
        "n_pool": len(data.models),
        "benchmarks": data.benchmarks,
        "seeds": data.seeds,
        "values": [None if np.isnan(value) else value for value in values.tolist()],
        "routers": _routers(result, data),
    }
    return base64.b64encode(zlib.compress(_block(header, arrays))).decode()


def _routers(result: Result, data: Evaluation) -> list[dict[str, Any]]:
    """Name, trade-off and AvgAcc of everything that chooses, in the order of the columns of choices."""
    rows = {row["name"]: row for row in result["routers"]}
    names = [*(router.name for router in data.routers), *data.collected]
    told = [router.is_reference for router in data.routers] + [False] * len(data.collected)
    listed = [
        {"name": name, "is_reference": is_told, **{key: rows[name].get(key) for key in ("trade_off", "avg_acc")}}
        for name, is_told in zip(names, told, strict=True)
    ]
    best = _best_single(result)
    return [*listed, {"name": BEST_SINGLE, "is_reference": True, "trade_off": None, "avg_acc": best["avg_acc"]}]


def _choices(result: Result, data: Evaluation) -> Iterator[tuple[int, list[NDArray[Any]], Sequence[Any]]]:
    """Number of each router as in `_routers`; per seed the model of each test query, and the calls of a cascade."""
    none = [None] * len(data.seeds)
    for number, router in enumerate(data.routers):
        calls = [None if called is None else called[router.headline] for called in router.calls]
        yield number, [choice[router.headline] for choice in router.choice], calls
    fixed = [*range(len(data.models), len(data.models) + len(data.collected))]  # a collected router is its own model
    fixed.append(data.models.index(_best_single(result)["models"][0]))
    for number, model in enumerate(fixed, len(data.routers)):
        yield number, [np.full(len(rows), model) for rows in data.test], none


def _best_single(result: Result) -> dict[str, Any]:
    return next(row for row in result["references"] if row["name"] == BEST_SINGLE)


def _smallest(number: NDArray[Any]) -> NDArray[Any]:
    """The numbers, none below 0, in the smallest unsigned type that holds them all."""
    largest = int(number.max(initial=0))
    return number.astype(np.uint8 if largest < 2**8 else np.uint16 if largest < 2**16 else np.uint32)


def _block(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    """Length of the header as uint32, header, arrays; the header says type, offset and number of items of each."""
    offset, places, parts = 0, {}, []
    for name, array in arrays.items():
        content = array.astype(array.dtype.newbyteorder("<")).tobytes()
        places[name] = [array.dtype.str[1:], offset, array.size]  # offsets count from the end of the header
        parts.append(content + b"\0" * (-len(content) % _ALIGNMENT))
        offset += len(parts[-1])
    text = orjson.dumps(header | {"arrays": places})
    text += b" " * (-(4 + len(text)) % _ALIGNMENT)
    return len(text).to_bytes(4, "little") + text + b"".join(parts)

"""A small release in the published layout, made anew for a test: every quirk of the real ones, no real data."""

import json
from pathlib import Path

import numpy as np

MODELS = ("org/alpha", "beta", "gamma-7b")
BENCHMARKS = ("colours", "shapes", "sounds")
N_QUERIES = 40


def make_release(folder: Path, *, seed: int = 0) -> Path:
    """Write `<folder>/results/bench/…`; alpha is good at colours, beta at shapes, gamma at sounds and cheap."""
    rng = np.random.default_rng(seed)
    for number, benchmark in enumerate(BENCHMARKS):
        split = "test" if number else "validation"
        for model_number, model in enumerate(MODELS):
            chance = 0.9 if number == model_number else 0.3
            records = [record(benchmark, model_number, index, rng.random() < chance) for index in range(N_QUERIES)]
            write_run(folder, benchmark, split, model, "20250102_030405", records)
    return folder


def record(benchmark, model_number, index, is_right):
    prompt = f"Tell me about {benchmark} number {index}.\nMind: \u00e9, \u4f60, \u2028."
    return {
        "index": index + 1,
        "origin_query": f"{benchmark} number {index}",
        "prompt": prompt,
        "prompt_tokens": 20 + index,
        "completion_tokens": 5,
        "cost": (1 + model_number) * 1e-6 * (25 + index),
        "score": float(is_right),
        "prediction": f"answer {index}",
        "ground_truth": f"answer {index}",
        "raw_output": f"I think: answer {index}",
        "extra_fields": {},
    }


def write_run(folder, benchmark, split, model, stamp, records, **header):
    name = model.replace("/", "%2F")
    path = folder / "results" / "bench" / benchmark / split / name / f"{benchmark}-{split}-{name}-{stamp}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    run = {
        "performance": 0.5,
        "time_taken": 1.25,
        "counts": len(records),
        "model_name": model,
        "dataset_name": benchmark,
        "split": split,
        "demo": False,
        "extra_metrics": {},
        "data_fingerprint": "",
        **header,
        "records": records,
    }
    path.write_text(json.dumps(run, ensure_ascii=False, indent=2), encoding="utf-8")
    return path

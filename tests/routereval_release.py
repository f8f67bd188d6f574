"""A small release in RouterEval's layout: the pickles of two leaderboards with made-up models."""

import pickle

import numpy as np

TASKS = {
    "new": {"musr_team_allocation": 20, "musr_murder_mysteries": 31},
    "old": {"harness_truthfulqa_mc_0": 40},
}  # in another order than that of their names
N_MODELS = 40


def make_routereval(folder, seed=0):
    """Write the release; gives back sub-task -> scores [n_queries, N_MODELS]."""
    rng, scores = np.random.default_rng(seed), {}
    skill = np.linspace(0.02, 0.98, N_MODELS)
    for leaderboard, tasks in TASKS.items():
        for task, n_queries in tasks.items():
            score = (rng.random((n_queries, N_MODELS)) < skill).astype(np.float64)
            scores[task] = score if leaderboard == "new" else score * rng.integers(1, 9, score.shape) / 8
        names = [f"open-llm-leaderboard-old/details_org__m_{i}" for i in range(N_MODELS)]
        dump(folder / "leaderboard_score" / f"leaderboard_{leaderboard}.pkl",
             {"model": names, "data": {task: {"correctness": scores[task]} for task in tasks}})  # fmt: skip
        prompts = {task: np.array([f"{task} {i} colour {i % 3}" for i in range(n)]) for task, n in tasks.items()}
        dump(folder / "leaderboard_prompt" / f"leaderboard_{leaderboard}_prompt.pkl", prompts)
    return scores


def dump(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value))

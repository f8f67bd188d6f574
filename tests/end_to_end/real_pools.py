"""Every router on pools of real results, by the commands a person types; prints a table per pool and one over all.

    python tests/end_to_end/real_pools.py DATA WORK                          # everything: hours on two cores
    python tests/end_to_end/real_pools.py DATA WORK --pools small multi-turn --routers knn avengers

DATA holds matrices as `launch/import_table.py` reads them, one folder per source; WORK keeps stores and reports, so
that what is there is not made again. A router that a pool cannot feed (no costs, no answers) is named and left out.
Those that fine-tune an encoder run where they are named: `--routers knn router_dc_minilm`.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
MULTI_TURN = [
    "gpt-4-0613",
    "gpt-3.5-turbo-0613",
    "claude-2",
    "claude-instant-1",
    "Meta-Llama-3-70B-Instruct",
    "Meta-Llama-3-8B-Instruct",
    "Mixtral-8x7B-Instruct-v0.1",
    "Qwen1.5-72B-Chat",
    "deepseek-coder-33b-instruct",
    "deepseek-llm-67b-chat",
    "openchat-3.5-1210",
    "CodeActAgent-Mistral-7b-v0.1",
    "Llama-2-70b-chat-hf",
    "Mistral-7B-Instruct-v0.2",
]
SMALL = [
    "CodeActAgent-Mistral-7b-v0.1",
    "CodeLlama-7b-Instruct-hf",
    "CodeQwen1.5-7B-Chat",
    "Eurus-7B-KTO",
    "Llama-2-7b-chat-hf",
    "MAmmoTH-7B-Mistral",
    "Magicoder-S-DS-6.7B",
    "Meta-Llama-3-8B-Instruct",
    "Mistral-7B-Instruct-v0.1",
    "Mistral-7B-Instruct-v0.2",
    "OpenCodeInterpreter-DS-6.7B",
    "Starling-LM-7B-alpha",
    "WizardMath-7B-V1.1",
    "openchat-3.5-1210",
    "vicuna-7b-v1.5",
    "zephyr-7b-beta",
]
FLAGSHIP = [
    "claude-3-5-sonnet-20240620",
    "claude-3-opus-20240229",
    "claude-3-haiku-20240307",
    "gpt-4o-2024-05-13",
    "gpt-4o-mini-2024-07-18",
    "gpt-3.5-turbo-0125",
    "gemini-1.5-pro",
    "gemini-1.5-flash",
    "Mistral-Large-Instruct-2407",
    "Meta-Llama-3-70B-Instruct",
    "Meta-Llama-3-8B-Instruct",
]
ZEROEVAL = ["gsm8k", "cruxeval_o", "math_l5"]
# name -> sources, benchmarks, models (None: all that have every benchmark)
POOLS: dict[str, tuple[list[str], list[str], list[str] | None]] = {
    "routerdc_7models": (["routerdc_7models"], ["*"], None),
    "routerbench_part": (["routerbench_part"], ["*"], None),
    "llmrouter_example": (["llmrouter_example"], ["*"], None),
    "zeroeval": (["zeroeval"], ZEROEVAL, None),
    "financemath": (["financemath"], ["*"], None),
    "bfcl_v1": (["bfcl_v1"], ["*"], None),
    "mint": (["mint"], ["*"], None),
    "eq_bench": (["eq_bench"], ["*"], None),
    "open_llm_leaderboard2": (["open_llm_leaderboard2"], ["*"], None),
    "flagship": (["zeroeval", "financemath", "bfcl_v1"], [*ZEROEVAL, "financemath_*", "bfcl_*"], FLAGSHIP),
    "multi-turn": (["mint"], ["*"], MULTI_TURN),
    "small": (["mint"], ["*"], SMALL),
}


def command(name: str, *arguments: str) -> subprocess.CompletedProcess:
    words = [sys.executable, str(ROOT / "launch" / f"{name}.py"), *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def reduced(data: Path, work: Path, name: str, routers: list[str]) -> dict:
    """Bring a pool from its tables to `metrics.json`."""
    sources, benchmarks, models = POOLS[name]
    store = f"store.root={work / 'store' / '+'.join(sources)}"
    for source in sources:
        done = command("import_table", str(data / source), store)
        assert done.returncode == 0, done.stdout + done.stderr
    setting = work / f"{name}.yaml"
    setting.write_text(yaml.safe_dump({"name": name, "benchmarks": benchmarks, "models": models}))
    words = [f"setting={setting}", store]
    trained = command("train", *words, f"router=[{','.join(routers)}]", "cluster=local")
    print("\n".join(line for line in trained.stdout.splitlines() if line.startswith("failed ")), flush=True)
    failed = {line.split()[1].rstrip(":") for line in trained.stdout.splitlines() if line.startswith("failed ")}
    assert trained.returncode == 0 or failed, trained.stdout + trained.stderr
    there = ",".join(router for router in routers if router not in failed)
    done = command("reduce", *words, f"router=[{there}]", f"report.folder={work / 'report'}")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((work / "report" / name / "metrics.json").read_text())


def table(metrics: dict) -> str:
    """A pool's rows in Markdown: references, then routers by accuracy, references among the routers in italics."""
    has_cost = metrics["has_cost"]
    hard = {row["name"]: row["hard_accuracy"] for row in metrics["hardness"]["rows"]}
    head = ["", "AvgAcc", "95 % interval", "Gain@B", "Gap@O", "1–3 right"]
    head += ["PerfGain (θ\\*)", "CostSave (θ†)", "ParetoDist"] if has_cost else []
    head += ["fit s", "route s"]
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    routers = sorted(metrics["routers"], key=lambda row: -row["avg_acc"])
    for row in [*metrics["references"], *routers]:
        low, high = row["avg_acc_interval"]
        cells = [f"*{row['name']}*" if row.get("is_reference", True) else row["name"]]
        cells += [f"{100 * row['avg_acc']:.2f} ± {100 * row['avg_acc_sd']:.2f}", f"{100 * low:.1f} – {100 * high:.1f}"]
        cells += [percent(row["gain_at_best_single"]), percent(row["gap_at_oracle"]), percent(hard[row["name"]])]
        if has_cost:
            cells += [percent(row.get("perf_gain")), percent(row.get("cost_save")), number(row.get("pareto_dist"), 3)]
        cells += [number(row.get("fit_s"), 2), number(row.get("route_s"), 2)]
        lines.append("| " + " | ".join(cells) + " |")
    size = (
        f"{len(metrics['models'])} models × {len(metrics['benchmarks'])} benchmarks, {metrics['n_queries']:,} queries"
    )
    return "\n".join([f"**{metrics['setting']}: {size}**", "", *lines, ""])


def overview(pools: dict[str, dict]) -> str:
    """AvgAcc of every reference and contestant on every pool; contestants by their mean rank where all have run."""
    rows = {name: {row["name"]: row for row in [*m["references"], *m["routers"]]} for name, m in pools.items()}
    first = next(iter(pools.values()))
    references = [row["name"] for row in first["references"]]
    contestants = {row["name"] for m in pools.values() for row in m["routers"] if not row["is_reference"]}

    def rank(router: str) -> float:
        ranks = []
        for m in pools.values():
            order = sorted((row for row in m["routers"] if not row["is_reference"]), key=lambda row: -row["avg_acc"])
            place = [at for at, row in enumerate(order) if row["name"] == router]
            ranks += [place[0] / len(order)] if place else []
        return sum(ranks) / len(ranks)

    lines = ["| | " + " | ".join(pools) + " |", "|---" + "|---:" * len(pools) + "|"]
    for name in [*references, *sorted(contestants, key=rank)]:
        cells = [f"{100 * rows[pool][name]['avg_acc']:.1f}" if name in rows[pool] else "" for pool in pools]
        label = f"*{name}*" if name in references else f"`{name}`"
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def percent(value: float | None) -> str:
    return "" if value is None else f"{round(100 * value, 1) + 0.0:.1f} %"  # no -0.0


def number(value: float | None, n_decimals: int) -> str:
    return "" if value is None else f"{value:.{n_decimals}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--pools", nargs="+", choices=POOLS, default=list(POOLS))
    configs = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / "configs" / "router").glob("*.yaml")}
    quick = sorted(name for name, config in configs.items() if "training" not in config["params"])
    parser.add_argument("--routers", nargs="+", choices=sorted(configs), default=quick, metavar="ROUTER")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    pools = {}
    for name in arguments.pools:
        pools[name] = reduced(arguments.data.absolute(), arguments.work.absolute(), name, arguments.routers)
        print(table(pools[name]), flush=True)
    print(overview(pools))


if __name__ == "__main__":
    main()

"""How long it takes to know that nothing is missing: pool small, 15 benchmarks, 229,600 responses, cold and warm.

    python tests/speed/resume.py [--keep FOLDER]

Builds a complete store of that size (answers of about the real lengths, so files have real sizes), then times, each
in a process of its own from its start to its end, what `collect` does until it knows that there is nothing to do, and
`status`. Cold means that the page cache was dropped before (needs root; warm otherwise, and says so).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from configs.compose import compose
from launch.command import default_engine
from launch.planning import collect_tasks
from store.layout import Layout
from store.queries import write_queries
from store.records import Query, Response
from store.responses import ResponseWriter
from store.seal import seal

# Benchmarks of the performance setting and their sizes (LLMRouterBench, Table 9): 11,480 queries.
SIZES = {
    "aime": 60, "math500": 500, "mathbench": 150, "mbpp": 974, "humaneval": 164, "livecodebench": 1055,
    "korbench": 1250, "kandk": 700, "bbh": 1080, "mmlupro": 1000, "gpqa": 198, "finqa": 1147, "medqa": 1273,
    "emorynlp": 697, "meld": 1232,
}  # fmt: skip
PROGRAM = """
import sys
from pathlib import Path
from configs.compose import compose
from configs.schema import BenchmarkConfig
import launch.planning, launch.collect_pool, launch.status
config = compose(["pool=small", "cluster=a800", "store.root=" + sys.argv[1]], {"engine": sys.argv[2]})
config.benchmark = {name: BenchmarkConfig(name) for name in sys.argv[4].split(",")}
launch.collect_pool.store_queries = lambda config: {}  # their files are not all here
sys.exit(launch.collect_pool.collect_pool(config) if sys.argv[3] == "collect" else launch.status.show_status(config))
"""


def build(root: Path) -> int:
    """A complete store; gives back its number of responses."""
    rng, layout, n_rows = np.random.default_rng(0), Layout(root), 0
    words = np.array([f"w{number:x}" for number in range(4096)])
    for name, size in SIZES.items():
        messages = [({"role": "user", "content": " ".join(rng.choice(words, 80))},) for _ in range(size)]
        write_queries(layout, name, [Query(index, "q", "g", messages[index]) for index in range(size)])
    config = compose(["pool=small", f"store.root={root}"], {"engine": default_engine()})
    from configs.schema import BenchmarkConfig

    config.benchmark = {name: BenchmarkConfig(name) for name in SIZES}
    tasks, _ = collect_tasks(config, list(SIZES))
    for name, task in tasks.items():
        for benchmark in task.benchmarks:
            meta = {"digest": benchmark.digest, "identity": task.metas[benchmark.name], "made_by": {}}
            writer = ResponseWriter(layout, benchmark.name, name, "w", meta)
            text = " ".join(rng.choice(words, 600))
            for index in benchmark.index.tolist():
                tokens = int(rng.integers(50, 5000))
                writer.append(
                    Response(index, 0, text[: tokens % 2400], completion_tokens=tokens, finished_at=1e9 + index)
                )
            writer.commit()
            seal(layout, benchmark.name, name, "sealer")
            n_rows += len(benchmark.index)
    return n_rows


def drop_page_cache() -> bool:
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        return False
    return True


def timed(root: Path, what: str) -> float:
    words = [sys.executable, "-c", PROGRAM, str(root), default_engine(), what, ",".join(SIZES)]
    started = time.perf_counter()
    result = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    assert result.returncode == 0, result.stdout + result.stderr
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="build the store here, or use the one that is here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = options.keep or Path(folder)
        n_rows = 229_600 if (root / "responses").exists() else build(root)
        print(f"{n_rows:,} responses, {len(SIZES)} benchmarks x 20 models; seconds of whole processes")
        for what in ("collect", "status"):
            is_cold = drop_page_cache()
            cold = timed(root, what)
            warm = sorted(timed(root, what) for _ in range(5))
            print(f"  {what:<8} {'cold' if is_cold else 'cold not measured (not root), first'} {cold:.2f}   "
                  f"warm min / median / max {warm[0]:.2f} / {warm[2]:.2f} / {warm[-1]:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()

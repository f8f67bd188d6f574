"""Collecting on a real SLURM under random faults: nothing lost, next to nothing generated twice.

    python tests/end_to_end/fault_campaign.py                  # 5,000 queries x 4 models, 24 faults; about half an hour
    python tests/end_to_end/fault_campaign.py --queries 500 --faults 8

Needs root, for the one-machine SLURM and for the small file system that is filled up. What workers generate and what
the store acknowledges is written into a ledger by `recorder.py`, outside that file system: so what a killed worker had
in memory counts as generated twice if it is made again, and an acknowledged response that is not in the store at the
end counts as lost, even if it was made again.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from configs.compose import compose, to_yaml  # noqa: E402
from store.layout import Layout  # noqa: E402
from store.queries import read_indices  # noqa: E402
from store.responses import read_columns  # noqa: E402
from store.verify import verify  # noqa: E402
from tests.processes import parent  # noqa: E402
from tests.slurm import cluster, warning  # noqa: E402

N_MODELS = 4
FILE_SYSTEM_MB = 64
SLOWLY = ("engine.max_num_seqs=4", "collect.checkpoint_s=0.5", "collect.drain_s=2", "collect.shard_tokens=500")


@dataclass
class Campaign:
    """The place of a campaign and what happens in it."""

    folder: Path
    slurm: Path
    n_queries: int
    rng: random.Random
    environment: dict[str, str]
    injected: Counter[str] = field(default_factory=Counter)

    @property
    def layout(self) -> Layout:
        return Layout(self.folder / "disk" / "store")

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.jsonl"

    def collect(self) -> subprocess.Popen[str]:
        """Type the command."""
        words = [sys.executable, str(ROOT / "launch" / "collect.py"), f"pool={self.folder / 'pool.yaml'}"]
        words += ["cluster=slurm_test", f"store.root={self.layout.root}", *SLOWLY]
        words += [
            f"benchmark.{name}.params.n_queries={self.n_queries // 5}" for name in compose(["pool=demo"]).benchmark
        ]
        with (self.folder / "driver.log").open("a") as log:
            return subprocess.Popen(words, env=self.environment, stdout=log, stderr=subprocess.STDOUT, text=True)

    def processes(self, name: bytes) -> list[int]:
        """Processes of the cluster's jobs with this in their command line."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                variables = (path / "environ").read_bytes().split(b"\0")
                words = (path / "cmdline").read_bytes()
                is_job = f"SLURM_CONF={self.slurm}/slurm.conf".encode() in variables and any(
                    variable.startswith(b"SLURM_JOB_ID=") for variable in variables
                )
                if is_job and name in words and b"srun" not in words and b"slurmstepd" not in words:
                    found.append(int(path.name))
        return found

    def engines(self) -> list[int]:
        """Engine processes: descendants of workers; they have overwritten their environment with their title."""
        workers, found = set(self.processes(b"submitit.core._submit")), []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (path / "cmdline").read_bytes().startswith(b"VLLM::") and parent(int(path.name)) in workers:
                    found.append(int(path.name))
        return found

    def tasks(self) -> list[str]:
        """Running array tasks."""
        answer = self.ask("squeue", "--noheader", "--array", "--states=R", "-O", "JobArrayID:40")
        return answer.split()

    def ask(self, *words: str) -> str:
        """What a tool of SLURM answers; "" if it fails, as it may while the controller is away."""
        result = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        return result.stdout

    def is_serving(self) -> bool:
        """Whether somebody generates right now."""
        return self.ledger.exists() and time.time() - self.ledger.stat().st_mtime < 2


# The faults: each does its harm and gives back whether there was anything to harm.


def kill_worker(campaign: Campaign) -> bool:
    return _kill(campaign, campaign.processes(b"submitit.core._submit"))


def kill_engine(campaign: Campaign) -> bool:
    return _kill(campaign, campaign.engines())


def cancel_task(campaign: Campaign) -> bool:
    return _tell_a_task(campaign, "scancel")


def requeue_task(campaign: Campaign) -> bool:
    return _tell_a_task(campaign, "scontrol", "requeue")


def warn_task(campaign: Campaign) -> bool:
    return _tell_a_task(campaign, *warning.COMMAND)


def node_down_and_up(campaign: Campaign) -> bool:
    nodes = campaign.ask("squeue", "--noheader", "--states=R", "-O", "NodeList:20").split()
    if not nodes:
        return False
    node = campaign.rng.choice(nodes)
    campaign.ask("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=campaign")
    time.sleep(3)
    campaign.ask("scontrol", "update", f"NodeName={node}", "State=RESUME")
    return True


def restart_controller(campaign: Campaign) -> bool:
    pid, _ = cluster._recorded(campaign.slurm)["slurmctld"]
    os.kill(pid, signal.SIGTERM)
    time.sleep(3)
    cluster._start(campaign.slurm, "slurmctld", "slurmctld", "-D")
    return True


def corrupt_claim(campaign: Campaign) -> bool:
    claims = [path for path in (campaign.layout.root / "claims").rglob("*.json") if not path.name.startswith(".")]
    if claims:
        with contextlib.suppress(FileNotFoundError):
            path = campaign.rng.choice(claims)
            with path.open("r+b") as file:
                file.write(campaign.rng.randbytes(24))
    return bool(claims)


def fill_disk(campaign: Campaign) -> bool:
    path = campaign.folder / "disk" / "ballast"
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    time.sleep(5)
    path.unlink()
    return True


FAULTS: tuple[Callable[[Campaign], bool], ...] = (
    kill_worker, kill_engine, cancel_task, requeue_task, warn_task, node_down_and_up, restart_controller,
    corrupt_claim, fill_disk,
)  # fmt: skip


def _kill(campaign: Campaign, pids: list[int]) -> bool:
    if pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(campaign.rng.choice(pids), signal.SIGKILL)
    return bool(pids)


def _tell_a_task(campaign: Campaign, *words: str) -> bool:
    tasks = campaign.tasks()
    if tasks:
        campaign.ask(*words, campaign.rng.choice(tasks))
    return bool(tasks)


def run(campaign: Campaign, n_faults: int, every_s: float, most_runs: int) -> int:
    """Collect, and disturb it, until everything is there; gives back how often the command was typed."""
    faults = [FAULTS[number % len(FAULTS)] for number in range(n_faults)]
    campaign.rng.shuffle(faults)
    for n_runs in range(1, most_runs + 1):
        driver = campaign.collect()
        try:
            last = time.monotonic()
            while driver.poll() is None:
                time.sleep(0.2)
                if faults and time.monotonic() - last > every_s and campaign.is_serving():
                    fault = faults.pop()
                    if fault(campaign):
                        campaign.injected[fault.__name__] += 1
                        print(f"{time.strftime('%H:%M:%S')} {fault.__name__}", flush=True)
                    else:  # nothing of that kind there now
                        faults.insert(0, fault)
                    last = time.monotonic()
        finally:
            if driver.poll() is None:
                driver.kill()
            driver.wait()
        print(
            f"{time.strftime('%H:%M:%S')} collect ended with {driver.returncode}, {len(faults)} faults left", flush=True
        )
        if driver.returncode == 0:
            return n_runs
    raise SystemExit(f"not complete after {most_runs} runs; see {campaign.folder}/driver.log")


def judge(campaign: Campaign) -> dict[str, float]:
    """What is in the store against what was generated and acknowledged."""
    generated: Counter[tuple[str, str, int]] = Counter()
    tokens: Counter[tuple[str, str, int]] = Counter()
    acknowledged: dict[tuple[str, str, int], float] = {}
    for line in campaign.ledger.read_text().splitlines():
        event = json.loads(line)
        key = event["model"], event["benchmark"], event["index"]
        if event["what"] == "generated":
            generated[key] += 1
            tokens[key] += event["tokens"]
        else:
            acknowledged[key] = min(acknowledged.get(key, float("inf")), event["finished_at"])
    layout, n_lost, n_wrong = campaign.layout, 0, 0
    for benchmark in layout.benchmarks():
        expected = read_indices(layout, benchmark)
        for model in layout.models(benchmark):
            table = read_columns(layout, benchmark, model, [])
            n_wrong += table["index"].tolist() != expected.tolist() or bool(table["repeat"].any())
            n_wrong += int(table["failed"].sum())
            there = dict(zip(table["index"].tolist(), table["finished_at"].tolist(), strict=True))
            n_lost += sum(
                there.get(index) != finished_at
                for (one, other, index), finished_at in acknowledged.items()
                if (one, other) == (model, benchmark)
            )
    n_expected = N_MODELS * campaign.n_queries // 5 * 5
    n_there = sum(
        len(read_columns(layout, benchmark, model, [])["index"])
        for benchmark in layout.benchmarks()
        for model in layout.models(benchmark)
    )
    once = sum(total / generated[key] for key, total in tokens.items())
    return {
        "responses expected": n_expected,
        "responses in the store": n_there,
        "pairs with missing, double or failed rows": n_wrong,
        "acknowledged responses lost": n_lost,
        "responses generated twice": sum(number - 1 for number in generated.values()),
        "share of tokens generated twice, %": round(100 * (sum(tokens.values()) - once) / once, 2),
        "files that fail a checksum": sum(bool(problem) for _, problem in verify(layout)),
        "claims left": sum(path.is_file() for path in (layout.root / "claims").rglob("*")),
        "temporary files left": len(list((layout.root / "responses").rglob("*.tmp"))),
    }


@contextlib.contextmanager
def prepared(n_queries: int, seed: int, slurm: Path | None = None) -> Iterator[Campaign]:
    """A campaign with its small file system and its SLURM, its own unless one is given; both gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="campaign-") as name:
        folder = Path(name)
        own = folder / "slurm"
        environment = {**os.environ, **(cluster.up(own) if slurm is None else {"SLURM_CONF": f"{slurm}/slurm.conf"})}
        environment |= {
            "CAMPAIGN_LEDGER": str(folder / "ledger.jsonl"),
            "PYTHONPATH": str(Path(__file__).parent / "recorder"),
        }
        disk = folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FILE_SYSTEM_MB}m", "tmpfs", str(disk)], check=True)
        try:
            config = compose(["pool=demo"])
            assert config.pool is not None
            config.pool.models = config.pool.models[:N_MODELS]
            pool = to_yaml(config, ["pool"]).split("\n", 1)[1].replace("\n  ", "\n")
            (folder / "pool.yaml").write_text(pool[2:])
            yield Campaign(folder, slurm or own, n_queries, random.Random(seed), environment)
        finally:
            if slurm is None:
                cluster.down(own)
            _unmount(disk)


def _unmount(disk: Path) -> None:
    """Take the small file system away once the last worker has let go of it: one that was killed may still be dying.

    Raises:
        RuntimeError: a process holds it that should have ended.
    """
    end = time.monotonic() + 60
    while (done := subprocess.run(["umount", str(disk)], capture_output=True, text=True, check=False)).returncode:
        if time.monotonic() > end:
            holders = _holders(disk)
            subprocess.run(["umount", "--lazy", str(disk)], check=True)
            if holders:
                raise RuntimeError(f"{done.stderr.strip()}; held by {holders}")
            return
        time.sleep(0.5)


def _holders(disk: Path) -> dict[int, str]:
    """Command lines of the processes with an open or mapped file or their working directory below a folder.

    Thread by thread: where the first thread has ended, only the others show what the process still holds.
    """
    found = {}
    for thread in Path("/proc").glob("[0-9]*/task/[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            links = [link.readlink() for link in [thread / "cwd", *(thread / "fd").iterdir()]]
            if any(link.is_relative_to(disk) for link in links) or f" {disk}/" in (thread / "maps").read_text():
                found[int(thread.parts[2])] = (thread / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=5000)
    parser.add_argument("--faults", type=int, default=24)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two faults, while answers come in")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.monotonic()
    with prepared(options.queries, options.seed) as campaign:
        n_runs = run(campaign, options.faults, options.every, most_runs=8)
        figures = judge(campaign)
        print(f"\n{campaign.injected.total()} faults: {dict(campaign.injected)}")
        print(f"the command was typed {n_runs} times, {time.monotonic() - started:.0f} s in all")
        for name, value in figures.items():
            print(f"  {name:<45} {value:>10}")
    bad = ("pairs with missing, double or failed rows", "acknowledged responses lost", "files that fail a checksum")
    return int(any(figures[name] for name in bad) or figures["responses expected"] != figures["responses in the store"])


if __name__ == "__main__":
    sys.exit(main())

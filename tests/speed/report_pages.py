"""How large the report's pages get and how fast a browser is with them: 24,000 queries, 33 models, 20 routers, 5 seeds.

    python tests/speed/report_pages.py [FOLDER]

Writes the report into FOLDER (else a temporary one) and prints sizes and milliseconds. Scores are right or wrong,
costs are counts of tokens at a price, prompts are 160 characters of words.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from scoring.reduction import Evaluation, RouterRun, reduce
from scoring.report import write_report
from tests.browser import Browser

N_QUERIES, N_MODELS, N_ROUTERS, N_BENCHMARKS, SEEDS = 24_000, 33, 20, 15, (42, 999, 2024, 2025, 3407)
FRAME = "requestAnimationFrame"


def evaluation(generator: np.random.Generator) -> Evaluation:
    """A pool whose models differ in strength and price, and routers of several trade-offs."""
    ability, price = generator.uniform(0.2, 0.9, N_MODELS), 10 ** generator.uniform(-7, -5, N_MODELS)
    easiness = generator.normal(0, 0.25, (N_QUERIES, 1))
    score = (generator.random((N_QUERIES, N_MODELS)) < ability + easiness).astype(float)
    cost = price * np.round(generator.lognormal(6, 1, (N_QUERIES, N_MODELS)))
    test = tuple(np.sort(generator.permutation(N_QUERIES)[: N_QUERIES * 3 // 10]) for _ in SEEDS)
    likely = np.exp(8 * ability) / np.exp(8 * ability).sum()
    routers = tuple(
        RouterRun(
            name=f"router {number}", is_reference=False, trade_off=np.linspace(0, 1, 5), headline=2,
            choice=tuple(generator.choice(N_MODELS, p=likely, size=(5, len(rows))) for rows in test),
            fit_s=(1.0,) * len(SEEDS), route_s=(0.1,) * len(SEEDS), calls=(None,) * len(SEEDS),
        )
        for number in range(N_ROUTERS)
    )  # fmt: skip
    return Evaluation(
        setting="full size", models=tuple(f"organisation/model-{i}-instruct" for i in range(N_MODELS)),
        benchmarks=tuple(f"benchmark_{i}" for i in range(N_BENCHMARKS)), seeds=SEEDS,
        benchmark=np.sort(np.arange(N_QUERIES) % N_BENCHMARKS), index=np.arange(N_QUERIES), score=score, cost=cost,
        test=test, routers=routers, provenance={},
    )  # fmt: skip


def prompts(generator: np.random.Generator) -> list[str]:
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    words = ["".join(generator.choice(letters, generator.integers(2, 10))) for _ in range(20_000)]
    rank = np.minimum(generator.zipf(1.3, (N_QUERIES, 60)) - 1, len(words) - 1)
    return [" ".join(words[i] for i in row)[:160] for row in rank.tolist()]


def main() -> None:
    generator = np.random.default_rng(0)
    given, texts = evaluation(generator), prompts(generator)
    started = time.perf_counter()
    result = reduce(given, n_resamples=100)
    reduced = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary, Browser() as browser:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary).absolute()
        write_report(result, folder, given, texts)
        print(f"reduced in {reduced - started:.1f} s, written in {time.perf_counter() - reduced:.1f} s")
        for name in ("index.html", "queries.html"):
            page = browser.page(folder / name)
            if name == "queries.html":
                page.wait_for("document.documentElement.dataset.ready")
            paint = page.run("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            size = (folder / name).stat().st_size / 1e6
            print(f"{name}: {size:.1f} MB, first paint {paint:.0f} ms")
        ready = page.run("performance.getEntriesByName('ready')[0].startTime")
        print(f"  ready after {ready:.0f} ms")
        for what, name, value in (
            ("benchmark", "benchmark", "3"), ("all benchmarks", "benchmark", ""), ("1 to 3 right", "right", "1-3"),
            ("wrong although", "outcome", "missed"), ("first search", "text", "e"), ("search", "text", "et"),
            ("another seed", "seed", "1"),
        ):  # fmt: skip
            page.run("window.before = performance.now()")
            page.choose(name, value)
            elapsed = page.run(
                f"new Promise(done => {FRAME}(() => setTimeout(() => done(performance.now() - before))))"
            )
            summary = page.run("document.querySelector('#summary').textContent")
            print(f"  {what}: {elapsed:.0f} ms to the next frame; {summary.partition(';')[0]}")
        page.run("document.querySelector('form').reset()")
        jump = (
            "box => new Promise(done => { const t = performance.now(), ready = () => done(performance.now() - t);"
            f" box.scrollTop = Math.random() * box.scrollHeight; {FRAME}(() => {FRAME}(() => setTimeout(ready))) }})"
        )
        times = [page.run(f"({jump})(document.querySelector('.rows'))") for _ in range(20)]
        print(f"  scroll to anywhere: median {np.median(times):.0f} ms, most {max(times):.0f} ms, two frames")


if __name__ == "__main__":
    main()

"""Every path of the store, and nothing else knows one.

<root>/queries/<benchmark>.h5
<root>/responses/<benchmark>/<model>/<part>.<writer>.h5 and sealed-<writer>.h5
<root>/scores/<benchmark>/<model>.h5
<root>/score_matrices/<benchmark>.h5                thousands of models at once; see store/score_matrix.py
<root>/candidate_groups/<benchmark>.h5              groups of models chosen from such a matrix
<root>/settings/<setting>.yaml                      a setting for each group
<root>/verdicts/<benchmark>/<import>.h5             what programs outside the suite said; see store/verdicts.py
<root>/embeddings/<encoder>/<benchmark>.h5
<root>/routings/<setting>/<router>/<seed>.h5
<root>/routers/<setting>/<router>.pickle            a router fitted on a whole setting, to be asked
<root>/training/<setting>/<router>/<seed>/          checkpoints of a training under way; see routers/text_router.py
<root>/grading/<benchmark>/                         what such a program was handed, with its logs and reports
<root>/claims/<benchmark>/<model>/<shard>.json      who works on what right now; costs efficiency at most
<root>/runs/<run>/                                  one folder per submission: its configuration and logs
<root>/api_cache.sqlite3                            paid answers of APIs, by what was asked; see inference/api_cache.py
<root>/store.h5                                     external links, for people
"""

from dataclasses import dataclass
from pathlib import Path

from store.names import from_file_name, to_file_name


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below one root. Names go in and come out as they are; their file form never leaves this class."""

    root: Path

    @property
    def links(self) -> Path:
        return self.root / "store.h5"

    @property
    def api_cache(self) -> Path:
        return self.root / "api_cache.sqlite3"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def queries(self, benchmark: str) -> Path:
        return self.root / "queries" / f"{to_file_name(benchmark)}.h5"

    def responses(self, benchmark: str, model: str) -> Path:
        """The folder of all parts of one (benchmark, model) pair."""
        return self.root / "responses" / to_file_name(benchmark) / to_file_name(model)

    def scores(self, benchmark: str, model: str) -> Path:
        return self.root / "scores" / to_file_name(benchmark) / f"{to_file_name(model)}.h5"

    def score_matrix(self, benchmark: str) -> Path:
        return self.root / "score_matrices" / f"{to_file_name(benchmark)}.h5"

    def candidate_groups(self, benchmark: str) -> Path:
        return self.root / "candidate_groups" / f"{to_file_name(benchmark)}.h5"

    def setting(self, name: str) -> Path:
        return self.root / "settings" / f"{to_file_name(name)}.yaml"

    def verdicts(self, benchmark: str) -> Path:
        """The folder of all imports of one benchmark."""
        return self.root / "verdicts" / to_file_name(benchmark)

    def grading(self, benchmark: str) -> Path:
        return self.root / "grading" / to_file_name(benchmark)

    def embeddings(self, encoder: str, benchmark: str) -> Path:
        return self.root / "embeddings" / to_file_name(encoder) / f"{to_file_name(benchmark)}.h5"

    def routings(self, setting: str, router: str, seed: int) -> Path:
        return self.root / "routings" / to_file_name(setting) / to_file_name(router) / f"{seed}.h5"

    def fitted_router(self, setting: str, router: str) -> Path:
        return self.root / "routers" / to_file_name(setting) / f"{to_file_name(router)}.pickle"

    def training(self, setting: str, router: str, seed: int) -> Path:
        """The folder of one router's checkpoints."""
        return self.root / "training" / to_file_name(setting) / to_file_name(router) / str(seed)

    def claims(self, benchmark: str, model: str) -> Path:
        return self.root / "claims" / to_file_name(benchmark) / to_file_name(model)

    def benchmarks(self) -> list[str]:
        """Benchmarks whose queries are in the store, sorted."""
        return sorted(from_file_name(path.stem) for path in (self.root / "queries").glob("[!.]*.h5"))

    def models(self, benchmark: str) -> list[str]:
        """Models that have scores or responses for a benchmark, sorted."""
        answered = (self.root / "responses" / to_file_name(benchmark)).glob("[!.]*")
        return sorted({from_file_name(path.name) for path in answered}.union(self.scored_models(benchmark)))

    def scored_models(self, benchmark: str) -> list[str]:
        """Models that have scores for a benchmark, sorted."""
        scored = (self.root / "scores" / to_file_name(benchmark)).glob("[!.]*.h5")
        return sorted(from_file_name(path.stem) for path in scored)

    def parts(self, benchmark: str, model: str) -> list[Path]:
        """Readable parts of one pair in a fixed order; temporary and damaged files are not among them."""
        return sorted(self.responses(benchmark, model).glob("[!.]*.h5"))

    def files(self) -> list[Path]:
        """Every data file of the store, sorted: what `verify` reads."""
        folders = ("queries", "responses", "scores", "score_matrices", "candidate_groups", "verdicts", "embeddings",
                   "routings")  # fmt: skip
        found = (path for folder in folders for path in (self.root / folder).rglob("[!.]*.h5"))
        return sorted(path for path in found if not path.is_dir())  # a model may be named like a file

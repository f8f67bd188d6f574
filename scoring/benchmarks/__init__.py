"""One file per benchmark, found by its name: `scoring.benchmarks.<name>` (see `scoring.benchmark.find`)."""

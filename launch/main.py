"""`routeyard <command> …`: the same commands as `python launch/<command>.py …`, from anywhere."""

import sys
from importlib import import_module

COMMANDS = {
    "suite": "the whole road: collect, score, embed, train, reduce",
    "fetch_data": "question files of benchmarks, from their public sources",
    "collect": "collect the answers of a pool",
    "status": "how far a collection is",
    "cancel": "end the jobs of a store",
    "score": "score responses",
    "grade_swe_bench": "have the official harness grade patches",
    "embed": "embed queries",
    "train": "train routers and route the test queries",
    "route": "ask a router which model should answer a prompt",
    "reduce": "metrics, tables, figures, report",
    "import_release": "published release -> store",
    "import_routereval": "RouterEval's scores of thousands of models -> store, and its candidate groups",
    "routereval_tables": "RouterEval's tables of what was trained on its groups",
    "import_tau2": "results of the tau2 package -> store",
    "export_release": "store -> the layout of a published release",
    "verify": "read every byte of the store",
}


def main() -> int:
    """Carry out the named command; gives back its exit status."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in COMMANDS:
        return import_module(f"launch.{name}").main(sys.argv[2:])
    print("routeyard <command> [key=value …]; <command> --help says more\n")
    print("\n".join(f"  {command:<17} {what}" for command, what in COMMANDS.items()))
    if name in ("", "-h", "--help"):
        return 0
    print(f"\nerror: unknown command {name!r}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

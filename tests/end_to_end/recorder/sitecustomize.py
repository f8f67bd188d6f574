"""Writes down what workers generate and what the store acknowledges, for `fault_campaign.py`.

Python imports a module of this name at its start, where it is on PYTHONPATH. Each event is one `write` to a file opened
for appending, so that it survives the death of its process.
"""

import json
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.util import find_spec

LEDGER = os.environ.get("CAMPAIGN_LEDGER")


def note(**event):
    descriptor = os.open(LEDGER, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.write(descriptor, json.dumps(event).encode() + b"\n")
    os.close(descriptor)


def record(module):
    append, commit = module.ResponseWriter.append, module.ResponseWriter.commit

    def noted_append(writer, response):
        note(what="generated", model=writer._model, benchmark=writer._benchmark, index=response.index,
             tokens=response.completion_tokens)  # fmt: skip
        append(writer, response)

    def noted_commit(writer):
        pending = writer._rows[writer._committed :]
        n_new = commit(writer)
        for row in pending if n_new else []:
            note(what="acknowledged", model=writer._model, benchmark=writer._benchmark, index=row.index,
                 finished_at=row.finished_at)  # fmt: skip
        return n_new

    module.ResponseWriter.append, module.ResponseWriter.commit = noted_append, noted_commit


class AfterImport(MetaPathFinder):
    """Lets `store.responses` be imported as always, then records it."""

    def find_spec(self, name, path=None, target=None):
        if name != "store.responses":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            record(module)

        spec.loader.exec_module = exec_module
        return spec


if LEDGER:
    sys.meta_path.insert(0, AfterImport())

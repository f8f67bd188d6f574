"""Records, one observation each, as files: CSV for every program, Parquet with the types."""

from collections.abc import Mapping, Sequence
from typing import Any

from scoring.parquet import as_parquet
from scoring.table_formats import as_csv


def record_files(records: Mapping[str, Sequence[dict[str, Any]]]) -> dict[str, bytes]:
    """File name -> content: every list of records as <name>.csv and <name>.parquet.

    Args:
        records: name -> records with equal keys; see `as_parquet` for their values.
    """
    files = {f"{name}.csv": as_csv(rows).encode() for name, rows in records.items()}
    return files | {f"{name}.parquet": as_parquet(rows) for name, rows in records.items()}

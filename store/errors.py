"""The exceptions of the store, and the one all others of the suite derive from."""


class RouteyardError(Exception):
    """Something a person can mend. The message is one line: what, where, expected and found, what to do."""


class StoreError(RouteyardError):
    """The store cannot be used as asked; the message says what to do."""


class DamagedFileError(StoreError):
    """One file cannot be read or fails a checksum. It costs its own rows only: they count as missing again."""


class NewerSchemaError(StoreError):
    """A file was made by a newer version of the suite. Never treated as damage: its rows are not missing."""

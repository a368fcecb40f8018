"""What a command line asks for: checked before Hydra acts on it, so that what is wrong is said in our words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from zoomvqa.cli.config_folders import SEARCHPATH, choices, config_folder, config_folders, option, searched
from zoomvqa.cli.plain_text import quoted
from zoomvqa.errors import SettingsError, nearest
from zoomvqa.internals.messages import names_key


def compositions(name: str, arguments: list[str]) -> Iterator[DictConfig]:
    """Compose the config of a command line, before Hydra does; in a sweep with every single choice.

    Options of Hydra's own (`--hydra-help`, `--cfg`, `--config-path`, …) are left to it; folders of the user's own
    configs, and another config's name, are taken.

    Args:
        name: of the config.
        arguments: of the command line.

    Raises:
        SettingsError: an argument is none, or asks for what is not there.
    """
    overrides = [a for a in arguments if (not a.startswith("-") and "=" in a) or a.startswith("~")]
    stray = [a for a in arguments if a not in overrides and not a.startswith("-")]
    if stray and not any(a.startswith("-") for a in arguments):
        raise SettingsError(f"{stray[0]}: expected key=value")
    left_to_hydra = {"--hydra-help", "--version", "-cp"}
    if any(a in left_to_hydra or a.startswith(("--config-path", "-cp=", "--info")) for a in arguments):
        return
    _parsed(overrides)
    name = (option(arguments, "--config-name", "-cn") or name).removesuffix(".yaml")
    places = searched(name, arguments)
    overrides = [o for o in overrides if not o.lstrip("+").startswith(SEARCHPATH)]
    for variant in _variants(overrides) if is_sweep(arguments) else [overrides]:
        yield _compose(name, variant, places)


def options_first(arguments: list[str]) -> list[str]:
    """Return a command line with Hydra's options in front: it refuses them between overrides."""
    return sorted(arguments, key=lambda a: not a.startswith("-") and ("=" in a or a.startswith("~")))


def is_sweep(arguments: list[str]) -> bool:
    """Tell whether a command line asks for several runs."""
    asked = "-m" in arguments or "--multirun" in arguments
    return asked or any(a.startswith("hparams_search=") and a != "hparams_search=null" for a in arguments)


def sweep_folder(arguments: list[str]) -> list[str]:
    """Return a command line with `output=FOLDER` of a sweep as the folder that all its jobs' folders lie in.

    Raises:
        SettingsError: the folder is given twice, or differs from job to job.
    """
    given = [a for a in arguments if a.startswith("output=")]
    if not given or not is_sweep(arguments):
        return arguments
    if others := [a for a in arguments if a.startswith("hydra.sweep.dir=")]:
        raise SettingsError(
            f"output: got {given[-1].partition('=')[2]} beside {others[0]}, expected one of them: both name the "
            "sweep's folder"
        )
    if any(override.is_sweep_override() for override in _parsed(given)):
        raise SettingsError(
            f"output: got {given[-1].partition('=')[2]}, expected one folder: each job of a sweep has one of its "
            "own in it"
        )
    return [f"hydra.sweep.dir={a.partition('=')[2]}" if a in given else a for a in arguments]


def _parsed(overrides: list[str]) -> list[Override]:
    """Return the overrides as Hydra reads them.

    Raises:
        SettingsError: one does not follow its grammar.
    """
    parser, parsed = OverridesParser.create(), []
    for text in overrides:
        try:
            parsed.append(parser.parse_override(text))
        except HydraException:
            raise SettingsError(_unreadable(parser, text)) from None
    return parsed


def _unreadable(parser: OverridesParser, text: str) -> str:
    """Say which value Hydra cannot read, and how it is written."""
    key, _, value = text.partition("=")
    better = f"{key}={quoted(value)}"
    try:
        parser.parse_override(better)
    except HydraException:  # what is wrong is the key
        return f"{key}: this is no name of a key"
    within = better.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
    kinds = {"[": "a list such as [a,b], or ", "{": "a mapping such as {a: b}, or "}
    expected = f"{kinds.get(value[:1], '')}quotes around a text with such characters"
    return f'{key}: got {value}, expected {expected}: "{within}"'


def _variants(overrides: list[str]) -> list[list[str]]:
    """Return the overrides with each choice of each sweep taken once, the other sweeps at their first."""
    parsed = _parsed(overrides)
    searching = any(text.startswith("hparams_search=") for text in overrides)
    each = [
        _choices(override, text, searching=searching) for override, text in zip(parsed, overrides, strict=True)
    ]
    first = [c[0] for c in each]
    variants = [first]
    for at, options in enumerate(each):
        variants += [[*first[:at], option, *first[at + 1 :]] for option in options[1:]]
    return variants


def _choices(override: Override, text: str, *, searching: bool) -> list[str]:
    """Return an override with each value that it may take; of an interval its ends."""
    if not override.is_sweep_override():
        return [text]
    sweep_value, key = override.value(), override.get_key_element()
    if isinstance(sweep_value, IntervalSweep):
        if not searching:
            raise SettingsError(
                f"{key}: got {text.partition('=')[2]}, which only hparams_search=optuna goes through"
            )
        return [f"{key}={sweep_value.start}", f"{key}={sweep_value.end}"]
    return [f"{key}={choice}" for choice in override.sweep_string_iterator()]


def _compose(name: str, overrides: list[str], places: list[str]) -> DictConfig:
    GlobalHydra.instance().clear()
    try:
        return _composed(name, overrides, places)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise SettingsError(_in_our_words(name, overrides, error, places)) from None
    finally:
        GlobalHydra.instance().clear()


def _composed(name: str, overrides: list[str], places: list[str]) -> DictConfig:
    """Compose a config as Hydra does, from our folder and the user's; the main config's own folder comes first."""
    main = next((f for f in config_folders(places) if (f / f"{name}.yaml").is_file()), config_folder())
    if main != config_folder():
        places = [f"file://{config_folder()}", *places]
    searching = [f"{SEARCHPATH}[{','.join(map(quoted, places))}]"] if places else []
    with initialize_config_dir(str(main.resolve()), version_base="1.3"):
        return compose(name, [*overrides, *searching], return_hydra_config=False)


def _in_our_words(name: str, overrides: list[str], error: Exception, places: list[str]) -> str:
    """Turn Hydra's message about a bad override into one line with the nearest valid choice."""
    folders = config_folders(places)
    names = [n for n in choices(".", folders) if "/" not in n]
    if name not in names:
        return f"--config-name: got '{name}', expected one of {', '.join(names)}{nearest(name, names)}"
    groups = {p.name for folder in folders for p in folder.iterdir() if p.is_dir()}
    known = _known_keys(name, [o for o in overrides if _group(o) in groups], places)
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        group = _group(override)
        if group in groups:
            names = choices(group, folders)
            for choice in value.strip("[]").split(","):
                if choice.strip() not in {*names, "null", ""}:
                    hint = nearest(choice.strip(), names)
                    return f"{group}: got '{choice.strip()}', expected one of {', '.join(names)}{hint}"
        elif not override.startswith("+") and key not in known and names_key(error, key):
            return f"{key}: unknown key{nearest(key, known)}"
    return first_line(error)


def _group(override: str) -> str:
    """Return the config group that an override speaks of, as `data` in `+data@data.sets.lsvq=lsvq`."""
    return override.lstrip("+~").partition("=")[0].split("@")[0]


def _known_keys(name: str, chosen: list[str], places: list[str]) -> list[str]:
    """Return the keys of the config with the user's choices of groups, or without them where they are wrong."""
    try:
        config = _composed(name, chosen, places)
    except (HydraException, OmegaConfBaseException, ValueError):
        config = _composed(name, [], places)
    return _dotted_keys(OmegaConf.to_container(config, resolve=False))


def _dotted_keys(values: Any, prefix: str = "") -> list[str]:
    if not isinstance(values, dict):
        return []
    keys = []
    for key, value in values.items():
        keys.append(f"{prefix}{key}")
        keys += _dotted_keys(value, f"{prefix}{key}.")
    return keys


def first_line(error: Exception) -> str:
    """Return an error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__

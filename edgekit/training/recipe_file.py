"""Recipe files: a short YAML that says what is trained, on what, how, and how it is pruned.

Example:
    model: resnet20
    data: digits
    recipe: default+random-erasing    # named recipes, the later ones decide
    task: classification              # what it is for, with options: face-parsing:roi=crop,margin=1.5
    block: sk                         # any field of ModelSpec
    epochs: 20                        # any field of Recipe
    init: runs/dense                  # or imagenet: weights to start from; with prune: what is pruned
    use:
      kd: {teacher: runs/teacher}     # training techniques with their options
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec

from edgekit.models import ModelSpec
from edgekit.tasks import Task, named_task
from edgekit.training.recipe import NamedRecipe, Recipe, load_recipe
from runtime.bundle.decoding import read_regular, refuse_aliases, why
from runtime.errors import DataError
from runtime.extras import require

SUFFIXES = (".yaml", ".yml")
IMAGENET = "imagenet"  # in place of a checkpoint to start from
SHIPPED = Path(__file__).with_name("recipes")
_MOST_BYTES = 1 << 16
_OWN = ("model", "data", "data_root", "recipe", "init", "prune", "task")
# What the data decide, and where it runs best said on the command line.
_SPEC = {item.name for item in fields(ModelSpec)} - {"name", "num_classes", "in_channels"}
_RECIPE = {item.name for item in fields(Recipe)}


@dataclass(frozen=True)
class RecipeFile:
    """What a recipe file says.

    Attributes:
        name: of the file, without its ending.
        model, data: names of a model and a dataset; ``data_root`` is where its files are.
        named: the recipe, and fields of ``ModelSpec``.
        prune: how to prune, see ``edgekit.pruning.from_file``; empty: not.
        init: ``imagenet`` or a checkpoint: weights to start from; with ``prune`` the checkpoint to prune.
        task: what the network is for; ``None``: what a pruned ``init`` is for, else classification.
    """

    name: str
    model: str
    data: str
    named: NamedRecipe
    data_root: str | None = None
    prune: dict[str, Any] = field(default_factory=dict)
    init: str | None = None
    task: Task | None = None


def is_recipe_file(name: str) -> bool:
    """Whether ``name`` is meant as a recipe file and not as a model."""
    return name.endswith(SUFFIXES)


def list_recipe_files() -> list[str]:
    """Return the names of the recipe files that come with edgekit."""
    return sorted(path.name for path in SHIPPED.glob("*.yaml"))


def load_recipe_file(path: str | Path) -> RecipeFile:
    """Read a recipe file: the one at ``path``, else one of that name that comes with edgekit.

    Raises:
        DataError: there is none, or it is no YAML.
        ValueError: it has a key or a value that means nothing; near matches of a key are named.

    Example:
        >>> load_recipe_file("digits-small.yaml").model
        'resnet20'
    """
    return read_recipe(read_mapping(find_recipe_file(path)), str(path))


def find_recipe_file(path: str | Path) -> Path:
    """Return the file at ``path``, else the one of that name that comes with edgekit.

    Raises:
        DataError: there is none.
    """
    found = Path(path)
    if not found.exists() and found.name == str(path):
        found = SHIPPED / found
    if not found.exists():
        near = difflib.get_close_matches(Path(path).name, list_recipe_files(), n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"edgekit has {', '.join(list_recipe_files())}"
        raise DataError(f"there is no recipe file {path}; {hint}")
    return found


def read_recipe(raw: Mapping[str, Any], where: str) -> RecipeFile:
    """Return what a recipe file says, given as a mapping.

    Args:
        where: named in errors.

    Raises:
        ValueError: a key or a value means nothing.
    """
    values = {str(key).replace("-", "_"): value for key, value in raw.items()}
    refuse_unknown(values, {*_OWN, *_SPEC, *_RECIPE}, where)
    for key in ("model", "data"):
        if not isinstance(values.get(key), str):
            raise ValueError(f"{where}: {key} is {values.get(key)!r}; it must be the name of one")
    base = load_recipe(str(values.get("recipe", "default")))
    chosen = {key: value for key, value in values.items() if key in _RECIPE}
    if "use" in chosen:
        chosen["use"] = {**base.recipe.use, **_use(chosen["use"], where)}
    network = {**base.model, **{key: value for key, value in values.items() if key in _SPEC}}
    recipe = _converted({**asdict(base.recipe), **chosen}, Recipe, where)
    spec = _converted({"name": values["model"], **network}, ModelSpec, where)
    prune = values.get("prune") or {}
    if not isinstance(prune, dict):
        raise ValueError(f"{where}: prune is {prune!r}; write its options below it: method: psfp, rate: 0.3")
    task = values.get("task")
    if not isinstance(task, str | None):
        raise ValueError(f"{where}: task is {task!r}; write it in one line: face-parsing:roi=crop,margin=1.5")
    return RecipeFile(
        name=Path(where).stem,
        model=spec.name,
        data=values["data"],
        named=NamedRecipe(recipe, {key: getattr(spec, key) for key in network}),
        data_root=None if values.get("data_root") is None else str(values["data_root"]),
        prune={str(key).replace("-", "_"): value for key, value in prune.items()},
        init=None if values.get("init") is None else str(values["init"]),
        task=None if task is None else named_task(task),
    )


def read_mapping(path: Path, advice: str = "give a recipe file") -> dict[str, Any]:
    """Return what the YAML file at ``path`` says, at most 64 KiB, without aliases.

    Raises:
        DataError: there is no such file, or it is no mapping.
    """
    yaml = require("yaml", extra="train")
    try:
        data = read_regular(path, advice=advice, error=DataError, most_bytes=_MOST_BYTES)
    except OSError as err:
        raise DataError(f"{path} cannot be read ({why(err)}); {advice}") from err
    try:
        refuse_aliases(yaml, data, str(path))
        raw = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError) as err:
        raise DataError(f"{path} is not YAML ({' '.join(why(err).split())}); correct it") from err
    if not isinstance(raw, dict):
        raise DataError(f"{path} has no lines of key: value; write model: resnet20, data: digits, ...")
    return raw


def refuse_unknown(values: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Refuse keys that are not ``known``.

    Raises:
        ValueError: one is; the message names the near match.
    """
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
            raise ValueError(f"{where} has an unknown key {key!r}; {hint}")


def _use(use: Any, where: str) -> dict[str, dict[str, Any]]:
    """Return techniques with their options; a list of names, and names without options, are fine too."""
    named = dict.fromkeys(use) if isinstance(use, list) else use
    if isinstance(named, dict) and all(isinstance(value, dict | None) for value in named.values()):
        return {str(name): dict(options or {}) for name, options in named.items()}
    raise ValueError(
        f"{where}: use is {use!r}; write a name per line, each with its options: ema: {{decay: 0.99}}"
    )


def _converted(values: Mapping[str, Any], kind: type, where: str) -> Any:
    try:
        # Not strict: YAML takes 1e-3 for text.
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as err:
        raise ValueError(f"{where}: {err}") from err

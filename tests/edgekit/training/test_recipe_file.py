"""Recipe files: what they say, and what is said of those that say nothing."""

import re

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.data import DATASETS
from edgekit.models import ModelSpec
from edgekit.pruning import Budget, Pruning, read_pruning
from edgekit.training import (
    Recipe,
    list_recipe_files,
    load_checkpoint,
    load_recipe,
    load_recipe_file,
    make_techniques,
)
from runtime.errors import DataError

TEXT = """
model: mobilenet_v2
data: digits
recipe: digits-demo+mixup
width: 0.5            # digits-demo has 0.35
block: sk
lr: 1e-3              # text to YAML
use:
  ema: {decay: 0.9}
  clip:
"""


def written(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return path


def test_a_file_says_what_differs_from_its_recipe(tmp_path):
    file = load_recipe_file(written(tmp_path, TEXT))
    demo = load_recipe("digits-demo")
    assert (file.model, file.data, file.data_root, file.prune) == ("mobilenet_v2", "digits", None, {})
    assert file.named.model == {**demo.model, "width": 0.5, "block": "sk"}
    assert file.named.recipe.lr == 1e-3
    assert file.named.recipe.epochs == demo.recipe.epochs
    assert file.named.recipe.use == {"mixup": {}, "ema": {"decay": 0.9}, "clip": {}}


def test_words_may_be_joined_as_on_the_command_line(tmp_path):
    text = "model: resnet20\ndata: digits\nimage-size: 8\nbatch-size: 16\nuse: [random-erasing, ema]\n"
    named = load_recipe_file(written(tmp_path, text)).named
    assert named.model == {"image_size": 8}
    assert named.recipe == Recipe(batch_size=16, use={"random-erasing": {}, "ema": {}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: resnet20\ndata: digits\nepoch: 3", "unknown key 'epoch'; did you mean 'epochs'"),
        ("model: resnet20\ndata: digits\nxyzzy: 3", "unknown key 'xyzzy'; known: accumulate, act"),
        ("model: resnet20\ndata: digits\nnum_classes: 3", "unknown key 'num_classes'"),
        ("model: resnet2\ndata: digits", "unknown model 'resnet2'; did you mean resnet20"),
        ("data: digits", "model is None; it must be the name of one"),
        ("model: resnet20\ndata: 3", "data is 3; it must be the name of one"),
        ("model: resnet20\ndata: digits\nepochs: many", "Expected `int`, got `str` - at `\\$.epochs`"),
        ("model: resnet20\ndata: digits\nepochs: 0", "epochs is 0; it must be at least 1"),
        ("model: resnet20\ndata: digits\nwidth: 100", "width=100.0; choose from 0.05 to 8"),
        ("model: resnet20\ndata: digits\nrecipe: digits-dem", "did you mean digits-demo"),
        ("model: resnet20\ndata: digits\nuse: 3", "use is 3; write a name per line"),
        ("model: resnet20\ndata: digits\nuse: {ema: 3}", "write a name per line"),
        ("model: resnet20\ndata: digits\nprune: psfp", "prune is 'psfp'; write its options below it"),
        ("- model", "has no lines of key: value"),
        ("", "has no lines of key: value"),
        ("model: [", "is not YAML"),
        ("model: &a resnet20\ndata: *a", "aliases"),
    ],
)
def test_what_means_nothing_is_refused_in_one_line(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises((ValueError, DataError), match=message):
        load_recipe_file(path)
    result = CliRunner().invoke(cli, ["train", str(path), "-o", str(tmp_path / "run")])
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_not_there_names_the_near_one():
    with pytest.raises(DataError, match=r"no recipe file digits-smal\.yaml; did you mean digits-small\.yaml"):
        load_recipe_file("digits-smal.yaml")


@pytest.mark.parametrize("name", list_recipe_files())
def test_every_file_that_comes_with_edgekit_names_what_there_is(name):
    file = load_recipe_file(name)
    assert file.data in DATASETS
    ModelSpec(file.model, **file.named.model)
    made = [technique for technique in file.named.recipe.use if technique not in ("kd", "rco")]
    assert len(make_techniques(Recipe(use={t: file.named.recipe.use[t] for t in made}), None)) == len(made)


def test_edgekit_train_does_what_a_file_says_and_what_is_given_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--epochs", "1", "--width", "0.25", "--use", "ema:decay=0.5", "--device", "cpu"]
    result = CliRunner().invoke(cli, ["train", "digits-small.yaml", *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    checkpoint = load_checkpoint(tmp_path / "runs" / "digits-small")
    file = load_recipe_file("digits-small.yaml")
    assert (checkpoint.spec.name, checkpoint.spec.width, checkpoint.image.size) == ("resnet20", 0.25, 8)
    assert checkpoint.recipe["use"] == {**file.named.recipe.use, "ema": {"decay": 0.5}}
    assert checkpoint.recipe["batch_size"] == file.named.recipe.batch_size


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["resnet20"], 2, "Missing option '--data'"),
        (["digits-small.yaml", "--recipe", "ema"], 2, "has a recipe of its own"),
        (["resnet20", "--data", "digits", "--use", "emma"], 2, "did you mean ema"),
        (
            ["resnet20", "--data", "digits", "--use", "ema:decoy=1"],
            2,
            "has no option 'decoy'; did you mean decay",
        ),
        (["resnet20", "--data", "digits", "--use", "ema:0.9"], 2, "'ema:0.9' is no technique"),
        (["resnet20", "--data", "digits", "--use", "kd"], 2, "'kd' got no 'teacher'"),
        (["resnet20", "--data", "digits", "--use", "ema:decay=high"], 2, "decay is 'high' (Expected `float`"),
        (["resnet20", "--data", "digits", "--teacher", "nowhere"], 1, "nowhere is not a checkpoint"),
    ],
)
def test_bad_techniques_are_one_line_errors(tmp_path, monkeypatch, arguments, status, message):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["train", *arguments])
    assert (result.exit_code, "Traceback" in result.output) == (status, False), result.output
    assert message in result.stderr
    assert not any(tmp_path.iterdir())


def test_a_file_says_how_to_prune(tmp_path):
    text = "model: resnet20\ndata: digits\nprune: {method: sfp, macs: 50%, round-to: 4, finetune-epochs: 2}"
    how = read_pruning(load_recipe_file(written(tmp_path, text)).prune, "mine")
    assert how == Pruning("sfp", Budget(macs=0.5, round_to=4), finetune_epochs=2)
    assert read_pruning({"method": "one-shot"}, "mine").budget == Budget(rate=0.3)
    assert read_pruning({"params": "20k", "options": {"p": 2}}, "mine").budget.params == 20_000


@pytest.mark.parametrize(
    ("prune", "message"),
    [
        ("{methd: sfp}", "prune has an unknown key 'methd'; did you mean 'method'"),
        ("{method: sfb}", "did you mean sfp"),
        ("{macs: half}", "'half' is no amount"),
        ("{macs: 150%}", "'150%' is no amount"),
        ("{macs: 50%, rate: 0.5}", "rate, macs are given; choose one"),
        ("{rate: 0.5, epochs: some}", "Expected `int | null`"),
        ("{rate: 1.5}", "rate is 1.5"),
    ],
)
def test_a_pruning_that_means_nothing_is_refused(tmp_path, prune, message):
    path = written(tmp_path, f"model: resnet20\ndata: digits\nprune: {prune}")
    with pytest.raises(ValueError, match=re.escape(message)):
        read_pruning(load_recipe_file(path).prune, "mine")
    result = CliRunner().invoke(cli, ["train", str(path), "-o", str(tmp_path / "run")])
    assert (result.exit_code, "Traceback" in result.output) == (2, False)
    assert not (tmp_path / "run").exists()


def test_edgekit_train_prunes_as_a_file_says(tmp_path):
    text = "model: resnet20\ndata: digits\nimage-size: 8\nwidth: 0.25\nepochs: 1\nblock: sk\ndevice: cpu\n"
    path = written(tmp_path, text + "prune: {method: one-shot, rate: 0.5, round-to: 2, finetune-epochs: 0}\n")
    result = CliRunner().invoke(
        cli, ["train", str(path), "-o", str(tmp_path / "run")], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    checkpoint = load_checkpoint(tmp_path / "run")
    assert checkpoint.spec.block == "sk"
    unit = checkpoint.build().get_submodule("stages.0.0.conv1")
    assert [branch.conv.out_channels for branch in unit.branches] == [4, 4]

"""Two processes of one training have the same network, hooks and plans, whatever acts on them."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from edgekit.models import ModelSpec
from edgekit.pruning import METHODS
from edgekit.training import fit_spec, load_checkpoint, train
from tests.edgekit.training.two_processes import RECIPE, dataset
from tests.edgekit.user_net import write_user_net
from tests.places import ROOT

TECHNIQUES = {"ema": {"decay": 0.9}, "best": {"share": 0.25}, "grafting": {}, "mixup": {}, "reestimate": {}}
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def cases(teacher):
    learners = {"kd": {"teacher": teacher}, "rco": {"teacher": teacher}}
    used = {name: {"recipe": {"use": {name: given}}} for name, given in (TECHNIQUES | learners).items()}
    pruned = {name: {"method": name} for name in METHODS}
    two_batches = {"method": "increg", "recipe": {"accumulate": 2, "optimizer": "adamw"}}
    return pruned | used | {"two-batches": two_batches, "qat": {"method": "psfp", "recipe": {"qat": True}}}


def train_twice(folder, asked):
    """Train all cases in two processes; return what each of them came to, by case."""
    (folder / "cases.json").write_text(json.dumps(asked))
    program = "tests.edgekit.training.two_processes"
    command = [sys.executable, "-m", program, folder, folder / "cases.json"]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.slow
def test_processes_agree_in_every_bit_after_every_method_and_technique(tmp_path):
    data, alone = dataset(), replace(RECIPE, devices=1, use={"route": {"anchors": 2}})
    spec = fit_spec(ModelSpec("resnet20", width=0.25), data)
    teacher = train(spec, data, alone, tmp_path / "teacher", progress=False)
    asked = cases(str(teacher.path))
    first, second = train_twice(tmp_path, asked)
    assert set(first) == set(asked)
    for name, came_to in first.items():
        assert came_to == second[name], name
    assert first["increg"]["plan"][0] != {}


@pytest.mark.slow
def test_players_and_rounds_are_the_same_in_both_processes_and_both_name_the_loss_that_fails(tmp_path):
    names = ("duel", "rounds", "duel-spoilt", "spoilt")
    first, second = train_twice(tmp_path, {name: {"task": name} for name in names})
    for name in ("duel", "rounds"):
        assert first[name] == second[name], name
    assert first["rounds"]["scores"][1]["round"] == 1
    assert {"train_loss_pleased", "train_loss_real"} <= set(first["duel"]["scores"][1])
    for name, loss, step in (("duel-spoilt", "pleased", 1), ("spoilt", "odd", 0)):
        told = [one[name]["error"] for one in (first, second)]
        assert all(f"the loss {loss!r} is nan in epoch 0, step {step} (" in error for error in told), told
        assert "(in another process)" in told[0]
        assert "(the network's outputs are finite)" in told[1]


@pytest.mark.slow
def test_two_processes_train_prune_and_fine_tune_a_users_network(tmp_path):
    write_user_net(tmp_path)
    command = "train net.py:plain --data digits --image-size 8 --limit 200 --epochs 2 --lr 0.01 --device cpu"
    command += " --devices 2 --prune increg --macs 60% --finetune-epochs 1 -o run"
    done = subprocess.run(
        [sys.executable, "-m", "edgekit", *command.split()],
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    pruned = load_checkpoint(tmp_path / "run")
    assert pruned.pruning["after"]["macs"] <= 0.6 * pruned.pruning["before"]["macs"]
    assert pruned.build()

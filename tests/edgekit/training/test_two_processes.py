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


@pytest.mark.slow
def test_processes_agree_in_every_bit_after_every_method_and_technique(tmp_path):
    data, alone = dataset(), replace(RECIPE, devices=1, use={"route": {"anchors": 2}})
    spec = fit_spec(ModelSpec("resnet20", width=0.25), data)
    teacher = train(spec, data, alone, tmp_path / "teacher", progress=False)
    asked = cases(str(teacher.path))
    (tmp_path / "cases.json").write_text(json.dumps(asked))
    command = [
        sys.executable,
        "-m",
        "tests.edgekit.training.two_processes",
        tmp_path,
        tmp_path / "cases.json",
    ]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert set(first) == set(asked)
    for name, came_to in first.items():
        assert came_to == second[name], name
    assert first["increg"]["plan"][0] != {}


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

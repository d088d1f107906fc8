"""Pruning with a teacher."""

import pytest

from edgekit.models import ModelSpec
from edgekit.pruning import Budget, Pruning, prune, train_and_prune
from edgekit.training import Recipe, fit_spec, train
from runtime.errors import CheckpointError

RECIPE = Recipe(epochs=2, batch_size=16, device="cpu")
SPEC = ModelSpec("resnet20", width=0.25)
HALF = Budget(rate=0.5, round_to=1)


@pytest.fixture(scope="module")
def source(tmp_path_factory, toy_data):
    folder = tmp_path_factory.mktemp("runs") / "source"
    return train(fit_spec(SPEC, toy_data), toy_data, RECIPE, folder, progress=False)


def test_the_compact_network_learns_from_the_dense_one(tmp_path, toy_data, source):
    def tuned(name, **options):
        how = Pruning("one-shot", HALF, finetune_epochs=1, **options)
        return prune(source, toy_data, tmp_path / name, how, progress=False)

    alone, taught = tuned("alone"), tuned("taught", teacher="dense")
    by_path = tuned("path", teacher=str(source.path))
    losses = [(run.path / "finetune" / "metrics.jsonl").read_text() for run in (alone, taught, by_path)]
    assert alone.plan == taught.plan
    assert losses[0] != losses[1]
    assert (
        taught.build()
        .state_dict()["stem.conv.weight"]
        .equal(by_path.build().state_dict()["stem.conv.weight"])
    )


def test_resuming_with_another_teacher_is_refused(tmp_path, toy_data, source):
    how = Pruning("one-shot", HALF, finetune_epochs=1)
    prune(source, toy_data, tmp_path / "run", how, progress=False)
    other = Pruning("one-shot", HALF, finetune_epochs=1, teacher="dense")
    with pytest.raises(CheckpointError, match="holds a run with recipes"):
        prune(source, toy_data, tmp_path / "run", other, resume=True, progress=False)


def test_an_untrained_network_has_no_dense_teacher(tmp_path, toy_data):
    how = Pruning("sfp", HALF, teacher="dense")
    with pytest.raises(ValueError, match="teacher 'dense' is the checkpoint that is pruned"):
        train_and_prune(fit_spec(SPEC, toy_data), toy_data, RECIPE, tmp_path / "run", how, progress=False)
    assert not (tmp_path / "run").exists()

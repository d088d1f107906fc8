import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.models import ModelSpec
from edgekit.pruning import Budget, Pruning, prune, scan
from edgekit.pruning.sensitivity import SCAN_FILE
from edgekit.report import write_scan
from edgekit.training import Recipe, fit_spec, train
from runtime.errors import CheckpointError, DeviceTransientError, PruneError
from runtime.measure.lab.state import only_run


@pytest.fixture(scope="module")
def source(tmp_path_factory, toy_data):
    spec = fit_spec(ModelSpec("resnet20", width=0.5), toy_data)
    recipe = Recipe(epochs=4, batch_size=16, device="cpu", precision="32-true")
    return train(spec, toy_data, recipe, tmp_path_factory.mktemp("runs") / "source", progress=False)


def test_a_cell_is_the_accuracy_that_pruning_this_group_alone_would_leave(tmp_path, toy_data, source):
    found = scan(source, toy_data, tmp_path / "scan", ratios=(0.5, 0.75), round_to=4)
    group = "stages.2.0.conv1.conv"
    cell = found.at(group, 0.75)
    assert cell.removed == 24
    rates = Budget(rates={group: 0.75}, round_to=4)
    how = Pruning("one-shot", rates, epochs=0, finetune_epochs=0)
    pruned = prune(source, toy_data, tmp_path / "pruned", how, progress=False)
    assert cell.score == pruned.pruning["reestimated_top1"]
    assert found.score == source.metrics["test_top1"]
    assert len(found.channels) == 9
    assert {cell.ratio for cell in found.cells} == {0.5, 0.75}


def test_a_scan_that_was_killed_repeats_no_cell(tmp_path, toy_data, source, monkeypatch):
    begun = []

    def count(text):
        begun.append(text)
        if len(begun) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(source, toy_data, tmp_path / "scan", ratios=(0.5,), progress=count)
    assert len(json.loads((tmp_path / "scan" / SCAN_FILE).read_text())["cells"]) == 3
    rest = []
    found = scan(source, toy_data, tmp_path / "scan", ratios=(0.5,), progress=rest.append)
    assert len(rest) == 9 - 3
    assert rest[0] == begun[-1]
    more = []
    assert (
        len(scan(source, toy_data, tmp_path / "scan", ratios=(0.25, 0.5), progress=more.append).cells) == 18
    )
    assert len(more) == 9
    assert len(found.cells) == 9


def test_another_scan_in_the_folder_is_refused(tmp_path, toy_data, source):
    scan(source, toy_data, tmp_path / "scan", ratios=(0.5,), round_to=8)
    with pytest.raises(
        CheckpointError, match=r"holds a run with round_to 8, asked is 4; .* choose another --out"
    ):
        scan(source, toy_data, tmp_path / "scan", ratios=(0.5,), round_to=4)
    (tmp_path / "scan" / SCAN_FILE).write_text("{")
    with pytest.raises(CheckpointError, match="is no scan"):
        scan(source, toy_data, tmp_path / "scan", ratios=(0.5,), round_to=8)
    with (
        only_run(tmp_path / "scan"),
        pytest.raises(DeviceTransientError, match="edgekit prune --scan is writing"),
    ):
        scan(source, toy_data, tmp_path / "scan")


def test_what_removes_nothing_is_refused(tmp_path, toy_data, source):
    with pytest.raises(PruneError, match=r"no ratio of \[0\.1\] removes a channel with multiples of 8"):
        scan(source, toy_data, tmp_path / "scan", ratios=(0.1,), round_to=8)
    for wrong in ((0.5, 1.0), (), (float("nan"),)):
        with pytest.raises(ValueError, match="each above 0 and below 1"):
            scan(source, toy_data, tmp_path / "scan", ratios=wrong)
    assert not (tmp_path / "scan").exists()


def test_the_picture_names_every_group_and_its_accuracies(tmp_path, toy_data, source):
    found = scan(source, toy_data, tmp_path / "scan", ratios=(0.5,), round_to=16)
    text = write_scan(found, tmp_path / "scan.svg").read_text()
    assert all(f"{group} ({channels})" in text for group, channels in found.channels.items())
    assert f"{found.cells[0].score:.1%}" in text
    assert text.count('fill-opacity="') == len(found.cells) == 3
    assert ">-</text>" in text  # 16 channels keep 16


def test_the_command_prints_a_table_and_draws(tmp_path, toy_data, source, monkeypatch):
    monkeypatch.setattr("edgekit.data.load_dataset", lambda *_, **__: toy_data)
    place = tmp_path / "scan"
    shown = CliRunner().invoke(
        cli, ["prune", str(source.path), "--scan", "--ratios", "50%", "-o", str(place)]
    )
    assert shown.exit_code == 0, shown.output
    assert "50% removed" in shown.stdout
    assert "most sensitive: " in shown.stdout
    assert (place / "scan.png").read_bytes().startswith(b"\x89PNG")
    again = CliRunner().invoke(
        cli, ["prune", str(source.path), "--scan", "--ratios", "0.5", "--json", "-o", str(place)]
    )
    assert len(json.loads(again.stdout)["cells"]) == 9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scan", "--macs", "50%"], "--macs is for pruning, and a scan changes nothing; leave it out"),
        (["--scan", "--method", "sfp"], "--method is for pruning"),
        (["--ratios", "0.5"], "--ratios is for a scan; add --scan"),
        (["--scan", "--ratios", "half"], "are no shares; join them by commas"),
    ],
)
def test_options_of_the_other_kind_are_refused(options, message):
    shown = CliRunner().invoke(cli, ["prune", "runs/none", *options])
    assert shown.exit_code == 2
    assert message in " ".join(shown.stderr.split())

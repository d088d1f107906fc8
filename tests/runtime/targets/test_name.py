import pytest

from runtime.targets import TargetName, list_targets, open_target


@pytest.mark.parametrize(
    "text",
    [*list_targets(), "virtual:my/board.yaml", "emulated:../phone.toml", "ssh:me@board:22", "adb:1.2.3.4:5"],
)
def test_a_name_is_read_and_said_again(text):
    name = TargetName.parse(text)
    assert (name.kind, str(name)) == (text.partition(":")[0], text)
    assert name.is_modelled == text.startswith("virtual:")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("virtual:sdm854", "did you mean virtual:sdm845"),
        ("virtual:mine.json", r"FILE ending in .toml or .yaml or .yml"),
        ("adb:", "unknown target 'adb:'"),
        ("local:", "unknown target 'local:'"),
        ("ssh:", "'' is not an address; give ssh:user@host"),
        ("ssh:me@", "'me@' is not an address"),
    ],
)
def test_what_is_not_a_name_is_refused_as_when_it_is_opened(text, message):
    with pytest.raises(ValueError, match=message):
        TargetName.parse(text)
    with pytest.raises(ValueError, match=message):
        open_target(text)


@pytest.mark.parametrize(
    ("target", "machine"),
    [
        ("local", "this machine"),
        ("virtual:gs101", "this machine"),
        ("emulated:gs101", "this machine"),
        ("adb:192.168.1.5:5555", "adb:192.168.1.5:5555"),
        ("ssh:root@board", "ssh:board"),
        ("ssh:me@board:2222", "ssh:board"),
        ("ssh:127.0.0.1", "this machine"),
        ("ssh:me@[::1]:22", "this machine"),
        ("ssh:me@[fe80::1]", "ssh:fe80::1"),
    ],
)
def test_which_machine_a_target_keeps_busy(target, machine):
    assert TargetName.parse(target).machine == machine

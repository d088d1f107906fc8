"""What a chip counts twice, as parts and as their sum, is counted once."""

import pytest

from runtime.device.meters.rails import add_up


@pytest.mark.parametrize(
    ("labels", "taken"),
    [
        (["Ecore000", "Ecore001", "Esocket0", "Esocket1"], ["Esocket0", "Esocket1"]),  # amd_energy
        (["card", "pkg"], ["card"]),  # xe
        (["proc", "vdd", "vdn"], ["proc"]),  # occ
        (["system", "proc", "vdd", "vdn"], ["system"]),
        (["pin", "pout1", "pout2"], ["pin"]),  # a PMBus
        (["pkg"], ["pkg"]),
        (["BIG", "LITTLE"], ["BIG", "LITTLE"]),
    ],
)
def test_parts_are_not_added_to_their_sum(labels, taken):
    total = add_up({label: label for label in labels})
    assert total.taken == taken
    left_out = {label for label in labels if label not in taken}
    assert all(any(label in note for note in total.notes) for label in left_out)

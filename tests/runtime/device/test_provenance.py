"""What a figure may be called: never more certain than what it was made from."""

import msgspec
import pytest

from runtime.device.provenance import Provenance, least_certain, provenance_of


@pytest.mark.parametrize(
    ("kinds", "called"),
    [
        (["measured", "measured"], "measured"),
        (["emulated", "measured"], "emulated"),
        (["measured", "modelled", "emulated"], "modelled"),
    ],
)
def test_a_figure_is_no_more_certain_than_its_parts(kinds, called):
    assert least_certain(kinds) == called
    assert Provenance("+".join(kinds)) == called  # as 0.1.0 stored it
    assert msgspec.json.decode(f'"{"+".join(kinds)}"', type=Provenance) == called


def test_what_is_no_provenance_is_refused():
    for kinds in ([], ["guessed"], ["measured", "guessed"]):
        with pytest.raises(ValueError, match=r"no provenance|not a valid Provenance"):
            least_certain(kinds)
    with pytest.raises(ValueError, match=r"'measured.guessed' is not a valid Provenance"):
        Provenance("measured+guessed")


def test_it_is_stored_as_its_word():
    assert msgspec.json.encode(Provenance.MODELLED) == b'"modelled"'
    assert f"{Provenance.MODELLED}" == "modelled"


def test_power_says_itself_whether_it_is_modelled():
    assert provenance_of("modelled: P = b + C f V^2") is Provenance.MODELLED
    assert provenance_of("measured: freqbench (MIT)") is Provenance.MEASURED
    assert provenance_of("sched-energy table (bogo-mW)") is Provenance.MEASURED

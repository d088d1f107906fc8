"""A missing optional package is one line with the command that installs it."""

import pytest

from runtime import extras
from runtime.errors import MissingExtra
from runtime.extras import install_line, require
from tests.places import ROOT


def test_require_returns_the_module():
    assert require("json.decoder", extra="train").JSONDecoder is not None


def test_missing_package_names_the_pip_line():
    with pytest.raises(MissingExtra) as caught:
        require("no_such_package.sub", extra="litert")
    assert str(caught.value) == f"no_such_package is not installed; run: pip install -e '{ROOT}[litert]'"


def test_package_too_old_to_have_the_module_is_not_called_missing():
    with pytest.raises(MissingExtra, match=r"the installed json has no json\.nothing; run: pip install"):
        require("json.nothing", extra="litert")


def test_package_whose_own_needs_are_broken_shows_that(tmp_path, monkeypatch):
    (tmp_path / "half_there.py").write_text("import something_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_it_needs"):
        require("half_there", extra="litert")


def test_package_that_this_python_cannot_have_says_so(monkeypatch):
    monkeypatch.setattr("runtime.extras._BELOW", {"no_such_package": (3, 5)})
    with pytest.raises(
        MissingExtra, match=r"cannot be on Python 3\.\d+\.\d+: it needs one below 3\.5; make an"
    ):
        require("no_such_package", extra="lab")


METADATA = [
    "click>=8.1",
    "numpy>=1.26; extra == 'images'",
    'ai-edge-litert==2.3.0; extra == "litert"',
    'numpy>=1.26; extra == "litert"',
    'devlib>=1.3.4; python_version < "3.12" and extra == "lab"',
    'ray>=2.60; extra == "lab"',
]


@pytest.mark.parametrize(
    ("chosen", "line"),
    [
        ((), "pip install 'click>=8.1'"),
        (("litert",), "pip install ai-edge-litert==2.3.0 'numpy>=1.26'"),
        (("images", "litert"), "pip install 'numpy>=1.26' ai-edge-litert==2.3.0"),
        (("lab",), """pip install 'devlib>=1.3.4; python_version < "3.12"' 'ray>=2.60'"""),
    ],
)
def test_a_wheel_names_the_packages_and_never_itself(tmp_path, monkeypatch, chosen, line):
    monkeypatch.setattr(extras, "HOME", tmp_path)
    monkeypatch.setattr("importlib.metadata.requires", lambda name: METADATA)
    assert install_line(*chosen) == line


def test_a_checkout_installs_itself():
    assert install_line() == f"pip install -e {ROOT}"
    assert install_line("train", "litert") == f"pip install -e '{ROOT}[train,litert]'"

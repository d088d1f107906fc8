"""A missing optional package is one line with the command that installs it."""

import pytest

from runtime.errors import MissingExtra
from runtime.extras import require


def test_require_returns_the_module():
    assert require("json.decoder", extra="train").JSONDecoder is not None


def test_missing_package_names_the_pip_line():
    with pytest.raises(MissingExtra) as caught:
        require("no_such_package.sub", extra="litert")
    assert str(caught.value) == "no_such_package is not installed; run: pip install 'edgekit[litert]'"


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

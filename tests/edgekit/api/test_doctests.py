"""The examples in the docstrings of the Python API run, and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import edgekit.api

MODULES = [f"edgekit.api.{module.name}" for module in pkgutil.iter_modules(edgekit.api.__path__)]


@pytest.mark.parametrize("name", [*MODULES, "edgekit.export.preprocess", "runtime.processing.given"])
def test_examples_run(name, bundle):
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0


@pytest.mark.parametrize("name", [name for name in edgekit.__all__ if name.islower() and name[0] != "_"])
def test_every_public_function_has_an_example(name):
    function = edgekit.api.export.export if name == "export" else getattr(edgekit, name)
    assert ">>>" in function.__doc__

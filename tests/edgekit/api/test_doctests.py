"""The examples in the docstrings of the Python API run, and give what they say."""

import doctest
import importlib
import pkgutil

import pytest
import torch

import edgekit.api
from tests.places import ROOT

MODULES = [f"edgekit.api.{module.name}" for module in pkgutil.iter_modules(edgekit.api.__path__)]


@pytest.mark.parametrize("name", [*MODULES, "edgekit.export.preprocess", "runtime.processing.given"])
def test_examples_run(name, bundle, request, monkeypatch):
    if name == "edgekit.api.govern":
        monkeypatch.setenv("EDGEKIT_ROOT", str(request.getfixturevalue("machine").root))
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0


@pytest.mark.parametrize("name", [name for name in edgekit.__all__ if name.islower() and name[0] != "_"])
def test_every_public_function_has_an_example(name):
    function = edgekit.api.export.export if name == "export" else getattr(edgekit, name)
    assert ">>>" in function.__doc__


@pytest.mark.slow
def test_every_line_of_the_page_runs(cats, bundle):
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    preprocess = edgekit.Preprocess((0.5,) * 3, (0.5,) * 3, 224, "nhwc", labels=["cat", "dog", "cow"])
    names = {"edgekit": edgekit, "torch": torch, "model": cats, "preprocess": preprocess}
    for example in doctest.DocTestParser().get_examples(text.replace("```", "\n")):
        exec(compile(example.source, "docs/python.md", "single"), names)
    assert names["policy"].meets_target

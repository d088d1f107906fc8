"""The registry: names to things, with helpful refusals and plug-ins."""

from importlib.metadata import EntryPoint

import pytest

import runtime.registry
from runtime.registry import Registry


@pytest.fixture
def models():
    registry = Registry("model")
    for name in ("mobilenet_v2", "mobilenet_v3_small", "resnet18"):
        registry.register(name)(name.upper())
    return registry


def test_get_returns_what_was_registered(models):
    assert models.get("resnet18") == "RESNET18"
    assert "resnet18" in models
    assert "vgg" not in models


def test_register_is_a_decorator_that_returns_its_argument():
    registry = Registry("model")

    @registry.register("tiny")
    def tiny():
        return "a net"

    assert tiny() == registry.get("tiny")() == "a net"


def test_names_are_sorted_and_match_a_pattern(models):
    assert list(models) == ["mobilenet_v2", "mobilenet_v3_small", "resnet18"]
    assert models.names("mobilenet*") == ["mobilenet_v2", "mobilenet_v3_small"]


def test_duplicate_name_is_refused(models):
    with pytest.raises(ValueError, match="model 'resnet18' is registered twice"):
        models.register("resnet18")("another")


def test_unknown_name_lists_near_matches(models):
    with pytest.raises(ValueError, match=r"unknown model 'mobilnet2'; did you mean mobilenet_v2"):
        models.get("mobilnet2")


def test_unknown_name_without_near_match_lists_all(models):
    with pytest.raises(ValueError, match=r"unknown model 'xyz'; known: mobilenet_v2, mobile.*, resnet18"):
        models.get("xyz")


def plug_in(monkeypatch, *points):
    monkeypatch.setattr(
        runtime.registry, "entry_points", lambda group: points if group == "edgekit.model" else ()
    )


def test_plug_ins_are_found_under_their_entry_point(models, monkeypatch):
    plug_in(monkeypatch, EntryPoint("theirs", "collections:OrderedDict", "edgekit.model"))
    assert models.get("theirs").__name__ == "OrderedDict"
    assert Registry("dataset").names() == []


def test_plug_in_that_takes_a_taken_name_is_refused(models, monkeypatch):
    plug_in(monkeypatch, EntryPoint("resnet18", "collections:OrderedDict", "edgekit.model"))
    with pytest.raises(ValueError, match="registered twice"):
        models.names()

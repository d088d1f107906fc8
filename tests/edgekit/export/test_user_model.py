"""Models from a Python file of the user: every form its function may return, and every way it may fail."""

import numpy as np
import pytest
import torch

from edgekit.export import find_origin, live_model
from runtime.errors import ExportError

FILE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(4, 3), nn.Embedding(10, 3)

    def forward(self, image, ids):
        return self.left(image), self.right(ids)

class WithInputs(nn.Linear):
    def example_inputs(self):
        return torch.linspace(0, 1, 4).reshape(1, 4)

INPUTS = torch.ones(1, 4), torch.tensor([3, 5])

def pair():
    return Net(), INPUTS

def method():
    return WithInputs(4, 2)

def graphs():
    return {"encode": method(), "decode": (nn.Linear(2, 4), torch.zeros(1, 2))}

def bare():
    return nn.Conv2d(3, 4, 1)

def number():
    return 3

def doubles():
    return nn.Linear(4, 2).double(), torch.zeros(1, 4).double()

def fails():
    return int("seven")

def quits():
    raise SystemExit(5)

def wants(argument):
    return argument
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    return tmp_path / "mine.py"


def test_module_and_inputs(file):
    origin = find_origin(f"{file}:pair")
    (graph,) = origin.graphs.values()
    assert (origin.name, origin.facts["user_model"]["function"]) == ("mine", "pair")
    assert [(spec.name, spec.dtype, spec.shape) for spec in graph.inputs] == [
        ("image", "float32", (1, 4)),
        ("ids", "int64", (2,)),
    ]
    np.testing.assert_array_equal(graph.frames[0][1], [3, 5])
    assert len(graph.frames) == 4
    assert graph.described == "the example input and 3 random ones"


def test_random_frames_stay_in_the_range_of_the_example_and_repeat(file):
    first, second = (find_origin(f"{file}:method").graphs["forward"].frames for _ in range(2))
    for frame, again in zip(first, second, strict=True):
        np.testing.assert_array_equal(frame[0], again[0])
    assert all(frame[0].min() >= 0 and frame[0].max() <= 1 for frame in first)
    assert all(set(frame[1]) <= {3, 5} for frame in find_origin(f"{file}:pair").graphs["forward"].frames)


def test_weights_drawn_in_the_function_are_the_same_each_time(file):
    first, second = (find_origin(f"{file}:method").graphs["forward"].model for _ in range(2))
    assert first.weight.equal(second.weight)


def test_several_graphs(file):
    assert list(find_origin(f"{file}:graphs").graphs) == ["encode", "decode"]


def test_module_alone_takes_its_shapes_from_the_caller(file):
    (graph,) = find_origin(f"{file}:bare", input_shapes=[(1, 3, 8, 8)]).graphs.values()
    assert [frame[0].shape for frame in graph.frames] == [(1, 3, 8, 8)] * 4


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (":bare", "gives no inputs for graph 'forward'.*--input-shape"),
        (":number", "returns int for graph 'forward'.*module with example_inputs"),
        (":doubles", "input 0 is float64; allowed: float32"),
        (":pairs", "no function 'pairs'; there is: pair"),
        ("", "names no function; give path/to/file.py:function"),
    ],
)
def test_wrong_use_is_told(file, function, message):
    with pytest.raises(ValueError, match=message):
        find_origin(f"{file}{function}")


def test_missing_file_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"no file at .*nothing\.py"):
        find_origin(f"{tmp_path}/nothing.py:make")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("fails", r"mine\.py:38: fails\(\) failed: ValueError: invalid literal"),
        ("quits", r"mine\.py:41: quits\(\) failed: SystemExit: 5"),
        ("wants", r"mine\.py: wants\(\) failed: TypeError: .*missing 1 required"),
    ],
)
def test_error_of_the_function_names_its_line(file, function, message):
    with pytest.raises(ExportError, match=message):
        find_origin(f"{file}:{function}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import torch\ndef make(:\n", r"broken\.py:2: cannot be imported: SyntaxError"),
        ("x = 1\nimport no_such_package\n", r"broken\.py:2: .*ModuleNotFoundError.*no_such_package"),
    ],
)
def test_file_that_cannot_be_imported_names_its_line(tmp_path, text, message):
    (tmp_path / "broken.py").write_text(text)
    with pytest.raises(ExportError, match=message):
        find_origin(f"{tmp_path}/broken.py:make")


def test_settings_of_other_models_do_not_go_with_it(file, tmp_path):
    with pytest.raises(ValueError, match="--weights does not go with"):
        find_origin(f"{file}:pair", weights="none")
    with pytest.raises(ValueError, match="leave out --input-shape"):
        find_origin(f"{file}:pair", input_shapes=[(1, 4)])
    with pytest.raises(ValueError, match="--input-shape goes with"):
        find_origin("resnet20", input_shapes=[(1, 4)])


class Takes(torch.nn.Module):
    """Arguments in a dict, one left out, and one by name only."""

    def forward(self, parts, mask=None, *, shift=None):
        found = parts["b"] - 2 * parts["a"]
        return (found if mask is None else found * mask) + shift


def test_nested_named_and_missing_inputs_are_taken_flat():
    given = {
        "parts": {"b": torch.ones(1, 3), "a": torch.zeros(1, 3)},
        "mask": None,
        "shift": torch.ones(1, 3),
    }
    (graph,) = live_model(Takes(), given, "net").graphs.values()
    assert [spec.name for spec in graph.inputs] == ["b", "a", "shift"]
    assert graph.model(*graph.example()).tolist() == [[2.0, 2.0, 2.0]]


def test_what_only_runs_a_model_is_taken_off():
    inner = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.DataParallel(torch.nn.ReLU()))
    (graph,) = live_model(torch.compile(inner), torch.ones(1, 2), "net").graphs.values()
    assert [type(part).__name__ for part in graph.model.modules()] == ["Sequential", "Linear", "ReLU"]

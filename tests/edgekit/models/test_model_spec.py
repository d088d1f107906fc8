import msgspec
import pytest

from edgekit.models import ModelSpec, build_model, list_models

SPEC = ModelSpec(
    "mobilenet_v2",
    num_classes=10,
    width=0.35,
    image_size=32,
    in_channels=1,
    act="dyrelu-b",
    dynamic_conv="pointwise",
)


def test_it_survives_json():
    assert msgspec.json.decode(msgspec.json.encode(SPEC), type=ModelSpec) == SPEC


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_classes", 0),
        ("width", 0.0),
        ("width", 100.0),
        ("image_size", 4),
        ("in_channels", 0),
        ("act", "gelu"),
        ("dynamic_conv", "all"),
        ("block", "se"),
        ("kernels", 0),
        ("dropout", 1.0),
        ("dropout", -0.1),
    ],
)
def test_a_bad_choice_is_refused_with_what_is_allowed(field, value):
    with pytest.raises(ValueError, match=rf"{field}={value!r}; choose"):
        ModelSpec("mobilenet_v2", **{field: value})


def test_an_unknown_model_names_near_matches():
    with pytest.raises(ValueError, match=r"unknown model 'mobilnet_v2'; did you mean mobilenet_v2"):
        ModelSpec("mobilnet_v2")


@pytest.mark.parametrize(
    "text", [b'{"name": "mobilenet_v2", "width": -1}', b'{"name": "nope"}', b'{"width": 1}']
)
def test_bad_json_is_refused(text):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=ModelSpec)


def test_build_model_is_the_specs_build():
    assert type(build_model(SPEC)) is type(build_model(SPEC))


def test_listing_takes_a_pattern():
    assert list_models("mobilenet_v3*") == ["mobilenet_v3_large", "mobilenet_v3_small"]
    assert list_models("nothing*") == []

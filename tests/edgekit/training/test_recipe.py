import pytest

from edgekit.training import RECIPES, Recipe, learning_rate, load_recipe


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "adam"}, "optimizer is 'adam'; allowed: sgd, adamw"),
        ({"precision": "fp16"}, "precision is 'fp16'"),
        ({"device": "tpu"}, "device is 'tpu'"),
        ({"epochs": 0}, "epochs is 0; it must be at least 1"),
        ({"seed": -1}, "seed is -1"),
        ({"lr": 0.0}, "lr is 0.0"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0"),
    ],
)
def test_bad_values_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**change)


def test_override_takes_what_is_given_and_leaves_the_rest():
    named = load_recipe("default").override(
        recipe={"epochs": 3, "lr": None}, model={"width": 0.5, "act": None}
    )
    assert named.recipe == Recipe(epochs=3)
    assert named.model == {"width": 0.5}


def test_unknown_recipe_names_the_near_one():
    with pytest.raises(ValueError, match="did you mean default"):
        load_recipe("defaults")


def test_every_named_recipe_is_valid():
    assert all(load_recipe(name).recipe.epochs >= 1 for name in RECIPES)


def test_learning_rate_warms_up_and_falls_as_half_a_cosine():
    rates = [learning_rate(step, steps=10, warmup_steps=2, peak=0.4) for step in range(10)]
    assert rates[:3] == [0.2, 0.4, 0.4]
    assert rates[6] == pytest.approx(0.2)  # half-way down
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert 0 < rates[9] < 0.02


def test_learning_rate_without_warm_up_starts_at_its_peak():
    assert learning_rate(0, steps=5, warmup_steps=0, peak=0.1) == 0.1

import msgspec
import pytest

from runtime.errors import WebError
from runtime.targets.failed import as_error
from runtime.web.gestures.gesture import Gesture
from runtime.web.interaction.job import Message, WebJob, known_runs
from tests.runtime.web.interaction.records import figures, record

SCROLL = (Gesture("scroll", 1800.0),)


def test_runs_are_enough_when_their_rate_is_known_to_five_percent():
    job = WebJob((), SCROLL, least_runs=3, most_runs=6)
    assert not job.is_enough([50, 50])
    assert job.is_enough([50, 50.5, 49.5])
    assert not job.is_enough([50, 30, 45])
    assert job.is_enough([50, 30, 45, 20, 60, 10])
    assert job.is_enough([0, 0, 0])


@pytest.mark.parametrize("given", [{"least_runs": 0}, {"least_runs": 5, "most_runs": 4}, {"duration_s": 0.1}])
def test_a_job_that_cannot_be_is_refused(given):
    with pytest.raises(ValueError, match=r"runs;|gesture of"):
        WebJob((), SCROLL, **given)


def test_disturbed_runs_of_a_real_machine_are_measured_again_those_of_an_emulated_one_count():
    disturbed = {"verdict": "unstable", "reasons": ("other work",)}
    kept = known_runs(
        [
            record("a", **disturbed),
            record("b", provenance="measured", **disturbed),
            record("c", provenance="measured"),
            record("d", gesture=None),
            record("e", gesture=figures(main_fps=3.0)),
        ]
    )
    assert [run.page for run in kept] == ["a", "c", "e"]
    assert [run.is_detailed for run in kept] == [False, False, True]


def test_jobs_and_messages_survive_their_wire():
    job = WebJob((), SCROLL, known=known_runs([record()]))
    assert msgspec.json.decode(msgspec.json.encode(job), type=WebJob) == job
    assert msgspec.json.decode(b'{"type":"Step","text":"x"}', type=Message).text == "x"
    failed = b'{"type":"Failed","kind":"WebError","message":"y"}'
    assert type(as_error(msgspec.json.decode(failed, type=Message))) is WebError

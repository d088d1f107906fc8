import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engines.programs import RUNNERS, ExecutorRunner, ProgramRequest
from runtime.errors import DeviceStableError

LOG = """\
I 00:00:00.000406 executorch:executor_runner.cpp:340] Resetting threadpool with num threads = 2
I 00:00:00.010406 executorch:executor_runner.cpp:433] Model file model.pte is loaded.
I 00:00:00.010414 executorch:executor_runner.cpp:443] Using method forward
I 00:00:00.010424 executorch:executor_runner.cpp:494] Setting up CPU planned buffer 0, size 64.
I 00:00:00.020424 executorch:executor_runner.cpp:560] Model loaded in 9.750000 ms.
I 00:00:00.030424 executorch:executor_runner.cpp:733] Iteration 1 of 4: 19.481000 ms
I 00:00:00.040424 executorch:executor_runner.cpp:733] Iteration 2 of 4: 3.500000 ms
I 00:00:00.050424 executorch:executor_runner.cpp:733] Iteration 3 of 4: 3.250000 ms
I 00:00:00.060424 executorch:executor_runner.cpp:733] Iteration 4 of 4: 3.125000 ms
I 00:00:00.060430 executorch:executor_runner.cpp:743] Model executed successfully 4 time(s) in 29.356000 ms.
I 00:00:00.060431 executorch:executor_runner.cpp:752] 1 outputs:
"""
HELP = """\
executor_runner: Warning: SetUsageMessage() never called

  Flags from executor_runner.cpp:
    -cpu_threads (Number of CPU threads for inference. Defaults to -1) type: int32 default: -1
    -model_path (Model serialized in flatbuffer format.) type: string
      default: "model.pte"
    -num_executions (Number of times to run the model.) type: uint32 default: 1
"""


def test_the_first_frame_and_the_warm_up_stand_apart():
    timings = ExecutorRunner().parse(LOG, ProgramRequest("m", warmup=1, runs=2))
    assert (timings.first_ms, timings.samples_ms, timings.threads) == (19.481, (3.25, 3.125), 2)
    assert timings.note is None


def test_where_only_the_sum_is_logged_the_sample_is_called_a_mean():
    log = "Model executed successfully 4 time(s) in 29.356000 ms."
    timings = ExecutorRunner().parse(log, ProgramRequest("m", warmup=1, runs=2))
    assert timings.samples_ms == (7.339,)
    assert timings.note.startswith("the sample is a mean of 4 frames, the cold one among them")


OUTPUTS = (
    "OutputX 0: tensor(sizes=[1, 1000], [\n  -0.509859, 0.300644, 0.0953884])\n"  # pytorch/executorch#15547
)


@pytest.mark.parametrize("printed", ["", OUTPUTS])
def test_a_release_build_without_a_log_is_known(printed):
    with pytest.raises(DeviceStableError, match=r"built without logging, .*-DEXECUTORCH_ENABLE_LOGGING=ON"):
        RUNNERS.get("executorch").parse(printed, ProgramRequest("m.pte", runs=3))


@pytest.mark.parametrize(
    "log",
    [
        "Model executed successfully.",  # the oldest runners: no time at all
        LOG.replace("Iteration 3", "Iteration 9"),
        LOG.partition("Iteration 4")[0],  # died on the way
        "Model executed successfully 0 time(s) in 0.000000 ms.",
        "F 00:00:00.1 executorch:executor_runner.cpp:90] Loading of method forward failed with status 0x20",
    ],
)
def test_a_log_without_the_frames_is_refused(log):
    with pytest.raises(DeviceStableError, match="logged no latencies that can be read; expected 4 lines"):
        ExecutorRunner().parse(log, ProgramRequest("m", warmup=1, runs=2))


def test_flags_are_those_the_build_has():
    runner = ExecutorRunner()
    request = ProgramRequest("/m.pte", 2)
    flags = ["--model_path=/m.pte", "--num_executions=36", "--cpu_threads=2"]
    assert runner.arguments(request, HELP) == flags
    newer = HELP + '    -print_output (Output printing mode) type: string default: "summary"\n'
    assert runner.arguments(request, newer) == [*flags, "--print_output=none"]
    older = HELP.replace("-cpu_threads", "-threads")
    with pytest.raises(DeviceStableError, match="has no --cpu_threads"):
        runner.arguments(request, older)


def test_frames_cannot_be_paced():
    with pytest.raises(DeviceStableError, match="runs frames back to back only, 30 fps were asked"):
        ExecutorRunner().arguments(ProgramRequest("/m.pte", fps=30), HELP)


@given(st.text(alphabet="Iteraton of12345:. ms\n", max_size=200) | st.text(max_size=100))
def test_no_log_crashes_the_parser(log):
    try:
        timings = ExecutorRunner().parse(log, ProgramRequest("m", warmup=0, runs=1))
    except DeviceStableError:
        return
    assert all(sample > 0 for sample in timings.samples_ms)

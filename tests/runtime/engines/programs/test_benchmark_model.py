import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engines.programs import BenchmarkModel, ProgramRequest, parse_stats
from runtime.errors import DeviceStableError

# As printed by android_aarch64_benchmark_model, twice: flags of two starts for two frames each.
TWO_STARTS = """\
INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Num threads: [2]
INFO: Graph: [/data/local/tmp/edgekit/model.tflite]
INFO: #threads used for CPU inference: [2]
INFO: Loaded model /data/local/tmp/edgekit/model.tflite
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
INFO: The input model file size (MB): 8.45746
INFO: Initialized session in 143.669ms.
INFO: Running benchmark for at least 6 iterations and at least 0 seconds
INFO: count=6 first=72635 curr=42240 min=42134 max=72635 avg=43536.2 std=4813 p5=42168 median=42430 p95=49447

INFO: Running benchmark for at least 2 iterations and at least 0 seconds
INFO: count=2 first=42142 curr=42232 min=42142 max=42232 avg=42187 std=45 p5=42142 median=42187 p95=42232

INFO: Inference timings in us: Init: 143669, First inference: 72635, Warmup (avg): 9, Inference (avg): 42187
INFO: Memory footprint delta from the start of the tool (MB): init=23.5625 overall=27.5859
INFO: STARTING!
INFO: count=6 first=61001 curr=42241 min=42134 max=61001 avg=45278.7 std=7000

INFO: count=2 curr=42500(all same)

INFO: Inference timings in us: Init: 9, First inference: 61001, Warmup (avg): 9, Inference (avg): 42500
"""


def test_samples_are_frames_that_were_printed():
    timings = BenchmarkModel().parse(TWO_STARTS, ProgramRequest("m", warmup=5, runs=4))
    assert timings.samples_ms == (42.142, 42.232, 42.5, 42.5)
    assert (timings.first_ms, timings.threads, timings.note) == (72.635, 2, None)
    assert timings.load_ms == 143.669
    assert timings.model_bytes == round(27.5859 * 1024**2)  # the tool says MB and means MiB


def test_no_more_samples_than_were_asked():
    assert BenchmarkModel().parse(TWO_STARTS, ProgramRequest("m", warmup=5, runs=3)).samples_ms == (
        42.142,
        42.232,
        42.5,
    )
    assert [BenchmarkModel().invocations(ProgramRequest("m", runs=runs)) for runs in (1, 2, 3, 30)] == [
        1,
        1,
        2,
        15,
    ]


def test_a_build_that_runs_longer_than_asked_gives_its_first_and_last_frame_not_its_mean():
    text = "count=1 curr=900\n\ncount=24 first=42142 curr=42232 min=42142 max=42763 avg=42435.4 std=147\n"
    assert BenchmarkModel().parse(text, ProgramRequest("m", warmup=0, runs=10)).samples_ms == (42.142, 42.232)


def test_where_only_a_mean_is_printed_the_timings_say_so():
    text = "Inference timings in us: Init: 6418, First inference: 9, Warmup (avg): 9, Inference (avg): 971535"
    timings = BenchmarkModel().parse(text, ProgramRequest("m", warmup=5, runs=30))
    assert timings.samples_ms == (971.535,)
    assert timings.note == "samples are means of 2 frames: benchmark_model printed no single ones"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ERROR: Failed to load model",
        "count=1 curr=5",  # died before the timed frames
        "count=1 curr=5\ncount=2 first=nan curr=nan min=nan max=nan avg=nan std=nan",
        "count=0\ncount=0",
        "count=1 curr=5\ncount=2 first=0 curr=0 min=0 max=0 avg=0 std=0",
        "Inference timings in us: Init: 1, First inference: 0, Warmup (avg): nan, Inference (avg): nan",
    ],
)
def test_output_without_latencies_is_refused_and_quoted(text):
    with pytest.raises(DeviceStableError, match=r"printed no latencies that can be read.*got: "):
        BenchmarkModel().parse(text, ProgramRequest("m", warmup=1, runs=2))


def test_flags_ask_for_single_frames():
    flags = BenchmarkModel().arguments(ProgramRequest("/m.tflite", 3), "")
    assert flags == [
        "--graph=/m.tflite",
        "--num_threads=3",
        "--num_runs=2",
        "--min_secs=0",
        "--warmup_runs=6",
        "--warmup_min_secs=0",
    ]
    assert BenchmarkModel().arguments(ProgramRequest("/m.tflite", fps=60), "")[-1] == "--run_frequency=60"


@given(st.text(alphabet="count=firsavgmxp 0123456789.e+-()\n", max_size=200) | st.text(max_size=100))
def test_no_text_crashes_the_parser(text):
    for line in parse_stats(text):
        assert len(line.frames_us) in (0, 2, line.count)
    try:
        timings = BenchmarkModel().parse(text, ProgramRequest("m", warmup=0, runs=2))
    except DeviceStableError:
        return
    assert all(sample > 0 for sample in timings.samples_ms)


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_two_frames_come_back_as_they_were(first, last):
    mean = f"{(first + last) / 2:g}"
    ends = f"first={first} curr={last} min={min(first, last)} max={max(first, last)} avg={mean} std=0"
    line = f"count=2 curr={last}(all same)" if first == last else f"count=2 {ends}"
    timings = BenchmarkModel().parse(f"count=1 curr=7\n\n{line}\n", ProgramRequest("m", warmup=0, runs=2))
    assert timings.samples_ms == (first / 1000, last / 1000)

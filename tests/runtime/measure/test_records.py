"""Records: their figures, and a log that survives a crash."""

import math
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.device.conditions import Conditions
from runtime.device.meters.memory import MemoryUse
from runtime.device.provenance import Provenance
from runtime.device.setting import Setting
from runtime.errors import DataError, VersionConflict
from runtime.measure.records import VERDICTS, Record, RecordLog
from tests.runtime.measure.toy_records import RECORD


@pytest.fixture
def log(tmp_path):
    return RecordLog(tmp_path / "records" / "local.jsonl")


def test_figures_are_quantiles_of_the_samples():
    assert RECORD.latency_ms == 3.0
    assert RECORD.iqr_ms == 2.0  # of 1, 2, 3, 4, 10
    assert RECORD.p90_ms == pytest.approx(7.6)  # 0.6 of the way from 4 to 10
    assert RECORD.fps == pytest.approx(1000 / 3)


def test_to_dict_holds_fields_and_figures():
    plain = RECORD.to_dict()
    assert plain["setting"] == {"cluster": "big", "freq_khz": 2_000_000, "threads": 1}
    assert plain["latency_ms"] == 3.0
    assert plain["power_mw"] is None


def test_log_returns_what_was_appended_in_order(log):
    assert list(log) == []
    log.append(RECORD)
    log.append(replace(RECORD, block=1))
    assert list(log) == [RECORD, replace(RECORD, block=1)]


@pytest.mark.parametrize("kept", [1, 50, -2])
def test_line_cut_off_by_a_crash_is_ignored_and_the_log_goes_on(log, kept):
    log.append(RECORD)
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + whole[:kept])
    assert list(log) == [RECORD]
    log.append(replace(RECORD, block=2))
    assert list(log) == [RECORD, replace(RECORD, block=2)]


def test_whole_line_without_its_newline_is_kept(log):
    log.append(RECORD)
    log.path.write_bytes(log.path.read_bytes()[:-1])
    log.append(RECORD)
    assert list(log) == [RECORD, RECORD]


@pytest.mark.parametrize("line", [b'{"model": "toy"}', b"3", b"[" * 100_000, b'{"model": 3}'])
def test_whole_line_that_is_no_record_names_its_place(log, line):
    log.append(RECORD)
    log.path.write_bytes(line + b"\n" + log.path.read_bytes())
    with pytest.raises(DataError, match=r"local\.jsonl line 1 is not a record"):
        list(log)


def test_a_line_of_schema_1_is_still_read(log):
    log.append(RECORD)
    plain = msgspec.json.decode(log.path.read_bytes())
    added = ("advice", "fps_target", "cooled_s", "before", "after", "device", "run", "tries")
    old = {key: value for key, value in plain.items() if key not in added} | {"schema_version": 1}
    log.path.write_bytes(msgspec.json.encode(old) + b"\n")
    assert list(log) == [replace(RECORD, schema_version=1)]


def test_a_line_that_calls_the_control_level_rung_is_still_read(log):
    log.append(replace(RECORD, schema_version=2))
    log.path.write_bytes(log.path.read_bytes().replace(b'"control_level":', b'"rung":'))
    assert list(log) == [replace(RECORD, schema_version=2)]


def test_a_line_that_calls_the_first_frame_first_ms_and_knows_no_memory_is_still_read(log):
    log.append(replace(RECORD, schema_version=3))
    line = log.path.read_bytes().replace(b'"first_frame_ms":', b'"first_ms":')
    log.path.write_bytes(line.replace(b',"memory":null', b""))
    assert list(log) == [replace(RECORD, schema_version=3)]


def test_record_of_a_newer_schema_asks_to_upgrade(log):
    log.append(replace(RECORD, schema_version=5))
    with pytest.raises(VersionConflict, match=r"line 1 has record schema 5; .* up to 4; upgrade"):
        list(log)


@pytest.mark.parametrize("samples", [(), (0.0,), (-1.0,), (math.nan,), (1.0, math.inf)])
def test_samples_must_be_latencies(samples):
    with pytest.raises(ValueError, match="positive, finite latencies"):
        replace(RECORD, samples_ms=samples)


@pytest.mark.parametrize(("field", "value"), [("provenance", "guessed"), ("verdict", "good")])
def test_unknown_word_names_the_allowed_ones(field, value):
    with pytest.raises(ValueError, match=f"{field} is '{value}'; allowed: "):
        replace(RECORD, **{field: value})


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
figure = st.none() | st.floats(0, 1e9)
setting = st.builds(Setting, text, st.none() | st.integers(1, 10**8), st.integers(1, 64))
moments = st.builds(
    Conditions,
    st.floats(0, 1e9),
    temp_c=figure,
    cooling=st.lists(text, max_size=2).map(tuple),
    cpus=st.none() | st.lists(st.integers(0, 63), max_size=3).map(tuple),
    probe_ms=figure,
)
records = st.builds(
    Record,
    model=text,
    model_sha256=text,
    variant=text,
    engine=text,
    precision=text,
    target=text,
    provenance=st.sampled_from(list(Provenance)),
    setting=setting,
    setting_read=st.none() | setting,
    control_level=text,
    samples_ms=st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=5).map(tuple),
    first_frame_ms=figure,
    warmup=st.integers(0, 1000),
    power_mw=figure,
    energy_mj=figure,
    energy_source=text,
    temp_c=figure,
    verdict=st.sampled_from(VERDICTS),
    reasons=st.lists(text, max_size=3).map(tuple),
    block=st.integers(0, 1000),
    seed=st.integers(0, 2**63 - 1),
    created_utc=text,
    versions=st.dictionaries(text, text, max_size=3),
    advice=st.lists(text, max_size=3).map(tuple),
    fps_target=st.none() | st.floats(0.1, 1e4),
    cooled_s=figure,
    before=st.none() | moments,
    after=st.none() | moments,
    device=st.dictionaries(text, text, max_size=3),
    run=st.none() | text,
    memory=st.none() | st.builds(MemoryUse, *[st.none() | st.integers(0, 1 << 40)] * 3),
)


@given(records)
def test_record_round_trips_in_one_line(record):
    line = msgspec.json.encode(record)
    assert b"\n" not in line
    assert msgspec.json.decode(line, type=Record) == record

from runtime.measure.lab import LabJob, LabOutcome, Schedule
from runtime.measure.lab.plan import RetrySpec
from runtime.targets import TargetName

DONE, FAILED = LabOutcome("done"), LabOutcome("failed", "no such clock")
GONE = LabOutcome("retry", "adb knows no phone 'A'")


def jobs(*targets, blocks=2):
    return [
        LabJob(target, "net.tflite", "litert-fp32", block) for target in targets for block in range(blocks)
    ]


def test_a_target_does_one_job_at_a_time_and_targets_work_side_by_side():
    schedule = Schedule(jobs("adb:A", "adb:B"))
    first = schedule.start(0.0)
    assert [job.key[0::3] for job in first] == [("adb:A", 0), ("adb:B", 0)]
    assert schedule.start(0.0) == []
    schedule.finish(first[0], DONE, 1.0)
    assert [job.key[0::3] for job in schedule.start(1.0)] == [("adb:A", 1)]


def test_targets_of_one_machine_take_turns():
    schedule = Schedule(jobs("local", "emulated:gs101", "ssh:me@localhost:2222", "adb:A"))
    order = []
    while not schedule.is_finished:
        started = schedule.start(0.0)
        assert len([job for job in started if TargetName.parse(job.target).machine == "this machine"]) <= 1
        for job in started:
            order.append(job.target)
            schedule.finish(job, DONE, 0.0)
    here = [target for target in order if target != "adb:A"]
    assert here == ["local", "emulated:gs101", "ssh:me@localhost:2222"] * 2
    assert schedule.is_complete


def test_a_target_that_vanishes_is_tried_again_later_and_then_set_aside():
    schedule = Schedule(jobs("adb:A"), RetrySpec(attempts=3, backoff_s=10, max_backoff_s=15))
    now_s = 0.0
    for wait_s in (10.0, 15.0):
        [job] = schedule.start(now_s)
        assert job.block == 0
        schedule.finish(job, GONE, now_s)
        assert schedule.start(now_s + wait_s - 0.1) == []
        assert schedule.wait_s(now_s) == wait_s
        now_s += wait_s
    [job] = schedule.start(now_s)
    schedule.finish(job, GONE, now_s)
    assert schedule.is_finished
    assert not schedule.is_complete
    assert {(one.state, one.reason) for one in schedule.status.values()} == {
        ("set aside", "adb knows no phone 'A' (3 times in a row)")
    }


def test_one_that_made_records_meanwhile_has_not_used_up_its_tries():
    schedule = Schedule(jobs("adb:A", blocks=1), RetrySpec(attempts=2, backoff_s=0))
    for _ in range(5):
        [job] = schedule.start(0.0)
        schedule.finish(job, LabOutcome("retry", "gone", n_records=1), 0.0)
    [job] = schedule.start(0.0)
    schedule.finish(job, DONE, 0.0)
    assert schedule.is_complete


def test_a_job_that_fails_stops_no_other():
    schedule = Schedule(jobs("adb:A"))
    for outcome in (FAILED, DONE):
        [job] = schedule.start(0.0)
        schedule.finish(job, outcome, 0.0)
    assert [status.state for status in schedule.status.values()] == ["failed", "done"]
    assert schedule.is_finished
    assert not schedule.is_complete


def test_while_one_waits_the_others_go_on():
    schedule = Schedule(jobs("adb:A", "adb:B"))
    gone, fine = schedule.start(0.0)
    schedule.finish(gone, GONE, 0.0)
    schedule.finish(fine, DONE, 0.0)
    assert [job.target for job in schedule.start(0.0)] == ["adb:B"]
    assert schedule.wait_s(0.0) == 10.0

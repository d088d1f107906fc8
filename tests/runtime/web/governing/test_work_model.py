"""What setting a gesture gets: by what others took, and by what it took itself."""

import pytest

from runtime.choose.policy.estimate import Estimate
from runtime.device.setting import Setting
from runtime.web.governing.accepted import AcceptedRates
from runtime.web.governing.bend import Bend
from runtime.web.governing.goal import FrameGoal
from runtime.web.governing.run import WebGovernOptions
from runtime.web.governing.work_model import OVERHEAD, WorkModel


def row(cluster, freq_khz, capacity, power_mw):
    ms = 1.0 / capacity
    return Estimate("", Setting(cluster, freq_khz), ms, ms, ms, power_mw, power_mw * ms / 1e3)


ROWS = (
    row("little", 500_000, 0.1, 20.0),
    row("little", 1_000_000, 0.2, 60.0),
    row("big", 1_000_000, 0.5, 200.0),
    row("big", 2_000_000, 1.0, 900.0),
)


def fps_at(capacity, work_ms):
    return min(60.0, (capacity - OVERHEAD) * 1e3 / work_ms)


def spent(work_ms, fps):
    """Return what a frame is seen to take: its own work, and its share of what any page takes."""
    return work_ms + OVERHEAD * 1e3 / fps


def gestures(model, work_ms, fps=60.0, count=1):
    """Play gestures of a page whose frames take so much; return what they ran at, and their frames."""
    shown = []
    for _ in range(count):
        choice = model.choose("scroll", 1800.0, fps)
        got = fps_at(choice.capacity, work_ms)
        model.learn("scroll", 1800.0, capacity=choice.capacity, fps=got, work_ms=spent(work_ms, got))
        shown.append((str(choice.setting), got))
    return shown


def test_a_page_that_was_never_scrolled_is_taken_for_others():
    model = WorkModel(ROWS)
    assert model.choose("scroll", 1800.0, 60.0).setting.freq_khz == 1_000_000
    assert model.choose("scroll", 1800.0, 60.0).setting.cluster == "big"
    assert model.choose("scroll", 1800.0, 30.0).setting.cluster == "little"
    assert model.choose("scroll", 1800.0, 30.0).fps == pytest.approx(fps_at(0.2, 4.0), rel=0.03)


def test_a_light_page_goes_down_after_its_first_gesture_and_a_heavy_one_up():
    assert gestures(WorkModel(ROWS), 2.0, count=2) == [
        ("big @ 1000 MHz x1", 60.0),
        ("little @ 1000 MHz x1", 60.0),
    ]
    heavy = gestures(WorkModel(ROWS), 12.0, count=2)
    assert heavy[1][0] == "big @ 2000 MHz x1"
    assert [fps for _, fps in heavy] == [pytest.approx(40.0), 60.0]


def test_half_a_second_of_a_gesture_tells_what_it_takes_until_its_frames_do():
    model = WorkModel(ROWS)
    first = model.choose("scroll", 1800.0, 60.0)
    assert str(first.setting) == "big @ 1000 MHz x1"
    model.weigh("scroll", 1800.0, used=0.11)  # of 0.5, at 60 FPS
    assert model.work_ms("scroll", 1800.0) == pytest.approx(1.2 * (0.11 - OVERHEAD) * 1e3 / 60.0)
    assert str(model.choose("scroll", 1800.0, 60.0).setting) == "little @ 1000 MHz x1"
    model.learn("scroll", 1800.0, capacity=0.2, fps=60.0, work_ms=spent(2.5, 60.0))
    assert model.work_ms("scroll", 1800.0) == pytest.approx(2.5)  # nothing of the first half second


def test_frames_that_were_held_up_count_as_work():
    """Measured work alone would say that the setting is enough, and the page would stay slow for ever."""
    model = WorkModel(ROWS)
    model.learn("scroll", 1800.0, capacity=0.5, fps=30.0, work_ms=3.0)
    assert model.work_ms("scroll", 1800.0) == pytest.approx((0.5 - OVERHEAD) * 1e3 / 30.0, rel=0.01)
    assert model.choose("scroll", 1800.0, 60.0).setting.freq_khz == 2_000_000


def test_a_page_that_no_core_makes_faster_gets_no_more_than_it_uses():
    model = WorkModel(ROWS)

    def scroll(most_fps):
        choice = model.choose("scroll", 1800.0, 60.0)
        shown = min(most_fps, fps_at(choice.capacity, 3.0))
        model.learn("scroll", 1800.0, capacity=choice.capacity, fps=shown, work_ms=spent(3.0, shown))
        return str(choice.setting), shown

    settings = [scroll(25.0)[0] for _ in range(6)]
    assert settings[1] == "big @ 2000 MHz x1"  # to see whether that helps
    assert set(settings[3:]) == {"little @ 500 MHz x1"}  # has time for 26.7
    later = [scroll(60.0) for _ in range(6)]  # what it waited for is over
    assert later[-1][1] >= 57


def test_a_core_that_shows_no_more_than_a_slower_one_ends_the_search_for_a_faster_one():
    """The page waits for something else: no gesture needs to run at the fastest clock to see that."""
    model = WorkModel(ROWS)
    for capacity in (0.2, 0.5):
        model.learn("scroll", 1800.0, capacity=capacity, fps=30.0, work_ms=spent(3.0, 30.0))
    assert model.choose("scroll", 1800.0, 60.0).setting.cluster == "little"


def test_a_held_target_is_one_of_which_95_percent_are_shown():
    """Of 30 FPS with a tenth in reserve that is 31.4, which the slower clock has, not 33."""
    model = WorkModel(ROWS)
    model.learn("scroll", 1800.0, capacity=0.2, fps=60.0, work_ms=spent(2.5, 60.0))
    assert model.choose("scroll", 1800.0, 30.0).setting.freq_khz == 500_000


def test_a_page_at_rest_waits_where_its_first_frame_is_not_seen_to_stutter():
    slowest = row("little", 200_000, 0.04, 8.0)  # 4 ms of the fastest core take it 100 ms
    assert WorkModel([slowest, *ROWS]).idle == ROWS[0].setting


def test_a_gesture_whose_frames_differ_more_gets_a_faster_core_and_is_not_called_held_up():
    rows = [*ROWS, row("big", 1_500_000, 0.75, 400.0)]
    even, uneven = WorkModel(rows), WorkModel(rows, bends={"pinch": Bend(sharpness=2.5, ceiling=0.96)})
    assert even.choose("pinch", 400.0, 55.0).capacity == 0.5
    assert uneven.choose("pinch", 400.0, 55.0).capacity == 0.75
    shown = uneven.choose("pinch", 400.0, 55.0).fps
    uneven.learn("pinch", 400.0, capacity=0.75, fps=shown, work_ms=spent(4.0, shown))
    assert uneven.work_ms("pinch", 400.0) == pytest.approx(4.0)
    assert uneven.choose("scroll", 1800.0, 55.0) == even.choose("scroll", 1800.0, 55.0)


def test_other_speeds_and_kinds_have_works_of_their_own():
    model = WorkModel(ROWS)
    model.learn("scroll", 600.0, capacity=1.0, fps=60.0, work_ms=spent(1.0, 60.0))
    assert model.work_ms("scroll", 650.0) == pytest.approx(1.0)
    assert model.work_ms("scroll", 4800.0) == pytest.approx(1.0)  # the only one of its kind that is known
    model.learn("scroll", 4800.0, capacity=1.0, fps=60.0, work_ms=spent(3.0, 60.0))
    assert [model.work_ms("scroll", speed) for speed in (600.0, 5000.0)] == pytest.approx([1.0, 3.0])
    assert model.work_ms("pinch", 600.0) == 4.0


def test_an_alarm_takes_a_clearly_faster_setting_and_the_fastest_has_none_above():
    model = WorkModel(ROWS)
    choice = model.choose("scroll", 1800.0, 30.0)
    assert model.faster(choice, "scroll", 1800.0).capacity >= 1.4 * choice.capacity
    top = model.faster(model.choose("scroll", 1800.0, 60.0), "scroll", 1800.0)
    assert model.faster(top, "scroll", 1800.0) == top
    assert str(top.setting) == "big @ 2000 MHz x1"


def test_idle_is_the_setting_of_least_power_and_boost_the_fastest():
    model = WorkModel(ROWS)
    assert (str(model.idle), str(model.fastest)) == ("little @ 500 MHz x1", "big @ 2000 MHz x1")
    unknown = [Estimate("", r.setting, r.latency_ms, r.latency_ms, r.latency_ms, None, None) for r in ROWS]
    assert str(WorkModel(unknown).idle) == "little @ 500 MHz x1"


def test_one_gesture_on_a_busy_machine_is_not_believed_to_take_a_hundred_times_the_work():
    model = WorkModel(ROWS)
    model.learn("scroll", 1800.0, capacity=1.0, fps=1.0, work_ms=500.0)
    assert model.work_ms("scroll", 1800.0) == 16.0


def test_what_is_no_measurement_teaches_nothing():
    model = WorkModel(ROWS)
    for fps, work_ms in ((0.0, 3.0), (30.0, 0.0), (30.0, float("nan"))):
        model.learn("scroll", 1800.0, capacity=0.5, fps=fps, work_ms=work_ms)
    assert model.work_ms("scroll", 1800.0) == 4.0


def test_users_accept_fewer_frames_of_text_than_of_images():
    users = AcceptedRates()
    assert users.of("scroll", 0.0) == 23.0 < users.of("scroll", 0.3) < users.of("scroll", 0.9) == 32.0
    goal = FrameGoal(60.0, {"pinch": 20.0}, users)
    assert (goal.of("scroll", 0.0), goal.of("scroll"), goal.of("pinch", 0.0)) == (23.0, 32.0, 20.0)
    for wrong in ({"fps": 0.0}, {"by_kind": {"pinch": 1e9}}):
        with pytest.raises(ValueError, match="give 1 to 480"):
            FrameGoal(**wrong)


def test_without_a_goal_gestures_are_to_have_what_the_display_shows():
    assert WebGovernOptions("page.html", refresh_hz=120.0).wanted.of("scroll") == 120.0

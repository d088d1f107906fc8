import numpy as np

from runtime.choose.simulation import Performance, Powersave, periodic, replay
from tests.benchmarks.simulation.ztt import Ztt
from tests.runtime.choose.simulation.toy import platform


def test_it_learns_to_save_without_being_late():
    soc = platform()
    rng = np.random.default_rng(0)
    learnt = Ztt(soc, periodic(rng.normal(6, 0.3, (4, 600)), 50), seed=1)
    frames = periodic(rng.normal(6, 0.3, (2, 200)), 50)
    ours, fastest, slowest = (
        replay(soc, frames, governor) for governor in (learnt, Performance(soc), Powersave(soc))
    )
    # 6 Mc in 20 ms: 12 ms at 512 on 200 mW, 6 ms at 1024 on 1000 mW; 256 is too slow.
    assert ours.late_pct < 5
    assert ours.energy_mj.sum() < 0.5 * fastest.energy_mj.sum()
    assert ours.energy_mj.sum() < 1.1 * slowest.energy_mj.sum()


def test_what_it_learned_does_not_depend_on_whom_it_is_judged_with():
    soc = platform()
    rng = np.random.default_rng(0)
    learnt = Ztt(soc, periodic(rng.normal(6, 1, (2, 200)), 50), seed=1)
    frames = periodic(rng.normal(6, 1, (2, 100)), 50)
    first, again = replay(soc, frames, learnt), replay(soc, frames, learnt)
    assert (first.finish_ms == again.finish_ms).all()

from runtime.choose.simulation import replay
from tests.benchmarks.simulation.oracle import Oracle
from tests.runtime.choose.simulation.toy import frames, platform


def test_oracle_is_the_cheapest_point_that_meets_each_deadline():
    soc = platform()
    trace = frames(2, 8, 14, 25, 2)
    ran = replay(soc, trace, Oracle(soc, trace), timeline=True)
    # 2 Mc at 128: 16 ms on 20 mW. 8: 16 ms at 512. 14: 18.7 ms at 768. 25: too much for any.
    assert [point for _, point in ran.timeline] == [4, 0, 2, 3, 4, 1]
    # The last begins 5 ms late: 2 Mc at 128 no longer fit into 15 ms, at 256 they do.
    assert ran.late.tolist() == [[False, False, False, True, False]]

from runtime.web.browser.processes import spent_ms


def test_a_thread_that_ended_makes_no_role_s_work_negative():
    assert spent_ms({"main": 10.0, "raster": 5.0}, {"main": 12.5, "raster": 4.9}) == {
        "main": 2.5,
        "raster": 0.0,
    }

"""What governed pages of tests are, and the settings of their machine."""

from runtime.device.soc import power_mw
from runtime.device.soc.power import PowerFigure
from runtime.govern.governor.tables import capacity_rows
from runtime.targets.target import settings_of
from tests.runtime.govern.governor.toy import PROFILE

PAGE = "data:text/html,<meta name=viewport content='width=device-width'><body>" + "<p>row</p>" * 400

NAMES = {PAGE: "corpus/rows"}  # as records call it


def power(setting) -> PowerFigure:
    return power_mw(PROFILE.cluster(setting.cluster), setting.freq_khz or 0)


ROWS = capacity_rows(PROFILE, power, settings_of(PROFILE, (1,)))

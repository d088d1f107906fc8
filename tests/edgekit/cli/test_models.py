import json

from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.models import MODELS


def test_the_table_has_a_row_for_every_model():
    result = CliRunner().invoke(cli, ["models"])
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()[2:]]
    assert [row[0] for row in rows] == MODELS.names()
    assert ["mobilenet_v2", "224", "1000", "3.50", "300.8", "ImageNet"] in rows


def test_json_is_the_librarys_record():
    result = CliRunner().invoke(cli, ["models", "*lite0", "--json"])
    assert json.loads(result.stdout) == [
        {
            "name": "efficientnet_lite0",
            "image_size": 224,
            "num_classes": 1000,
            "params": 4652008,
            "macs": 385187552,
            "is_pretrained": True,
        }
    ]


def test_a_pattern_that_matches_nothing_is_a_usage_error():
    result = CliRunner().invoke(cli, ["models", "vgg*"])
    assert result.exit_code == 2
    assert "no model matches 'vgg*'; known: efficientnet_lite0" in result.stderr

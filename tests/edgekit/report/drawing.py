"""What an SVG shows, and a name that must not become markup in it."""

import xml.etree.ElementTree as ET

EVIL = "<script>alert(1)</script>\"'&"


def drawn(path):
    """Return the SVG's elements by tag, and its texts."""
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    return tags, [element.text for element in root.iter() if element.tag.endswith("text")]

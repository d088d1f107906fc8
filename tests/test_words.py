"""The words of docs/architecture.md: one standard term for each thing, in code, messages and documents."""

import re

import pytest

from tests.places import ROOT

# What must not be said -> what to say. Old names of options and stored keys stand only where they are read.
INSTEAD = {
    r"wish(es)?": "request",
    r"rungs?": "control level",
    r"scenes?": "variable-load frames",
    r"late[ _-]price": "miss penalty",
    r"tell=|\btell: Callable|\.tell\(f?[\"']": "log or on_message",
    r"(put|puts|putting) (it|them|things|clocks|its clocks|everything|the \w+)? ?back|put_back": "restore",
    r"(give|gives|given|giving) (it|them|clocks|its clocks|every core|the \w+)? ?back|give_back": "release",
    r"dearest": "most expensive",
    r"its company": "the others",
    r"so-many(th)?": "every Nth",
    r"as wrong as": "with the error of",
    r"governing there|govern_there|bring_there": "remote",
}
PATTERNS = {
    re.compile(rf"(?<![A-Za-z]){words}(?![a-z])", re.IGNORECASE): term for words, term in INSTEAD.items()
}
# Lines that read what 0.1.0 wrote or took.
MAY_SAY = {
    "edgekit/cli/_renamed.py": ("--scenes",),
    "edgekit/cli/govern.py": ("--scenes", "--late-price"),
    "docs/governing.md": ("--scenes", "--late-price"),
    "runtime/measure/records.py": ("``rung``", '"rung"'),
}
TEXTS = sorted(
    path
    for folder in ("edgekit", "runtime", "predictors", "docs", "README.md")
    for path in ([ROOT / folder] if folder.endswith(".md") else (ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".md", ".html", ".c", ".h", ".in", ".cpp")
)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_standard_terms_are_used(path):
    text = path.read_text(encoding="utf-8")
    for known in MAY_SAY.get(str(path.relative_to(ROOT)), ()):
        text = text.replace(known, "")
    found = [
        f"line {number}: {match[0]!r}; say {term}"
        for number, line in enumerate(text.splitlines(), 1)
        for pattern, term in PATTERNS.items()
        for match in pattern.finditer(line)
    ]
    assert found == []


def test_the_list_finds_what_it_is_for():
    said = ["the dearest op", "class Wish:", "RUNGS = 3", "clocks are put back", "tell=print", "--late-price"]
    assert all(any(pattern.search(line) for pattern in PATTERNS) for line in said)
    assert not any(pattern.search("rewrung wishful scenery intelligence") for pattern in PATTERNS)

"""A report as a browser lays it out, in a frame as wide as a phone or a desk."""

import html
import json
import re
import shutil
import subprocess

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = [
    pytest.mark.device,
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium here"),
]
# The page lies in a frame as wide as a phone: the window of a browser without a screen has a least width.
# A box that scrolls holds what is wider than it; everything else must lie inside the page.
_MEASURE = """<script>onload = () => {
  const page = document.querySelector("iframe").contentDocument;
  const width = document.querySelector("iframe").clientWidth;
  const isOutside = (part) => {
    const box = part.getBoundingClientRect();
    const isShown = box.width > 0 && !part.closest(".scroll, #tip");
    return isShown && (box.right > width + 1 || box.left < -1);
  };
  const outside = [...page.querySelectorAll("body *")].filter(isOutside);
  const found = {
    scroll: page.documentElement.scrollWidth,
    outside: outside.slice(0, 5).map((part) => part.outerHTML.slice(0, 80)),
  };
  const answer = document.createElement("pre");
  answer.textContent = JSON.stringify(found);
  document.body.replaceChildren(answer);
};</script>"""


def laid_out(page, width, folder):
    """Return how wide ``page`` is in a frame of ``width`` px, and which of its parts lie outside."""
    frame = f'<iframe style="border:0;width:{width}px;height:800px" srcdoc="{html.escape(page)}"></iframe>'
    (folder / "frame.html").write_text(f"<!doctype html><body>{_MEASURE}{frame}")
    command = [BROWSER, "--headless=new", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=4000"]
    command += [f"--user-data-dir={folder / 'profile'}", "--dump-dom", f"file://{folder / 'frame.html'}"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    return json.loads(html.unescape(re.search("<pre>(.*)</pre>", shown)[1]))

"""A browser for tests of pages: Chromium draws them side by side, and `browser.js` tells what a reader would see."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from html import escape, unescape
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
EYE = Path(__file__).with_name("browser.js")
DEADLINE = 100  # seconds
HIGH = 844  # pixels of a screen
CONSOLE = re.compile(r":CONSOLE[^\]]*\] (.*)")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-extensions", "--hide-scrollbars", "--enable-logging=stderr"),
)
DARK = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")


def seen(
    pages: Mapping[str, str], folder: Path, widths: Sequence[int], *, dark: bool = False
) -> dict[tuple[str, int], dict[str, Any]]:
    """What is seen of each page at each width in pixels; under `"", 0` what the browser complained of."""
    frames = "".join(
        f'<iframe title="{escape(name)}" width="{width}" height="{HIGH}" srcdoc="{escape(page)}"></iframe>'
        for name, page in pages.items()
        for width in widths
    )
    head = '<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
    sheet = folder / f"sheet-{'dark' if dark else 'light'}.html"
    sheet.write_text(f"{head}{frames}<script>{EYE.read_text(encoding='utf-8')}</script>", encoding="utf-8")
    scheme = DARK if dark else ()
    asked = [str(CHROMIUM), *FLAGS, *scheme, f"--user-data-dir={folder / 'profile'}", "--dump-dom", sheet.as_uri()]
    home = os.environ | {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    done = subprocess.run(asked, capture_output=True, timeout=DEADLINE, check=True, env=home)
    told = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
    assert told, done.stderr.decode()[-2000:]
    views = {(view["page"], view["width"]): view for view in json.loads(unescape(told[1]))}
    return views | {("", 0): {"console": CONSOLE.findall(done.stderr.decode())}}

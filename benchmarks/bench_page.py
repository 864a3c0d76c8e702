"""On the web page: from the click on "Move it" to an explorer that is awake, and from a key to new pixels.

The page is built and served from this machine with Pyodide's files, as for its tests. Each explorer is woken
on a page that was just opened, so that Python's start is in its time. Then the arrow keys move its first
slider: to settings that are new, and back and forth between two. A time runs to just after the frame with the
new picture was painted.
"""
import ast
import functools
import http.server
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
from common import publish, table

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / name) for name in ("tests/site", "tests", "tools", "site")]
import browser  # noqa: E402
import conftest  # noqa: E402
import refresh  # noqa: E402
import sources  # noqa: E402

NEW, AGAIN = 8, 12
WATCH = """place => {
    const image = document.querySelectorAll('img.explore')[place];
    let began;
    addEventListener('keydown', event => { began = event.timeStamp; }, {once: true, capture: true});
    window.moved = new Promise(done => new MutationObserver(async (_, observer) => {
        observer.disconnect();
        await image.decode();
        requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
    }).observe(image, {attributeFilter: ['src']}));
}"""
QUIET = """place => new Promise(done => {
    const later = () => { observer.disconnect(); done(); };
    let timer = setTimeout(later, 200);
    const observer = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(later, 200); });
    observer.observe(document.querySelectorAll('img.explore')[place], {attributeFilter: ['src']});
})"""
MOVED = """() => Promise.race([window.moved,
    new Promise(done => setTimeout(() => done(null), 2000))])"""


def explorers_of(path):
    """The cells that each explorer of a notebook needs, its own one last."""
    return sources.cells_of(json.loads(path.read_text(encoding="utf-8")))["explorers"]


def press(page, place, slider, key):
    """Milliseconds from this key to a new picture; None where it changes nothing to be seen.

    A picture that fills in counts from its first part on, and the next key waits for its last one.
    """
    page.evaluate(QUIET, place)
    page.evaluate(WATCH, place)
    slider.press(key)
    return page.evaluate(MOVED)


def moves(page, place):
    """The times to settings not seen before, and to those between which the keys go back and forth."""
    slider = page.locator(".controls input[type=range]").first
    low, high = (float(slider.get_attribute(end)) for end in ("min", "max"))
    keys = "ArrowLeft", "ArrowRight"
    back, ahead = keys if 2 * float(slider.input_value()) < low + high else keys[::-1]
    new = [press(page, place, slider, ahead) for _ in range(NEW)]
    again = [press(page, place, slider, (back, ahead)[k % 2]) for k in range(AGAIN + 2)][2:]
    return [[one for one in times if one is not None] for times in (new, again)]


def row(chromium, address, name, place, cell):
    """One explorer, on a page of its own."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}notebooks/{name}.html")
    page.wait_for_load_state("networkidle")
    button = page.locator(".wake").nth(place)
    button.scroll_into_view_if_needed()
    began = time.perf_counter()
    button.click()
    page.locator(".controls").wait_for(timeout=120_000)
    seconds = time.perf_counter() - began
    new, again = (f"{np.median(times):.0f}" if times else "–" for times in moves(page, place))
    page.close()
    made = ast.unparse(ast.parse(cell).body[-1]).partition("(")[0]
    found = {"notebook": name[:2], "explorer": made, "wakes, s": f"{seconds:.1f}", "new setting, ms": new,
             "one seen before, ms": again}
    print(found, flush=True)
    return found


def rows(chromium, address):
    """A row for each explorer of the page."""
    return [row(chromium, address, path.stem, place, cells[-1]) for path in refresh.notebooks()
            for place, cells in enumerate(explorers_of(path))]


def main():
    folder = conftest.BUILD / "site-of-the-bench"
    conftest.fetch_pyodide()
    build = ROOT / "site/build.py", "--into", folder, "--pyodide", "/pyodide/"
    subprocess.run([sys.executable, *build], check=True)
    handler = functools.partial(conftest.Silent, directory=folder)
    try:
        with (browser.chromium() as chromium,
              http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server):
            threading.Thread(target=server.serve_forever, daemon=True).start()
            found = rows(chromium, f"http://127.0.0.1:{server.server_port}/")
            server.shutdown()
    except browser.NoBrowser as reason:
        sys.exit(str(reason))
    publish("The web page: click to awake, key press to pixels",
            f"Chromium {chromium.version}, Pyodide's files from this machine: medians of {NEW} moves to new "
            f"settings and {AGAIN} to settings seen before.", table(found))


if __name__ == "__main__":
    main()

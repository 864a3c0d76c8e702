"""pyproject.toml, requirements.txt and environment.yml say the same, each in its own language."""
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
import rattler
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")
ENVIRONMENT = (ROOT / "environment.yml").read_text(encoding="utf-8")

CONDA_NAMES = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base", "isal": "python-isal"}
CUDA = re.compile(r"nvidia|cuda|triton")


def asked(project: dict) -> dict[str, Requirement]:
    """What pyproject.toml asks for, core and test together."""
    lines = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["test"]
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def pinned(lock: str) -> dict[str, list[str]]:
    """The pinned versions of each package: several where they differ between Pythons."""
    versions: dict[str, list[str]] = {}
    for line in re.findall(r"(?m)^[A-Za-z0-9][^#\n]*", lock):
        requirement = Requirement(line)
        versions.setdefault(canonicalize_name(requirement.name), []).append(
            str(requirement.specifier).removeprefix("=="))
    return versions


# --- requirements.txt ------------------------------------------------------------------------

def lock_complaints(lock: str, project: dict) -> list[str]:
    """What is wrong with the lock, each in a sentence."""
    versions = pinned(lock)
    complaints = [f"{name} is not pinned" for name in asked(project) if name not in versions]
    for name, requirement in asked(project).items():
        complaints += [f"{name} {version} is outside of {requirement.specifier}"
                       for version in versions.get(name, []) if version not in requirement.specifier]
    complaints += [f"{name} belongs to CUDA" for name in versions if CUDA.match(name)]
    complaints += [f"{address} is an address" for address in re.findall(r"\S+://\S+", lock)]
    complaints += [f"{option} is an option" for option in re.findall(r"(?m)^\s*(--?\w\S*)", lock)]
    for build in map(Requirement, project["build-system"]["requires"]):
        if not any(version in build.specifier for version in versions.get(build.name, [])):
            complaints.append(f"{build} is not pinned, and builds helpers")
    return complaints


def test_the_lock_pins_what_the_project_asks_for_and_nothing_of_cuda():
    assert lock_complaints(LOCK, PROJECT) == []


@pytest.mark.parametrize(("line", "replacement", "complaint"), [
    (r"numpy==\S+", "numpy==1.26.4", "numpy 1.26.4 is outside of >=2.0"),
    (r"ruff==.*", "", "ruff is not pinned"),
    (r"nbval==", "nvidia-cublas==13.1.1\nnbval==", "nvidia-cublas belongs to CUDA"),
    (r"nbval==", "triton==3.8.0\nnbval==", "triton belongs to CUDA"),
    (r"nbval==", "--no-deps\nnbval==", "--no-deps is an option"),
    (r"nbval==", "# https://example.org\nnbval==", "https://example.org is an address"),
    (r"setuptools==\S+", "setuptools==65.5.0", "setuptools>=77 is not pinned, and builds helpers"),
])
def test_a_wrong_lock_is_found(line, replacement, complaint):
    wrong, count = re.subn(f"(?m)^{line}", replacement, LOCK)
    assert count == 1
    assert complaint in lock_complaints(wrong, PROJECT)


def test_the_lock_holds_all_that_pytorch_needs_beside_cuda():
    """The lock is resolved from a list in pyproject.toml: it must be that of the wheel itself."""
    wheel = map(Requirement, importlib.metadata.requires("torch"))
    needs = {canonicalize_name(r.name): r.specifier for r in wheel
             if not CUDA.match(r.name) and (not r.marker or r.marker.evaluate({"extra": ""}))}
    [entry] = PROJECT["tool"]["uv"]["dependency-metadata"]
    listed = {canonicalize_name(Requirement(line).name) for line in entry["requires-dist"]}
    assert listed >= needs.keys()
    if importlib.metadata.version("torch").split("+")[0] not in pinned(LOCK)["torch"]:
        pytest.skip("another PyTorch than the lock's is installed")
    assert listed == needs.keys()
    for name, specifier in needs.items():
        assert all(version in specifier for version in pinned(LOCK)[name]), name


# --- environment.yml -------------------------------------------------------------------------

def conda_specs(environment: str) -> dict[str, rattler.MatchSpec]:
    """What environment.yml lists, its pip lines included, without `-e .`."""
    entries = yaml.safe_load(environment)["dependencies"]
    lines = [line for entry in entries for line in (entry["pip"] if isinstance(entry, dict) else [entry])]
    specs = [rattler.MatchSpec(line) for line in lines if line != "-e ."]
    return {spec.name.normalized: spec for spec in specs}


def conda_complaints(environment: str, project: dict, lock: str) -> list[str]:
    """What is wrong with environment.yml, each in a sentence."""
    specs, versions = conda_specs(environment), pinned(lock)
    wanted = {CONDA_NAMES.get(name, name): name for name in asked(project)}
    complaints = [f"{name} is missing" for name in wanted if name not in specs]
    complaints += [f"{name} is not asked for by pyproject.toml"
                   for name in specs if name not in wanted and name not in ("python", "pip")]
    for name in wanted.keys() & specs.keys():
        complaints += range_complaints(specs[name], asked(project)[wanted[name]], versions[wanted[name]])
    if "-e ." not in str(yaml.safe_load(environment)["dependencies"][-1]):
        complaints.append("helpers is not installed: the last line is not `-e .`")
    return complaints + python_complaints(specs["python"], project)


def range_complaints(spec: rattler.MatchSpec, requirement: Requirement, versions: list[str]) -> list[str]:
    """Each locked version lies in conda's range, whose lower bound is pyproject.toml's."""
    span = rattler.VersionSpec(spec.version or "*")
    complaints = [f"{spec} does not hold {version}" for version in versions
                  if not span.matches(rattler.Version(version))]
    bounds = (spec.version or "").split(",")
    if str(requirement.specifier) != bounds[0]:
        complaints.append(f"{spec} does not begin at {requirement.specifier}")
    if not any(bound.startswith("<") for bound in bounds):
        complaints.append(f"{spec} has no upper bound")
    return complaints


def python_complaints(spec: rattler.MatchSpec, project: dict) -> list[str]:
    """Each Python that conda may choose is one that the project supports."""
    supported = SpecifierSet(project["project"]["requires-python"])
    chosen = [version for version in (f"3.{minor}.1" for minor in range(30))
              if rattler.VersionSpec(spec.version or "*").matches(rattler.Version(version))]
    complaints = [f"Python {version} is not supported" for version in chosen if version not in supported]
    return complaints or ([] if chosen else [f"{spec} is no Python"])


def test_conda_lists_what_the_project_asks_for_in_ranges_that_hold_the_lock():
    assert conda_complaints(ENVIRONMENT, PROJECT, LOCK) == []


@pytest.mark.parametrize(("line", "replacement", "complaint"), [
    (r"- numpy >=2.0,<3 ", "- numpy >=2.0,<2.1 ", r"numpy .*does not hold 2\.4\.6"),
    (r"- numpy >=2.0,<3 ", "- numpy >=1.20,<3 ", r"numpy .*does not begin at >=2\.0"),
    (r"- numpy >=2.0,<3 ", "- numpy >=2.0 ", r"numpy .*has no upper bound"),
    (r"- nbval .*\n", "- pip\n", r"nbval is missing"),
    (r"- pytorch-cpu ", "- pytorch ", r"pytorch-cpu is missing"),
    (r"- pip +#", "- seaborn >=0.13,<1 #", r"seaborn is not asked for by pyproject\.toml"),
    (r"- playwright >=1.45,<2", "- playwright >=1.45,<1.46", r"playwright .*does not hold 1\.65"),
    (r"- -e \. ", "- seaborn ", r"helpers is not installed"),
    (r"- python=3.12", "- python=3.10", r"Python 3\.10\.1 is not supported"),
    (r"- python=3.12", "- python", r"Python 3\.9\.1 is not supported"),
    (r"- python=3.12", "- python=2.7", r"is no Python"),
])
def test_a_wrong_environment_is_found(line, replacement, complaint):
    wrong, count = re.subn(line, replacement, ENVIRONMENT)
    assert count == 1
    assert re.search(complaint, "\n".join(conda_complaints(wrong, PROJECT, LOCK)))


def test_conda_takes_everything_from_conda_forge():
    assert yaml.safe_load(ENVIRONMENT)["channels"] == ["conda-forge"]


def test_each_package_of_conda_says_what_it_is_for():
    lines = re.findall(r"(?m)^ +- (?!pip:|conda-forge).*", ENVIRONMENT)
    assert len(lines) > 15
    assert [line for line in lines if "  # " not in line] == []

"""What the benchmarks share: interleaved medians, a process for each number of threads, results.md."""
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

RESULTS = Path(__file__).with_name("results.md")
HEAD = """# Results

Written by `python3 tasks.py bench`; a benchmark that is run by its name replaces its own section. Times are
medians, and peers took turns in one process. Ratios below 1 are faster than the peer.
"""

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def medians(candidates: dict[str, Callable[[], object]], rounds: int = 15,
            seconds: float = 1.0) -> dict[str, float]:
    """The median time of each candidate in seconds, taken turn by turn so that noise hits all alike."""
    times = {name: [] for name in candidates}
    end = time.perf_counter() + seconds * len(candidates)
    for call in candidates.values():
        call()
    while len(next(iter(times.values()))) < rounds or time.perf_counter() < end:
        for name, call in candidates.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def peak(x: np.ndarray, *calls: Callable[[], object]) -> float:
    """The largest extra memory of any of the calls, in multiples of the input's bytes."""
    most = 0
    for call in calls:
        tracemalloc.start()
        call()
        most = max(most, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return most / x.nbytes


def relative_error(hand: np.ndarray, reference: torch.Tensor) -> float:
    """How far an array is from a tensor, relative to the tensor's length."""
    reference = reference.detach().numpy()
    return float(np.linalg.norm(hand - reference) / np.linalg.norm(reference))


def compared(time: dict[str, float], results: Iterable, memory: float) -> dict[str, str]:
    """The columns of a row: the medians of ours, torch and the floor, pairs of results, memory ÷ x."""
    return {"torch, ms": f"{time['torch'] * 1e3:.2f}",
            **{f"{name} ÷ torch": f"{time[name] / time['torch']:.2f}" for name in ("ours", "floor")},
            "largest error": f"{max(relative_error(*pair) for pair in results):.0e}",
            "peak memory ÷ x": f"{memory:.1f}"}


def in_process(script: str, threads: int | None) -> list[dict]:
    """Run `script --rows` in a fresh interpreter, since BLAS reads its threads at import; its JSON."""
    environment = dict(os.environ)
    if threads:
        environment |= {name: str(threads) for name in THREAD_VARIABLES}
    done = subprocess.run([sys.executable, script, "--rows"], env=environment, check=True,
                          stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def both_ways(script: str) -> list[str]:
    """The rows of `script` on one thread and on as many as the libraries choose, as paragraphs."""
    return [text for threads in (1, None) for text in (
        "One thread:" if threads else "Default threads:", table(in_process(script, threads)))]


def table(rows: list[dict]) -> str:
    """Rows of equal keys as an aligned Markdown table."""
    keys = list(rows[0])
    cells = [keys, *([str(row[key]) for key in keys] for row in rows)]
    wide = [max(len(line[i]) for line in cells) for i in range(len(keys))]
    lines = ["| " + " | ".join(text.ljust(w) for text, w in zip(line, wide, strict=True)) + " |"
             for line in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in wide) + "|", *lines[1:]])


def blas() -> str:
    """The matrix-product kernels that NumPy chose, when the library tells."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown"
    found = {f"{one['internal_api']} {one.get('version')} {one.get('architecture', '')}"
             for one in threadpool_info() if one["user_api"] == "blas"}
    return ", ".join(sorted(found)) or "unknown"


def processor() -> str:
    """The name of the processor, as its maker gives it."""
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def machine() -> str:
    """What the numbers depend on, in a sentence."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "matplotlib", "jupyterlab"))
    return (f"{time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} cores, {platform.system()}, "
            f"Python {platform.python_version()}, {versions}; NumPy's matrix products by {blas()}.")


def publish(title: str, *paragraphs: str) -> None:
    """Print the paragraphs, and put them in the place of the section `title` of results.md."""
    text = "\n\n".join([f"## {title}", *paragraphs, machine()])
    print(text, flush=True)
    before = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else HEAD
    _, *sections = re.split(r"(?m)^(?=## )", before)
    kept = {section.partition("\n")[0]: section.strip() for section in sections}
    kept[f"## {title}"] = text
    RESULTS.write_text("\n\n".join([HEAD.strip(), *kept.values()]) + "\n", encoding="utf-8", newline="\n")

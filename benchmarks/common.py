"""What the benchmarks share: interleaved medians, one process for each number of threads."""
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

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


def in_process(script: str, threads: int | None) -> list[dict]:
    """Run `script --rows` in a fresh interpreter, since BLAS reads its threads at import; its JSON."""
    environment = dict(os.environ)
    if threads:
        environment |= {name: str(threads) for name in THREAD_VARIABLES}
    done = subprocess.run([sys.executable, script, "--rows"], env=environment, check=True,
                          stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def table(rows: list[dict]) -> str:
    """Rows of equal keys as an aligned Markdown table."""
    keys = list(rows[0])
    cells = [keys, *([str(row[key]) for key in keys] for row in rows)]
    wide = [max(len(line[i]) for line in cells) for i in range(len(keys))]
    lines = ["| " + " | ".join(text.ljust(w) for text, w in zip(line, wide, strict=True)) + " |"
             for line in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in wide) + "|", *lines[1:]])

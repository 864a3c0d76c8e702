"""Run the named benchmarks, or all of them, one after the other:   python benchmarks [NAME...]"""
import signal
import subprocess
import sys
from pathlib import Path


def main(names, folder=Path(__file__).parent):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # and the benchmark ends with us
    scripts = {path.stem[6:]: path for path in sorted(folder.glob("bench_*.py"))}
    for name in names:
        if name not in scripts:
            print(f"There is no benchmark {name!r}; there are: {', '.join(scripts)}.", file=sys.stderr)
            return 1
    return max([subprocess.call([sys.executable, scripts[name]]) for name in names or scripts], default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

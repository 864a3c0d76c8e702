"""Each explorer in Chinese, in a process of its own: no English is left in what it says and shows."""
import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("explorers_in_chinese.py")
ROOT = SCRIPT.parents[2]


def test_no_english_is_left():
    environment = {**os.environ, "GRADIENTS_LANGUAGE": "zh", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) > 15 and not any(found.values()), {name: some for name, some in found.items() if some}

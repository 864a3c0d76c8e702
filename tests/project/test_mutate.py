"""The tool that plants faults changes what computes, one place at a time, and nothing else."""
import ast

import mutate

MODULE = '''"""One + two."""
def f(x: Literal[7], size=2) -> float:
    """Not 3."""
    if not x < size:
        raise ValueError(f"x expected below {size}, got {x + 0}", 8)
    x += 1.5
    return -x ** True
'''
CHANGES = ["2: 2 → 3", "4: not x < size → x < size", "4: x < size → x <= size", "6: x += 1.5 → x = 1.5",
           "6: 1.5 → 2.5", "7: -x ** True → x ** True", "7: x ** True → x * True", "7: True → False"]


def test_each_fault_is_one_change_of_what_computes(tmp_path, monkeypatch):
    monkeypatch.setattr(mutate, "ROOT", tmp_path)
    path = tmp_path / "module.py"
    path.write_text(MODULE)
    found = list(mutate.faults(path))
    plain = ast.unparse(ast.parse(MODULE))
    assert [label.removeprefix("module.py:") for _, label, _ in found] == CHANGES
    for _, _, text in found:
        assert sum(a != b for a, b in zip(text.splitlines(), plain.splitlines(), strict=True)) == 1

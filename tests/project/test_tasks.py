"""tasks.py, with programs that only pretend: what it starts, what it keeps and what it says."""
import ast
import contextlib
import importlib.util
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
VERBS = ("lab", "test", "refresh", "bench", "setup", "lock")


class Programs:
    """In the place of `tasks.logged`: makes an empty .venv, and installs packages without content."""

    def __init__(self, tasks):
        self.tasks, self.commands, self.failures = tasks, [], {}

    def __call__(self, command, verbose):
        line = " ".join(command).replace(str(self.tasks.ROOT), "HERE")
        self.commands.append(line)
        for part, said in self.failures.items():
            if part in line:
                return 1, said
        if "-m venv" in line:
            venv.create(self.tasks.VENV, with_pip=False, symlinks=os.name != "nt")
        else:
            self.install("pip", *self.tasks.NEEDED)
        return 0, ""

    def install(self, *names):
        site = next(self.tasks.VENV.glob("**/site-packages"))
        for name in names:
            (site / name).mkdir(exist_ok=True)
            (site / name / "__init__.py").touch()

    def installs(self):
        """What each pip command installed, in order."""
        return [line.split("--progress-bar off ")[1] for line in self.commands if "pip install" in line]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of what tasks.py needs, in a folder whose name asks for care."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))     # where the lock of `alone` lies
    monkeypatch.setenv("TMPDIR", str(tmp_path))                 # and for those that we start
    folder = tmp_path / "zwei Wörter"
    for name in ("benchmarks", "tests"):
        (folder / name).mkdir(parents=True)
    (folder / "tasks.py").write_bytes((ROOT / "tasks.py").read_bytes())
    (folder / "requirements.txt").write_text("numpy==2.4.6\ntorch==2.13.0            # via here\n")
    (folder / "pyproject.toml").write_text('dependencies = [\n    "torch>=2.6",  # reference\n]\n')
    return folder


def load(folder):
    """The tasks.py of that folder as a module."""
    spec = importlib.util.spec_from_file_location("tasks_of_a_test", folder / "tasks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tasks(folder, monkeypatch):
    """tasks.py of that folder as a module, on Linux, in front of no screen."""
    module = load(folder)
    module.logged = module.programs = Programs(module)
    monkeypatch.setattr(signal, "signal", lambda *_: None)      # pytest's own stay
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return module


@pytest.fixture
def ready(tasks, capsys):
    """The same with a finished .venv, and nothing said or started so far."""
    assert tasks.main(["setup"]) == 0
    tasks.programs.commands.clear()
    capsys.readouterr()
    return tasks


def ran(tasks, monkeypatch, *codes):
    """Let `tasks.run` return these codes, or raise them; what it is asked to run."""
    commands, answers, tasks.variables = [], list(codes) or [0] * 9, []

    def run(*command, **variables):
        tasks.variables.append(variables)
        commands.append(" ".join(map(str, command)).replace(str(tasks.PYTHON), "PYTHON"))
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(tasks, "run", run)
    return commands


def sentence(capsys):
    """The one line on standard error: no traceback, and a full stop or a path at its end."""
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    assert "Traceback" not in lines[0] and lines[0].count(" ") > 3
    return lines[0]


# --- the command line ------------------------------------------------------------------------

@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"], ["-h"], ["--verbose", "--help", "lab"]])
def test_without_a_verb_it_explains_itself(tasks, capsys, arguments):
    assert tasks.main(arguments) == 0
    explained = capsys.readouterr().out
    assert all(re.search(rf"^  {verb} .{{20}}", explained, re.M) for verb in VERBS)
    assert set(VERBS) == set(tasks.VERBS) and not tasks.VENV.exists()


@pytest.mark.parametrize(("arguments", "name"), [(["labb"], "labb"), (["--fast", "lab"], "--fast"),
                                                 (["setup", "now"], "now")])
def test_an_unknown_word_is_named_and_the_known_ones_listed(tasks, capsys, arguments, name):
    assert tasks.main(arguments) == 2
    said = capsys.readouterr().out
    assert f"There is no {name!r}." in said and all(f"\n  {verb} " in said for verb in VERBS)
    assert not tasks.VENV.exists()


def test_it_runs_by_its_path_from_another_folder(folder, tmp_path):
    done = subprocess.run([sys.executable, folder / "tasks.py"], cwd=tmp_path, capture_output=True,
                          encoding="utf-8")
    assert done.returncode == 0 and "python3 tasks.py" in done.stdout and done.stderr == ""


# --- what it needs ---------------------------------------------------------------------------

def test_an_old_python_is_told_so_in_a_sentence(tasks, capsys, monkeypatch):
    monkeypatch.setattr(tasks, "OLDEST", (99, 7))
    assert tasks.main(["lab"]) == 1
    assert re.match(r"This is Python 3\.\d+, and Gradients by Hand needs 99\.7 or newer: install one",
                    sentence(capsys))
    assert not tasks.VENV.exists()


def test_an_old_python_can_read_the_file():
    """Grammar, annotations that are evaluated, and modules: those of Python 3.6."""
    tree = ast.parse((ROOT / "tasks.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    hints = [hint for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
             for hint in [node.returns, *(argument.annotation for argument in node.args.args)]]
    assert not [hint for hint in hints if isinstance(hint, (ast.Subscript, ast.BinOp))]
    imported = {name.name.split(".")[0] for node in ast.walk(tree)
                if isinstance(node, ast.Import) for name in node.names}
    assert imported <= sys.stdlib_module_names and "tomllib" not in imported


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_missing_venv_module_is_told_with_its_package(tasks, capsys, monkeypatch, missing):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    assert tasks.main(["lab"]) == 1
    assert f"`sudo apt install python{tasks.VERSION}-venv`" in sentence(capsys)
    assert not tasks.VENV.exists()


# --- making .venv ----------------------------------------------------------------------------

def test_the_first_time_all_is_made_and_the_second_nothing(tasks, monkeypatch, capsys):
    commands = ran(tasks, monkeypatch)
    assert tasks.main(["lab"]) == 0 and len(commands) == 1
    assert "-m venv HERE" in tasks.programs.commands[0]
    torch, lock, helpers = tasks.programs.installs()
    assert "--no-deps" in torch and torch.endswith("download.pytorch.org/whl/cpu torch==2.13.0+cpu")
    assert "--retries 0 --timeout 10" in torch
    assert lock == "--only-binary :all: -r requirements.txt"
    assert helpers == "--no-deps --no-build-isolation --editable ."
    assert tasks.main(["lab"]) == 0 and len(commands) == 2
    assert len(tasks.programs.commands) == 4
    assert capsys.readouterr().out.count("Making .venv") == 1


@pytest.mark.parametrize("verbose", [True, False])
def test_what_programs_say_is_logged_and_shown_on_request(folder, capsys, verbose):
    """The real `logged`, in a folder and with a path that have a space and an umlaut."""
    tasks = load(folder)
    tasks.VENV.mkdir()
    program = "import os, sys; print(os.getcwd()); print(sys.argv[1]); sys.exit(7)"
    code, said = tasks.logged([sys.executable, "-c", program, str(tasks.VENV)], verbose)
    assert (code, said.splitlines()) == (7, [str(tasks.ROOT), str(tasks.VENV)])
    assert tasks.LOG.read_text(encoding="utf-8").endswith(said)
    assert capsys.readouterr().out == (said if verbose else "")


def test_elsewhere_than_on_linux_the_plain_build_is_taken(tasks, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert tasks.main(["setup"]) == 0
    assert len(tasks.programs.installs()) == 2 and "pytorch.org" not in str(tasks.programs.commands)


def test_without_a_cpu_build_the_plain_pin_is_taken_and_said(tasks, capsys):
    tasks.programs.failures["+cpu"] = "ERROR: No matching distribution found for torch==2.13.0+cpu"
    assert tasks.main(["setup"]) == 0
    assert tasks.programs.installs()[1:] == ["--only-binary :all: -r requirements.txt",
                                             "--no-deps --no-build-isolation --editable ."]
    assert "several GB" in capsys.readouterr().out


@pytest.mark.parametrize("plus", ["+", "%2B"])
def test_a_cpu_build_that_breaks_off_is_not_replaced_by_cuda(tasks, capsys, plus):
    tasks.programs.failures["+cpu"] = (f"Downloading https://example.org/torch-2.13.0{plus}cpu-cp311-linux.whl\n"
                                       "ReadTimeoutError: Read timed out.")
    assert tasks.main(["setup"]) == 1
    assert "cannot be reached" in sentence(capsys) and len(tasks.programs.installs()) == 1


def test_the_newest_releases_come_without_cuda_too(tasks, monkeypatch):
    ran(tasks, monkeypatch)
    assert tasks.main(["--newest", "test"]) == 0 and tasks.main(["--newest", "test", "-x"]) == 0
    torch, rest = tasks.programs.installs()     # once
    assert "--no-deps" in torch and "--no-index --find-links" in torch
    assert torch.endswith("/whl/cpu/torch/ torch>=2.6")
    assert rest == "--editable .[test]"


@pytest.mark.parametrize("file", ["requirements.txt", "pyproject.toml"])
def test_a_changed_lock_is_installed_into_the_same_venv(ready, monkeypatch, capsys, file):
    ran(ready, monkeypatch)
    with (ready.ROOT / file).open("a") as lock:
        lock.write("# a change\n")
    keepsake = ready.VENV / "keepsake"
    keepsake.touch()
    assert ready.main(["test"]) == 0 and len(ready.programs.commands) == 3 and keepsake.exists()
    assert "up to date" in capsys.readouterr().out
    assert ready.main(["test"]) == 0 and len(ready.programs.commands) == 3


def test_an_update_that_fails_leaves_what_stood(ready, capsys):
    before = ready.STAMP.read_text()
    lock = ready.ROOT / "requirements.txt"
    lock.write_text(lock.read_text() + "nonesuch==9\n")
    ready.programs.failures["-r requirements"] = "ERROR: No matching distribution found for nonesuch==9"
    assert ready.main(["lab"]) == 1
    assert "There is no nonesuch==9 for Python" in sentence(capsys)
    assert ready.STAMP.read_text() == before and ready.sound()


def test_a_venv_is_unfinished_while_it_is_worked_on(ready):
    def killed(command, verbose):
        assert "pip install" in " ".join(command) and ready.stamp() == {}
        raise SystemExit(143)

    ready.logged = killed
    with pytest.raises(SystemExit):
        ready.main(["setup"])
    assert ready.STAMP.exists() and ready.stamp() == {}


def test_a_new_venv_that_fails_does_not_pass_for_the_old_one(ready, capsys):
    ready.programs.failures[".[test]"] = "OSError: [Errno 28] No space left on device"
    assert ready.main(["--newest", "lab"]) == 1 and "The disk is full" in sentence(capsys)
    assert ready.stamp() == {}


def test_setup_repairs_even_what_looks_sound(ready):
    assert ready.main(["setup"]) == 0
    assert len(ready.programs.installs()) == 3 and "-m venv" not in str(ready.programs.commands)


def spoil_stamp(tasks):
    tasks.STAMP.write_text("{}")


def spoil_stamp_text(tasks):
    tasks.STAMP.write_text("[1, 2")


def spoil_python(tasks):
    tasks.PYTHON.unlink()


def spoil_pip(tasks):
    site = next(tasks.VENV.glob("**/site-packages"))
    (site / "pip" / "__init__.py").unlink()
    (site / "pip").rmdir()


def spoil_numpy(tasks):
    site = next(tasks.VENV.glob("**/site-packages"))
    (site / "numpy" / "__init__.py").unlink()
    (site / "numpy").rmdir()


def restamp(**changes):
    def spoil(tasks):
        tasks.STAMP.write_text(json.dumps({**json.loads(tasks.STAMP.read_text()), **changes}))
    return spoil


@pytest.mark.parametrize(("spoil", "reason"), [
    (spoil_stamp, "an earlier set-up did not come to its end"),
    (spoil_stamp_text, "an earlier set-up did not come to its end"),
    (spoil_python, "something in it is broken or missing"),
    (spoil_pip, "something in it is broken or missing"),
    (spoil_numpy, "something in it is broken or missing"),
    (restamp(folder="/where/it/was"), "it was made in /where/it/was"),
    (restamp(folder=str(ROOT)), "it was made in " + str(ROOT)),
    (restamp(python="3.1"), "it was made with Python 3.1"),
    (restamp(newest=True), "it holds the newest releases"),
])
def test_a_venv_of_no_more_use_is_made_anew(ready, monkeypatch, capsys, spoil, reason):
    commands = ran(ready, monkeypatch)
    spoil(ready)
    assert ready.main(["lab"]) == 0 and len(commands) == 1
    assert f"Removing the old .venv: {reason}." in capsys.readouterr().out
    assert "-m venv" in ready.programs.commands[0] and len(ready.programs.installs()) == 3
    assert ready.sound() and not list(ready.ROOT.glob(".venv-*"))


def test_a_first_setup_that_fails_is_made_anew(tasks, capsys):
    tasks.programs.failures["-r requirements"] = "ERROR: something new\n\n  under the sun"
    assert tasks.main(["setup"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("The set-up failed:\n    ERROR: something new\n      under the sun\n")
    assert str(tasks.LOG) in said and "Traceback" not in said
    tasks.programs.failures.clear()
    assert tasks.main(["setup"]) == 0 and "did not come to its end" in capsys.readouterr().out


def test_a_venv_made_by_hand_is_kept(tasks, capsys):
    tasks.VENV.mkdir()
    (tasks.VENV / "mine").touch()
    assert tasks.main(["setup"]) == 0
    [kept] = tasks.ROOT.glob(".venv-*")
    assert (kept / "mine").exists() and f"it is kept as {kept.name}." in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for a privilege to make a link")
def test_a_venv_that_stands_elsewhere_is_not_removed(ready, tmp_path):
    elsewhere = ready.VENV.rename(tmp_path / "elsewhere")
    ready.VENV.symlink_to(elsewhere)
    spoil_numpy(ready)
    assert ready.main(["setup"]) == 0
    assert (elsewhere / "tasks.json").exists() and not ready.VENV.is_symlink() and ready.sound()


def test_an_activated_venv_is_made_anew_by_the_python_below_it(tasks, monkeypatch):
    monkeypatch.setattr(sys, "_base_executable", "the-python-below")
    assert tasks.main(["setup"]) == 0
    assert tasks.programs.commands[0].startswith("the-python-below -m venv ")


def test_lab_asks_learners_nothing_about_news_and_keeps_the_state_of_widgets(ready):
    [file] = ready.VENV.glob("share/jupyter/lab/settings/overrides.json")
    assert json.loads(file.read_text()) == {
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
        "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}}


def test_a_removal_that_was_cut_short_is_ended(ready):
    spoil_stamp(ready)
    (ready.ROOT / ".venv-trash" / "lib").mkdir(parents=True)
    assert ready.main(["setup"]) == 0 and not list(ready.ROOT.glob(".venv-*"))


def test_a_venv_that_cannot_be_removed_is_told(ready, monkeypatch, capsys):
    spoil_stamp(ready)

    def refuse(*_):
        raise PermissionError(13, "in use")

    monkeypatch.setattr(Path, "rename", refuse)
    assert ready.main(["setup"]) == 1
    assert "close what still runs in it" in sentence(capsys) and ready.VENV.exists()


def test_two_setups_do_not_work_at_once(tasks, capsys):
    with tasks.alone():
        assert tasks.main(["setup"]) == 1
    assert sentence(capsys).startswith("Another set-up of this folder is running")
    assert not tasks.VENV.exists() and tasks.main(["setup"]) == 0


@pytest.mark.skipif(os.name == "nt", reason="on Windows, pip ends with its console")
def test_a_pip_that_outlives_us_keeps_the_lock(folder):
    tasks = load(folder)
    tasks.VENV.mkdir()
    orphan = "import time; time.sleep(1)"
    parent = (f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{orphan}'], "
              "close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)")
    with tasks.alone():
        tasks.logged([sys.executable, "-c", parent], False)
    with pytest.raises(tasks.Stop, match="Another set-up"), tasks.alone():
        pass
    time.sleep(1.5)
    with tasks.alone():
        pass


@pytest.mark.parametrize(("said", "told"), [
    ("WARNING: Retrying after connection broken by 'NewConnectionError'\n"
     "ERROR: No matching distribution found for anyio==4", "The package index cannot be reached: "),
    ("Could not fetch URL https://x: There was a problem confirming the ssl certificate",
     "The package index cannot be reached: "),
    ("ERROR: No matching distribution found for torch==2.13.0", "There is no torch==2.13.0 for Python 3."),
    ("OSError: [Errno 28] No space left on device", "The disk is full: "),
])
def test_what_pip_says_becomes_a_sentence(tasks, capsys, said, told):
    tasks.programs.failures["-r requirements"] = said
    assert tasks.main(["lab"]) == 1
    line = sentence(capsys)
    assert told in line and line.endswith(f"What pip said is in {tasks.LOG}")


def test_a_refusal_of_the_system_is_told(tasks, monkeypatch, capsys):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(tasks.VENV))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert tasks.main(["setup"]) == 1
    assert sentence(capsys).startswith("The system refuses: ")


def test_without_a_network_the_real_pip_ends_in_a_sentence(folder, tmp_path):
    """A real .venv and a real pip, whose every way out is a closed door on this machine."""
    (folder / "requirements.txt").write_text("nonesuch-by-hand==1\ntorch==0.0.1\n")
    door = "http://127.0.0.1:9"
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    variables.update(PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL=door + "/simple", PIP_RETRIES="1",
                     **dict.fromkeys(["HTTPS_PROXY", "https_proxy"], door), no_proxy="127.0.0.1")
    done = subprocess.run([sys.executable, folder / "tasks.py", "lab"], cwd=tmp_path, env=variables,
                          capture_output=True, encoding="utf-8", errors="replace")
    assert done.returncode == 1
    assert re.fullmatch(r"The package index cannot be reached: .*setup\.log\n", done.stderr)
    assert "nonesuch-by-hand" in (folder / ".venv" / "setup.log").read_text(encoding="utf-8")


# --- the verbs -------------------------------------------------------------------------------

def test_lab_opens_the_first_notebook_with_the_folder_as_root(ready, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    commands = ran(ready, monkeypatch)
    assert ready.main(["lab", "--port", "9999"]) == 0
    assert commands == ["PYTHON -m jupyterlab --ServerApp.root_dir=. "
                        "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb --port 9999"]


@pytest.mark.parametrize(("user", "screen", "extra"), [
    (0, "DISPLAY", ["--allow-root"]), (1000, "WAYLAND_DISPLAY", []), (1000, "", ["--no-browser"]),
    (0, "", ["--allow-root", "--no-browser"])])
def test_lab_as_root_and_without_a_screen(ready, monkeypatch, user, screen, extra):
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    if screen:
        monkeypatch.setenv(screen, "x")
    commands = ran(ready, monkeypatch)
    ready.main(["lab"])
    assert [word for word in ("--allow-root", "--no-browser") if word in commands[0]] == extra
    assert "token" not in commands[0] and "--ip" not in commands[0]


def test_lab_on_windows_asks_for_no_user(ready, monkeypatch):
    monkeypatch.delattr(os, "geteuid", raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    commands = ran(ready, monkeypatch)
    assert ready.main(["lab"]) == 0
    assert "--allow-root" not in commands[0] and "--no-browser" not in commands[0]


def test_leaving_lab_by_ctrl_c_is_no_failure(ready, monkeypatch, capsys):
    ran(ready, monkeypatch, KeyboardInterrupt())
    assert ready.main(["lab"]) == 0 and capsys.readouterr().err == ""


@pytest.mark.parametrize(("codes", "result"), [
    ((0, 0, 0, 0), 0), ((1, 0, 0, 0), 1), ((0, 1, 0, 0), 1), ((0, 0, 5, 0), 1), ((0, 0, 0, 1), 1)])
@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="no kernels to choose")
def test_all_checks_run_whichever_fails(ready, monkeypatch, capsys, codes, result):
    commands = ran(ready, monkeypatch, *codes)
    assert ready.main(["test"]) == result
    assert commands[:3] == ["PYTHON -m ruff check", "PYTHON -m pytest tests -n 2 --dist loadscope",
                            "PYTHON -m pytest --nbval notebooks -n 2 --dist loadscope",
                        "PYTHON -m pytest tests/functional tests/theory --nbval "
                        "notebooks/03_matrix_derivatives.ipynb -n 2"]
    assert ready.variables[:3] == [{}, {}, {}] and ready.variables[3] == ready.OLDER
    assert commands[3].startswith("PYTHON -m pytest -n 2 --nbval notebooks/0")
    named = [name for name in commands[3].split() if name.endswith((".py", ".ipynb"))]
    assert len(named) > 5 and all((ROOT / name).exists() for name in named)
    assert ready.variables == [{}, {}, {}, ready.OLDER]
    said = capsys.readouterr().out
    assert said.count("FAILED") == sum(map(bool, codes)) and said.count("passed") == codes.count(0)
    shown = re.findall(r"(?m)^\$ (\S+) -m (.*)", said)
    assert [words for _, words in shown] == [command.removeprefix("PYTHON -m ") for command in commands]
    assert {(ready.ROOT / python).exists() for python, _ in shown} == {True}


@pytest.mark.parametrize(("before", "after"), [(None, "1"), ("4", "4")])
def test_workers_do_not_wait_for_one_anothers_threads(ready, monkeypatch, before, after):
    ran(ready, monkeypatch, 0)
    for name in ready.ONE_THREAD:
        monkeypatch.setenv(name, before or "")       # so that it is as before when the test ends
        if before is None:
            monkeypatch.delenv(name)
    assert ready.main(["test", "-k", "conv"]) == 0
    assert {os.environ[name] for name in ready.ONE_THREAD} == {after}


def test_options_of_test_are_for_pytest(ready, monkeypatch):
    commands = ran(ready, monkeypatch, 4)
    assert ready.main(["test", "-k", "conv"]) == 4 and commands == ["PYTHON -m pytest -k conv"]


def test_ctrl_c_ends_the_checks(ready, monkeypatch, capsys):
    commands = ran(ready, monkeypatch, 0, KeyboardInterrupt(), 0)
    assert ready.main(["test"]) == 130 and len(commands) == 2
    assert capsys.readouterr().err == "\nStopped.\n"


def test_refresh_takes_names_as_seen_from_where_one_stands(ready, monkeypatch, tmp_path):
    (tmp_path / "x.ipynb").touch()
    monkeypatch.chdir(tmp_path)
    commands = ran(ready, monkeypatch)
    assert ready.main(["refresh", "x.ipynb", "--check"]) == 0
    assert commands == [f"PYTHON tools/refresh.py {tmp_path / 'x.ipynb'} --check"]


def test_bench_runs_all_in_order_or_those_that_are_named(ready, monkeypatch, capsys):
    for name in ("bench_b.py", "bench_a.py", "common.py"):
        (ready.ROOT / "benchmarks" / name).touch()
    commands = ran(ready, monkeypatch, 0, 3, 0)
    assert ready.main(["bench"]) == 3
    assert [Path(command).stem for command in commands] == ["bench_a", "bench_b"]
    assert ready.main(["bench", "b"]) == 0 and commands[2].endswith("bench_b.py")
    assert ready.main(["bench", "b", "c"]) == 1 and len(commands) == 3
    assert sentence(capsys) == "There is no benchmark 'c'; there are: a, b."


def test_lock_says_what_it_needs(tasks, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert tasks.main(["lock"]) == 1
    assert "pip install uv" in sentence(capsys) and not tasks.VENV.exists()


def test_lock_goes_by_the_oldest_python_for_every_system(tasks, monkeypatch):
    monkeypatch.setattr(tasks.shutil, "which", lambda name: name)
    commands = ran(tasks, monkeypatch)
    assert tasks.main(["lock", "--upgrade"]) == 0
    assert commands[0].startswith("uv pip compile pyproject.toml --output-file requirements.txt --universal "
                                  "--python-version 3.11 --extra test") and commands[0].endswith(" --upgrade")
    assert "python3 tasks.py lock" in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()[1]


def test_programs_see_the_venv_and_nothing_that_leads_astray(tasks, monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "MPLBACKEND", "OF_THE_USER"):
        monkeypatch.setenv(name, "x")
    variables = tasks.environment()
    assert not {"PYTHONPATH", "PYTHONHOME", "MPLBACKEND"} & set(variables)
    assert variables["OF_THE_USER"] == "x" and variables["PYTHONUTF8"] == "1"
    assert variables["PIP_USER"] == "0"     # where it is set to 1, pip refuses to work in .venv
    assert variables["PATH"].split(os.pathsep)[0] == str(tasks.PYTHON.parent)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to pass on")
def test_a_program_ends_with_us(ready):
    (ready.ROOT / "benchmarks" / "bench_long.py").write_text(
        "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen([sys.executable, ready.ROOT / "tasks.py", "bench"], stdout=subprocess.PIPE,
                          encoding="utf-8") as process:
        child = int(process.stdout.readline())
        process.terminate()
        assert process.wait(20) == 143
    with contextlib.suppress(ProcessLookupError):
        for _ in range(100):
            os.kill(child, 0)
            time.sleep(0.05)
        pytest.fail("the benchmark outlived tasks.py")


# --- the same everywhere ---------------------------------------------------------------------

def test_the_continuous_integration_runs_what_a_teacher_runs():
    script = ROOT / ".ci" / "run"
    assert "tasks.py test" in script.read_text(encoding="utf-8")
    assert os.name == "nt" or os.access(script, os.X_OK)
    for name, arguments in (("tests", "test"), ("newest", "--newest test")):
        file = ROOT / ".github" / "workflows" / f"{name}.yml"
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] <= 60
            assert f"python tasks.py {arguments}" in [step.get("run") for step in job["steps"]]


def test_no_file_of_the_house_names_a_place_that_only_we_have():
    for name in ("tasks.py", "requirements.txt", "environment.yml", "pyproject.toml", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        hosts = set(re.findall(r"https?://([^/\s\"]+)", text))
        assert hosts <= {"download.pytorch.org"}, name
        assert not re.findall(r"(?<![\w.])/(?:opt|root|home|work)/", text), name

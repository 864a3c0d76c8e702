"""tasks.py and what it hands on to, with programs that only pretend: what is started, kept and said."""
import ast
import contextlib
import importlib.util
import json
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import check
import lock
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
VERBS = ("lab", "test", "refresh", "bench", "marks", "site", "translate", "setup", "lock")
WINDOWS = os.name == "nt"
PINNED = "--only-binary :all: -r requirements.txt"
HELPERS = "--no-deps --no-build-isolation --editable ."


class Programs:
    """In the place of programs: makes an empty .venv and packages without content, notes the others."""

    def __init__(self, tasks, install):
        self.tasks, self.install, self.failures = tasks, install, {}
        self.made, self.pips, self.handed, self.codes = [], [], [], []

    def run(self, *command):
        """In the place of `tasks.run`."""
        line = " ".join(map(str, command))
        if "-m venv" in line:
            self.made.append(line)
            venv.create(self.tasks.VENV, with_pip=False, symlinks=not WINDOWS)
            return 0
        if "install.py" in line:
            return self.install.main(list(map(str, command[2:])))
        line = line.replace(str(self.tasks.PYTHON), "PYTHON")
        self.handed.append(line.replace(str(self.tasks.ROOT), "HERE"))
        return self.codes.pop(0) if self.codes else 0

    def logged(self, command, verbose):
        """In the place of `install.logged`."""
        self.pips.append(" ".join(command).split("--progress-bar off ")[1])
        for part, said in self.failures.items():
            if part in self.pips[-1]:
                return 1, said
        site = next(self.tasks.VENV.glob("**/site-packages"))
        for name in ["pip", *self.tasks.NEEDED]:
            (site / name).mkdir(exist_ok=True)
            (site / name / "__init__.py").touch()
        return 0, ""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of what tasks.py needs, in a folder whose name asks for care."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))     # where the lock of `alone` lies
    monkeypatch.setenv("TMPDIR", str(tmp_path))                 # and for those that we start
    folder = tmp_path / "zwei Wörter, été"
    for name in ("benchmarks", "tools"):
        (folder / name).mkdir(parents=True)
    for name in ("tasks.py", "tools/install.py", "tools/check.py", "benchmarks/__main__.py"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "requirements.txt").write_text("numpy==2.4.6\ntorch==2.13.0            # via here\n")
    (folder / "pyproject.toml").write_text('dependencies = [\n    "torch>=2.6",  # reference\n]\n')
    return folder


def load(file):
    """A program of that folder as a module."""
    spec = importlib.util.spec_from_file_location(f"{file.stem}_of_a_test", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tasks(folder, monkeypatch):
    """tasks.py of that folder as a module, on Linux, in front of no screen."""
    module, install = load(folder / "tasks.py"), load(folder / "tools/install.py")
    module.programs = Programs(module, install)
    module.run, install.logged = module.programs.run, module.programs.logged
    install.VENV, install.LOG = module.VENV, module.VENV / "setup.log"
    monkeypatch.setattr(signal, "signal", lambda *_: None)      # pytest's own stay
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return module


@pytest.fixture
def ready(tasks, capsys):
    """The same with a finished .venv, and nothing said or started so far."""
    assert tasks.main(["setup"]) == 0
    for noted in (tasks.programs.made, tasks.programs.pips, tasks.programs.handed):
        noted.clear()
    capsys.readouterr()
    return tasks


def sentence(capsys):
    """The one line on standard error: no traceback, and a full stop or a path at its end."""
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    assert "Traceback" not in lines[0] and lines[0].count(" ") > 3
    return lines[0]


def refuse(*_, **__):
    raise PermissionError(13, "in use")


# --- the command line, and what it needs -----------------------------------------------------

@pytest.mark.parametrize("arguments", [[], ["help"], ["-h"], ["--verbose", "--help", "lab"]])
def test_without_a_verb_it_explains_itself(tasks, capsys, arguments):
    assert tasks.main(arguments) == 0
    explained = capsys.readouterr().out
    assert all(re.search(rf"^  {verb} .{{20}}", explained, re.M) for verb in VERBS)
    assert set(VERBS) == {"lab", "setup", *tasks.SCRIPTS} and not tasks.VENV.exists()
    assert all((ROOT / script).exists() for script in tasks.SCRIPTS.values())


@pytest.mark.parametrize(("arguments", "name"), [(["labb"], "labb"), (["--fast", "lab"], "--fast"),
                                                 (["setup", "now"], "now")])
def test_an_unknown_word_is_named_and_the_known_ones_listed(tasks, capsys, arguments, name):
    assert tasks.main(arguments) == 2
    said = capsys.readouterr().out
    assert f"There is no {name!r}." in said and all(f"\n  {verb} " in said for verb in VERBS)
    assert not tasks.VENV.exists()


def test_an_old_python_is_told_so_in_a_sentence(tasks, capsys, monkeypatch):
    monkeypatch.setattr(tasks, "OLDEST", (99, 7))
    assert tasks.main(["lab"]) == 1 and not tasks.VENV.exists()
    assert re.match(r"This is Python 3\.\d+, and Gradients by Hand needs 99\.7 or newer: install one",
                    sentence(capsys))


def test_an_old_python_can_read_the_file():
    """Grammar, annotations that are evaluated, and modules: those of Python 3.6."""
    tree = ast.parse((ROOT / "tasks.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    hints = [hint for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
             for hint in [node.returns, *(argument.annotation for argument in node.args.args)]]
    assert not [hint for hint in hints if isinstance(hint, (ast.Subscript, ast.BinOp))]
    imported = {name.name.split(".")[0] for node in ast.walk(tree)
                if isinstance(node, ast.Import) for name in node.names}
    assert imported <= sys.stdlib_module_names and "tomllib" not in imported


def test_tasks_is_short():
    assert len((ROOT / "tasks.py").read_text(encoding="utf-8").splitlines()) <= 250


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_missing_venv_module_is_told_with_its_package(tasks, capsys, monkeypatch, missing):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    assert tasks.main(["lab"]) == 1 and not tasks.VENV.exists()
    assert f"`sudo apt install python{tasks.VERSION}-venv`" in sentence(capsys)


def test_programs_see_the_venv_and_nothing_that_leads_astray(tasks, monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "MPLBACKEND", "OF_THE_USER"):
        monkeypatch.setenv(name, "x")
    variables = tasks.environment()
    assert not {"PYTHONPATH", "PYTHONHOME", "MPLBACKEND"} & set(variables)
    assert variables["OF_THE_USER"] == "x" and variables["PYTHONUTF8"] == "1"
    assert variables["PIP_USER"] == "0"     # where it is set to 1, pip refuses to work in .venv
    assert variables["PATH"].split(os.pathsep)[0] == str(tasks.PYTHON.parent)


# --- making .venv ----------------------------------------------------------------------------

def test_the_first_time_all_is_made_and_the_second_nothing(tasks, capsys):
    programs = tasks.programs
    assert tasks.main(["lab"]) == 0 and len(programs.handed) == 1
    assert programs.made[0].endswith(f"-m venv {tasks.VENV}")
    torch, *rest = programs.pips
    assert "--no-deps" in torch and torch.endswith("download.pytorch.org/whl/cpu torch==2.13.0+cpu")
    assert "--retries 0 --timeout 10" in torch and rest == [PINNED, HELPERS]
    assert json.loads(next(tasks.VENV.glob("share/jupyter/lab/settings/overrides.json")).read_text()) == {
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
        "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}}
    assert tasks.main(["lab"]) == 0 and len(programs.handed) == 2 and len(programs.pips) == 3
    assert capsys.readouterr().out.count("Making .venv") == 1


@pytest.mark.parametrize("verbose", [True, False])
def test_what_programs_say_is_logged_and_shown_on_request(folder, capsys, verbose):
    """The real `logged`, in a folder and with a path that have a space and an umlaut."""
    install = load(folder / "tools/install.py")
    install.LOG = folder / "setup.log"
    program = "import os, sys; print(os.getcwd()); print(sys.argv[1]); sys.exit(7)"
    code, said = install.logged([sys.executable, "-c", program, str(folder)], verbose)
    assert (code, said.splitlines()) == (7, [str(folder), str(folder)])
    assert install.LOG.read_text(encoding="utf-8").endswith(said)
    assert capsys.readouterr().out == (said if verbose else "")


def test_elsewhere_than_on_linux_the_plain_build_is_taken(tasks, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert tasks.main(["setup"]) == 0 and tasks.programs.pips == [PINNED, HELPERS]


def test_without_a_cpu_build_the_plain_pin_is_taken_and_said(tasks, capsys):
    tasks.programs.failures["+cpu"] = "ERROR: No matching distribution found for torch==2.13.0+cpu"
    assert tasks.main(["setup"]) == 0 and tasks.programs.pips[1:] == [PINNED, HELPERS]
    assert "several GB" in capsys.readouterr().out


@pytest.mark.parametrize("plus", ["+", "%2B"])
def test_a_cpu_build_that_breaks_off_is_not_replaced_by_cuda(tasks, capsys, plus):
    tasks.programs.failures["+cpu"] = (f"Downloading https://example.org/torch-2.13.0{plus}cpu-cp311-linux.whl\n"
                                       "ReadTimeoutError: Read timed out.")
    assert tasks.main(["setup"]) == 1 and len(tasks.programs.pips) == 1
    assert "cannot be reached" in sentence(capsys)


def test_the_newest_releases_come_without_cuda_too(tasks):
    assert tasks.main(["--newest", "test"]) == 0 and tasks.main(["--newest", "test", "-x"]) == 0
    torch, rest = tasks.programs.pips     # once
    assert "--no-deps" in torch and "--no-index --find-links" in torch
    assert torch.endswith("/whl/cpu/torch/ torch>=2.6") and rest == "--editable .[test]"


@pytest.mark.parametrize("file", ["requirements.txt", "pyproject.toml"])
def test_a_changed_lock_is_installed_into_the_same_venv(ready, capsys, file):
    with (ready.ROOT / file).open("a") as changed:
        changed.write("# a change\n")
    for _ in range(2):      # the second time, nothing is left to do
        assert ready.main(["test"]) == 0 and len(ready.programs.pips) == 3 and not ready.programs.made
    assert capsys.readouterr().out.count("up to date") == 1


def test_an_update_that_fails_leaves_what_stood(ready, capsys):
    before = ready.STAMP.read_text()
    with (ready.ROOT / "requirements.txt").open("a") as changed:
        changed.write("nonesuch==9\n")
    ready.programs.failures["-r requirements"] = "ERROR: No matching distribution found for nonesuch==9"
    assert ready.main(["lab"]) == 1 and not ready.programs.handed
    assert "There is no nonesuch==9 for Python" in sentence(capsys)
    assert ready.STAMP.read_text() == before and ready.sound()


@pytest.mark.parametrize("ended", [KeyboardInterrupt(), SystemExit(143)])
def test_a_set_up_that_is_cut_short_is_unfinished(ready, ended):
    def killed(command, verbose):
        assert "pip install" in " ".join(command) and ready.stamp() == {}
        raise ended

    ready.programs.install.logged = killed
    with contextlib.suppress(SystemExit):
        assert ready.main(["setup"]) == 130
    assert ready.STAMP.exists() and ready.stamp() == {}


def test_a_new_venv_that_fails_does_not_pass_for_the_old_one(ready, capsys):
    ready.programs.failures[".[test]"] = "OSError: [Errno 28] No space left on device"
    assert ready.main(["--newest", "lab"]) == 1 and "The disk is full" in sentence(capsys)
    assert ready.stamp() == {}


def test_setup_repairs_even_what_looks_sound(ready):
    assert ready.main(["setup"]) == 0 and len(ready.programs.pips) == 3 and not ready.programs.made


def spoil_python(tasks):
    tasks.PYTHON.unlink()


def without(name):
    return lambda tasks: shutil.rmtree(next(tasks.VENV.glob("**/site-packages")) / name)


def restamp(text=None, **changes):
    return lambda tasks: tasks.STAMP.write_text(text or json.dumps({**tasks.stamp(), **changes}))


@pytest.mark.parametrize(("spoil", "reason"), [
    (restamp("{}"), "an earlier set-up did not come to its end"),
    (restamp("[1, 2"), "an earlier set-up did not come to its end"),
    (spoil_python, "something in it is broken or missing"),
    (without("pip"), "something in it is broken or missing"),
    (without("numpy"), "something in it is broken or missing"),
    (restamp(folder="/where/it/was"), "it was made in /where/it/was"),
    (restamp(folder=str(ROOT)), "it was made in " + str(ROOT)),
    (restamp(python="3.1"), "it was made with Python 3.1"),
    (restamp(newest=True), "it holds the newest releases"),
])
def test_a_venv_of_no_more_use_is_made_anew(ready, capsys, spoil, reason):
    spoil(ready)
    (ready.ROOT / ".venv-trash" / "lib").mkdir(parents=True)    # of a removal that was cut short
    assert ready.main(["lab"]) == 0 and len(ready.programs.handed) == 1
    assert f"Removing the old .venv: {reason}." in capsys.readouterr().out
    assert len(ready.programs.made) == 1 and len(ready.programs.pips) == 3
    assert ready.sound() and not list(ready.ROOT.glob(".venv-*"))


def test_a_venv_made_by_hand_is_kept(tasks, capsys):
    tasks.VENV.mkdir()
    (tasks.VENV / "mine").touch()
    assert tasks.main(["setup"]) == 0
    [kept] = tasks.ROOT.glob(".venv-*")
    assert (kept / "mine").exists() and f"it is kept as {kept.name}." in capsys.readouterr().out


@pytest.mark.skipif(WINDOWS, reason="Windows asks for a privilege to make a link")
def test_a_venv_that_stands_elsewhere_is_not_removed(ready, tmp_path):
    elsewhere = ready.VENV.rename(tmp_path / "elsewhere")
    ready.VENV.symlink_to(elsewhere)
    without("numpy")(ready)
    assert ready.main(["setup"]) == 0
    assert (elsewhere / "tasks.json").exists() and not ready.VENV.is_symlink() and ready.sound()


def test_an_activated_venv_is_made_anew_by_the_python_below_it(tasks, monkeypatch):
    monkeypatch.setattr(sys, "_base_executable", "the-python-below")
    assert tasks.main(["setup"]) == 0 and tasks.programs.made[0].startswith("the-python-below -m venv ")


def test_a_venv_that_cannot_be_removed_is_told(ready, monkeypatch, capsys):
    restamp("{}")(ready)
    monkeypatch.setattr(Path, "rename", refuse)
    assert ready.main(["setup"]) == 1
    assert "close what still runs in it" in sentence(capsys) and ready.VENV.exists()


def test_two_setups_do_not_work_at_once(tasks, capsys):
    with tasks.alone():
        assert tasks.main(["setup"]) == 1
    assert sentence(capsys).startswith("Another set-up of this folder is running")
    assert not tasks.VENV.exists() and tasks.main(["setup"]) == 0


@pytest.mark.skipif(WINDOWS, reason="on Windows, pip ends with its console")
@pytest.mark.parametrize("by", ["tasks", "install"])
def test_a_pip_that_outlives_us_keeps_the_lock(folder, by):
    tasks, install = load(folder / "tasks.py"), load(folder / "tools/install.py")
    install.LOG = folder / "log"
    parent = ("import subprocess, sys; orphan = [sys.executable, '-c', 'import time; time.sleep(1)']; "
              "subprocess.Popen(orphan, close_fds=False, stdout=-3, stderr=-3)")      # to nowhere
    command = [sys.executable, "-c", parent]
    with tasks.alone():
        tasks.run(*command) if by == "tasks" else install.logged(command, False)
    with pytest.raises(tasks.Stop, match="Another set-up"), tasks.alone():
        pass
    time.sleep(1.3)
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
    assert line.startswith(told) and line.endswith(f"What pip said is in {tasks.VENV / 'setup.log'}")


def test_what_no_sentence_is_known_for_is_quoted_and_the_next_start_begins_anew(tasks, capsys):
    tasks.programs.failures["-r requirements"] = "ERROR: something new\n\n  under the sun"
    assert tasks.main(["setup"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("The set-up failed:\n    ERROR: something new\n      under the sun\n")
    assert "setup.log" in said and "Traceback" not in said
    tasks.programs.failures.clear()
    assert tasks.main(["setup"]) == 0 and "did not come to its end" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["tasks", "install"])
def test_a_refusal_of_the_system_is_told(tasks, monkeypatch, capsys, where):
    if where == "tasks":
        monkeypatch.setattr(Path, "mkdir", refuse)
    else:
        tasks.programs.install.logged = refuse
    assert tasks.main(["setup"]) == 1
    assert sentence(capsys).startswith("The system refuses: ")


def test_without_a_network_the_real_pip_ends_in_a_sentence(folder, tmp_path):
    """A real .venv and a real pip, started from elsewhere; every way out is a closed door on this machine."""
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

@pytest.mark.parametrize(("user", "screen", "extra"), [
    (0, "DISPLAY", ["--allow-root"]), (1000, "WAYLAND_DISPLAY", []), (1000, "", ["--no-browser"]),
    (None, "DISPLAY", [])])     # Windows knows no number of a user
def test_lab_opens_the_first_notebook_with_the_folder_as_root(ready, monkeypatch, user, screen, extra):
    monkeypatch.delattr(os, "geteuid", raising=False)
    if user is not None:
        monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    monkeypatch.setenv(screen or "NO_SCREEN", "x")
    assert ready.main(["lab", "--port", "9999"]) == 0
    assert ready.programs.handed == [" ".join([
        "PYTHON -m jupyterlab --ServerApp.root_dir=HERE "
        "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb", *extra, "--port 9999"])]


@pytest.mark.parametrize("verb", ["test", "refresh", "bench", "lock", "site"])
def test_a_verb_is_handed_on_with_its_options_and_its_exit_code(ready, monkeypatch, verb):
    monkeypatch.setattr(sys, "executable", str(ready.PYTHON))       # which writes the lock and the page
    ready.programs.codes = [4]
    assert ready.main([verb, "x y", "--check"]) == 4
    assert ready.programs.handed == [f"PYTHON HERE/{ready.SCRIPTS[verb]} x y --check".replace("/", os.sep)]


def checked(monkeypatch, options, *codes):
    """What check.py is asked to run, and its exit code; programs return these codes, or raise them."""
    commands, answers = [], list(codes)

    def run(*command, **variables):
        commands.append((shlex.join(command), variables))
        answer = answers.pop(0) if answers else 0
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(check, "run", run)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(check.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(check, "runs_here", lambda name: name != "SkylakeX")
    return commands, check.main(options)


@pytest.mark.parametrize("failing", [None, 0, 1, 2])
def test_all_checks_run_whichever_fails(monkeypatch, capsys, failing):
    codes = [int(k == failing) for k in range(3)]
    commands, result = checked(monkeypatch, [], *codes)
    assert result == any(codes) and [line.split()[0] for line, _ in commands] == ["ruff"] + 2 * ["pytest"]
    assert [variables for _, variables in commands] == [{}, {}, check.kernels("Nehalem")]
    assert " --nbval notebooks/0" in commands[2][0]
    said = capsys.readouterr().out
    assert said.count("FAILED") == sum(codes) and said.count("passed") == 3 - sum(codes)
    assert re.findall(r"(?m)^\$ .*?-m (.*)", said) == [line for line, _ in commands]
    assert " -m 'not long' " in commands[1][0]
    named = [word for line, _ in commands for word in line.split() if "/" in word]
    assert len(named) > 2 and all((ROOT / name).exists() for name in named)


def test_all_of_all_has_every_notebook_under_each_kernel_that_runs_here(monkeypatch):
    commands, result = checked(monkeypatch, ["--all"])
    kernels = [variables["OPENBLAS_CORETYPE"] for line, variables in commands if line == check.EVERY]
    assert result == 0 and [*kernels, "SkylakeX"] == list(check.KERNELS)
    assert commands[1:3] == [(check.LONG_TOO, {}), (check.NBVAL, {})] and len(commands) == 4 + len(kernels)


def test_where_no_kernel_can_be_chosen_nbval_runs_every_notebook(monkeypatch):
    monkeypatch.setattr(check.platform, "machine", lambda: "arm64")
    assert list(check.checks(every=False)) == ["style", "tests", "notebooks"]


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="no kernels to choose")
def test_a_kernel_that_does_not_run_here_is_known(monkeypatch):
    assert check.runs_here("Nehalem")
    monkeypatch.setattr(check, "PRODUCT", "import os, signal; os.abort()")
    assert not check.runs_here("Nehalem")


@pytest.mark.parametrize(("before", "after"), [(None, "1"), ("4", "4")])
def test_options_of_test_are_for_pytest_and_workers_share_no_core(monkeypatch, before, after):
    for name in check.ONE_THREAD:
        monkeypatch.setenv(name, before or "")       # so that it is as before when the test ends
        if before is None:
            monkeypatch.delenv(name)
    assert checked(monkeypatch, ["-k", "conv"], 4) == ([("pytest -k conv", {})], 4)
    assert {os.environ[name] for name in check.ONE_THREAD} == {after}


def test_what_is_started_need_not_import_a_grammar(monkeypatch, capfd):
    monkeypatch.setenv("PYTHONPATH", "mine")
    asked = "import os, sys, jsonschema; print(os.environ['PYTHONPATH'], 'lark' in sys.modules)"
    assert check.run("timeit", "-n1", "-r1", asked) == 0
    assert capfd.readouterr().out.startswith(f"{check.QUICK}{os.pathsep}mine False")


def test_ctrl_c_ends_the_checks(monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        checked(monkeypatch, [], 0, KeyboardInterrupt(), AssertionError("not reached"))


def test_bench_runs_all_in_order_or_those_that_are_named(folder, monkeypatch, capsys):
    bench, ran, codes = load(folder / "benchmarks/__main__.py"), [], [0, 3, 0]
    for name in ("bench_b.py", "bench_a.py", "common.py"):
        (folder / "benchmarks" / name).touch()
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(bench.subprocess, "call", lambda line: (ran.append(line[1].stem), codes.pop(0))[1])
    assert bench.main([]) == 3 and bench.main(["b"]) == 0 and ran == ["bench_a", "bench_b", "bench_b"]
    assert bench.main(["b", "c"]) == 1 and len(ran) == 3
    assert sentence(capsys) == "There is no benchmark 'c'; there are: a, b."


def test_lock_goes_by_the_oldest_python_for_every_system_and_says_what_it_needs(monkeypatch, capsys):
    lines = []
    monkeypatch.setattr(lock.shutil, "which", lambda name: name)
    monkeypatch.setattr(lock.subprocess, "call", lambda line, cwd: lines.append((" ".join(line), cwd)) or 0)
    assert lock.main(["--upgrade"]) == 0
    for (line, cwd), (name, source) in zip(lines, lock.LOCKS.items(), strict=True):
        assert line.startswith("uv pip compile --universal --python-version 3.11 ")
        assert f" --output-file {name} {source} " in line and line.endswith(" --upgrade") and cwd == ROOT
        assert "python3 tasks.py lock" in (ROOT / name).read_text(encoding="utf-8").splitlines()[1]
    monkeypatch.setattr(lock.shutil, "which", lambda name: None)
    assert lock.main([]) == 1 and "pip install uv" in sentence(capsys)


@pytest.mark.skipif(WINDOWS, reason="Windows has no SIGTERM to pass on")
@pytest.mark.parametrize("verb", ["bench", "test"])
def test_a_program_ends_with_us(ready, verb):
    sleep = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n"
    (ready.ROOT / "benchmarks" / "bench_long.py").write_text(sleep)
    pytest_of_a_test = next(ready.VENV.glob("**/site-packages")) / "pytest"
    (pytest_of_a_test / "__main__.py").write_text(sleep)
    with subprocess.Popen([sys.executable, ready.ROOT / "tasks.py", verb, *["-x"] * (verb == "test")],
                          stdout=subprocess.PIPE, encoding="utf-8") as process:
        child = int(process.stdout.readline())
        process.terminate()
        assert process.wait(20) == 143
    with contextlib.suppress(ProcessLookupError):
        for _ in range(100):
            os.kill(child, 0)
            time.sleep(0.05)
        pytest.fail("the program outlived tasks.py")


@pytest.mark.skipif(WINDOWS, reason="Windows has no SIGINT to send")
def test_a_program_ends_in_its_own_way_at_ctrl_c(folder):
    tasks = load(folder / "tasks.py")
    program = ("import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\n"
               "time.sleep(.2)\nraise SystemExit(5)")
    assert tasks.run(sys.executable, "-c", program) == 5


# --- the same everywhere ---------------------------------------------------------------------

def workflow(name):
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))


def test_the_continuous_integration_runs_what_a_teacher_runs():
    script = ROOT / ".ci" / "run"
    assert "tasks.py test" in script.read_text(encoding="utf-8")
    assert WINDOWS or os.access(script, os.X_OK)
    long = "test tests/browser tests/notebooks tests/site -n 2 --dist loadscope"
    for name, jobs in ("tests", {"test": "test", "long": long}), ("newest", {"newest": "--newest test"}):
        assert workflow(name)["permissions"] == {"contents": "read"}
        assert set(workflow(name)["jobs"]) == set(jobs)
        for job, arguments in jobs.items():
            assert workflow(name)["jobs"][job]["timeout-minutes"] <= 60
            assert workflow(name)["jobs"][job]["steps"][-1]["run"] == f"python tasks.py {arguments}"
    job = workflow("kernels")["jobs"]["kernels"]
    assert job["strategy"]["matrix"]["numpy"] == list(check.KERNELS)
    assert check.EVERY.removeprefix("pytest ") in job["steps"][-1]["run"]


def test_no_file_of_the_house_names_a_place_that_only_we_have():
    for name in ("tasks.py", "tools/install.py", "requirements.txt", "environment.yml", "pyproject.toml",
                 ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        hosts = set(re.findall(r"https?://([^/\s\"]+)", text))
        assert hosts <= {"download.pytorch.org"}, name
        assert not re.findall(r"(?<![\w.])/(?:opt|root|home|work)/", text), name

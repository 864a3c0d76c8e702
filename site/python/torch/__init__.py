"""In the place of PyTorch, which no browser has: names can be handed on, a call says what is missing."""
import importlib.abc
import importlib.machinery
import sys
import types

SETTINGS = {"set_num_threads", "manual_seed", "use_deterministic_algorithms", "set_printoptions"}
NOT_HERE = {"get_default_dtype"}        # by it helpers see that there are no settings to set aside


class TorchMissing(RuntimeError):
    """A call of something of PyTorch's."""


class _Class(type):
    """The type of a class of PyTorch's, of which there is only the name."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        _refuse(f"{cls.__name__}.{name}")()


class Missing(types.ModuleType):
    """A module or a function of PyTorch's."""

    def __getattr__(self, name: str) -> object:
        """A name of it: a class where it begins with a capital letter."""
        if name in NOT_HERE or name.startswith("__"):
            raise AttributeError(name)
        full = f"{self.__name__}.{name}"
        if name in SETTINGS:
            return lambda *_, **__: None
        kept = _Class(name, (), {"__new__": _refuse(full)}) if name[0].isupper() else Missing(full)
        setattr(self, name, kept)
        return kept

    def __call__(self, *_: object, **__: object) -> None:
        """Say what is missing."""
        _refuse(self.__name__)()

    def __repr__(self) -> str:
        """Its name."""
        return self.__name__


def _refuse(name):
    def refuse(*_, **__):
        raise TorchMissing(f"{name} is PyTorch's, which no browser has. The cells below that do without it "
                           "still run; with the series installed, this one does too.")
    return refuse


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes torch.nn.functional and the like."""

    def find_spec(self, name, path=None, target=None):
        ours = name.startswith("torch.")
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if ours else None

    def create_module(self, spec):
        return Missing(spec.name)

    def exec_module(self, module):
        pass


class Tensor:
    """No value is one."""


sys.meta_path.append(_Finder())
sys.modules[__name__].__class__ = Missing

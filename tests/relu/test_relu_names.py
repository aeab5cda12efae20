"""What users may call is exported: every function of the room that takes array_like arguments."""

import importlib
import inspect
import pkgutil

import pytest

from toymodels import relu


def functions_for_users():
    for info in pkgutil.iter_modules(relu.__path__):
        module = importlib.import_module(f"toymodels.relu.{info.name}")
        for name, value in vars(module).items():
            own = inspect.isfunction(value) and value.__module__ == module.__name__
            if own and not name.startswith("_") and "array_like" in (value.__doc__ or ""):
                yield pytest.param(value, info.name, id=f"{info.name}.{name}")


@pytest.mark.parametrize(("function", "module"), list(functions_for_users()))
def test_functions_for_users_are_exported(function, module):
    assert function.__name__ in relu.__all__ or module in relu.__all__


def test_names_are_different_and_resolve():
    assert len(relu.__all__) == len(set(relu.__all__))
    for name in relu.__all__:
        assert getattr(relu, name) is not None

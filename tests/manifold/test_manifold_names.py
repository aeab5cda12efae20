"""What users may call is exported: every function of the room that takes array_like arguments."""

import importlib
import inspect
import pkgutil

import pytest

from toymodels import manifold


def functions_for_users():
    for info in pkgutil.iter_modules(manifold.__path__):
        module = importlib.import_module(f"toymodels.manifold.{info.name}")
        for name, value in vars(module).items():
            own = inspect.isfunction(value) and value.__module__ == module.__name__
            if own and not name.startswith("_") and "array_like" in (value.__doc__ or ""):
                yield pytest.param(value, info.name, id=f"{info.name}.{name}")


@pytest.mark.parametrize(("function", "module"), list(functions_for_users()))
def test_functions_for_users_are_exported(function, module):
    assert function.__name__ in manifold.__all__ or module in manifold.__all__


def test_names_are_sorted_and_resolve():
    assert manifold.__all__ == sorted(set(manifold.__all__))
    for name in manifold.__all__:
        assert getattr(manifold, name) is not None

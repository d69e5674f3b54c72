"""How a method of an emulator's class is replaced, in one place, as the type checker does not follow it."""

from collections.abc import Callable
from typing import Any

Method = Callable[..., Any]


def replace(owner: type, name: str) -> Callable[[Method], Method]:
    """Decorator: put the function in place of the method; it gets the method that was there as its first argument.

    A method that does not exist yet is added; the function then gets one that raises NotImplementedError.
    """

    def put(function: Method) -> Method:
        before = getattr(owner, name, _missing)

        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return function(before, self, *args, **kwargs)

        method.__name__ = name
        setattr(owner, name, method)
        return function

    return put


def _missing(*_args: Any, **_kwargs: Any) -> Any:
    raise NotImplementedError

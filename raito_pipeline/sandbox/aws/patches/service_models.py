"""What AWS's own service models say of requests: characters, lengths and numbers that a parameter may have.

botocore carries the models, and checks next to nothing of them; AWS refuses what breaks them.
https://smithy.io/2.0/spec/constraint-traits.html
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import re2
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.session import get_session
from moto.core.utils import camelcase_to_underscores

from raito_pipeline.sandbox.aws.patches.replacing import Method, replace

Check = Callable[[Any, OperationModel], None]
"""Gets the emulator's response object of a call, and its operation; raises what AWS refuses the call with."""


@functools.cache
def service_model(service: str) -> ServiceModel:
    """The model of a service by the SDK's name ("iam", "sso-admin", "s3control")."""
    return get_session().get_service_model(service)


def refuses_with(operation: OperationModel, error: str) -> bool:
    """Whether the model says that this operation may be answered with the error (`UnmodifiableEntityException`)."""
    return any(shape.name == error for shape in operation.error_shapes)


def before_each_call(response_class: type, service: str, check: Check) -> None:
    """Let `check` look at each call of a service once it is authorized and before it is carried out."""
    model = service_model(service)
    for name in model.operation_names:
        method = camelcase_to_underscores(name)
        if hasattr(response_class, method):
            _check_first(response_class, method, model.operation_model(name), check)


def _check_first(response_class: type, method: str, operation: OperationModel, check: Check) -> None:
    @replace(response_class, method)
    def checked(before: Method, self: Any) -> Any:
        check(self, operation)
        return before(self)


def broken_constraint(operation: OperationModel, parameters: Mapping[str, Any]) -> str | None:
    """What AWS says of the first parameter that the model does not allow; None if all are allowed."""
    if operation.input_shape is None:
        return None
    return next(_broken(operation.input_shape, parameters, ""), None)


def _broken(shape: Shape, value: Any, place: str) -> Iterator[str]:
    if value is None:
        return
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, member in shape.members.items():  # type: ignore[attr-defined]
            yield from _broken(member, value.get(name), f"{place}.{_lower(name)}".lstrip("."))
    elif shape.type_name == "list" and isinstance(value, list):
        yield from _length(shape, len(value), place)
        for number, one in enumerate(value, start=1):
            yield from _broken(shape.member, one, f"{place}.{number}.member")  # type: ignore[attr-defined]
    elif shape.type_name == "string":
        yield from _text(shape, str(value), place)
    elif shape.type_name in ("integer", "long"):
        yield from _number(shape, int(value), place)


def _text(shape: Shape, value: str, place: str) -> Iterator[str]:
    yield from _length(shape, len(value), place)
    values = shape.enum  # type: ignore[attr-defined]
    if values and value not in values:
        yield _message(place, f"Member must satisfy enum value set: [{', '.join(values)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield _message(place, f"Member must satisfy regular expression pattern: {pattern}")


def _length(shape: Shape, length: int, place: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if most is not None and length > most:
        yield _message(place, f"Member must have length less than or equal to {most}")
    if least is not None and length < least:
        yield _message(place, f"Member must have length greater than or equal to {least}")


def _number(shape: Shape, value: int, place: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if most is not None and value > most:
        yield _message(place, f"Member must have value less than or equal to {most}")
    if least is not None and value < least:
        yield _message(place, f"Member must have value greater than or equal to {least}")


def _message(place: str, constraint: str) -> str:
    return f"1 validation error detected: Value at '{place}' failed to satisfy constraint: {constraint}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _matches(pattern: str, value: str) -> bool:
    # Instances, accounts and what is asked about come with every call, and a pattern that counts takes its time.
    return (_matches_now if len(value) > _LONG else _matches_as_before)(pattern, value)


def _matches_now(pattern: str, value: str) -> bool:
    program = _program(pattern)
    return program is None or program.fullmatch(value) is not None


_LONG = 500
"""characters of a value that is a document, and not a name"""
_matches_as_before = functools.lru_cache(10_000)(_matches_now)


@functools.cache
def _program(pattern: str) -> Any:
    # The models' patterns are Java's: \w is ASCII, \p{L} any letter, \uXXXX a character, as RE2 writes \x{XXXX}.
    try:
        return re2.compile(re2_pattern(pattern))
    except re2.error:
        # A look-ahead, which few patterns have; what they are for is not emulated.
        return None


def re2_pattern(pattern: str) -> str:
    """A pattern of a service model as RE2 reads it."""
    parts = pattern.split("\\u")
    return parts[0] + "".join(f"\\x{{{part[:4]}}}{part[4:]}" for part in parts[1:])

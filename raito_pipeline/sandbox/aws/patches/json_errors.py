"""Errors of JSON services that the emulator has no class for."""

from moto.core.exceptions import JsonRESTError


class ValidationException(JsonRESTError):
    """The request is not valid."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)

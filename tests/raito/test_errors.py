"""Each error says what to do about it."""

import pytest

from raito_pipeline.raito.errors import RaitoRefused


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "refused (status 400): tired."),
        (403, "Check api-user, and what it may do in Raito Cloud."),
        (429, "sync again later."),
        (500, "sync again later, and tell Raito where it stays so."),
        (502, "sync again later, and tell Raito where it stays so."),
    ],
)
def test_a_refusal_says_what_to_do_about_it(status: int, advice: str) -> None:
    said = str(RaitoRefused("createJob", ("tired.",), status=status))
    assert said.endswith(advice)
    assert "tired. " in f"{said} "

"""What stands between the braces of `{{...}}`: a variable, a secret (or a member of one), or a parameter."""

import pytest

from raito_pipeline.config.deferred import Deferred, NoReference, Reference, ValueSource, read_reference

SECRET, PARAMETER = ValueSource.SECRETS_MANAGER, ValueSource.PARAMETER_STORE
ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:raito-AbCdEf"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("API_KEY", Reference(ValueSource.ENVIRONMENT, "API_KEY")),
        ("secretsmanager:raito", Reference(SECRET, "raito")),
        ("secretsmanager: raito:password ", Reference(SECRET, "raito", "password")),
        (f"secretsmanager:{ARN}", Reference(SECRET, ARN)),
        (f"secretsmanager:{ARN}:user", Reference(SECRET, ARN, "user")),
        ("ssm:/raito/password", Reference(PARAMETER, "/raito/password")),
        (
            "ssm:arn:aws-cn:ssm:cn-north-1:111122223333:parameter/raito",
            Reference(PARAMETER, "arn:aws-cn:ssm:cn-north-1:111122223333:parameter/raito"),
        ),
    ],
)
def test_what_it_stands_for(text: str, reference: Reference) -> None:
    assert read_reference(text) == reference


@pytest.mark.parametrize(
    "text", ["secretsmanager:", "secretsmanager:a:b:c", "ssm:", "ssm:two words", "secretsmanager:a b"]
)
def test_a_service_without_a_name_in_it_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(NoReference, match=r"`\{\{(secretsmanager|ssm):"):
        read_reference(text)


def test_it_is_named_without_its_value() -> None:
    assert str(Reference(SECRET, "raito", "user")) == "the secret 'raito' (its member 'user') of AWS Secrets Manager"
    assert str(Reference(PARAMETER, "/raito")) == "the parameter '/raito' of AWS Parameter Store"
    assert str(Reference(ValueSource.ENVIRONMENT, "API_KEY")) == "the environment variable API_KEY"


def test_a_value_that_cannot_be_read_says_where_the_file_asks_for_it() -> None:
    deferred = Deferred("api_secret", Reference(SECRET, "raito"), "raito.yml", 4, "sales", "api-secret")

    assert deferred.place == 'raito.yml:4: target "sales", option "api-secret"'
    assert str(deferred.problem("a secret")).endswith(
        "found the secret 'raito' of AWS Secrets Manager, expected a secret"
    )

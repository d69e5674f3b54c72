"""Secrets do not get through, wherever they stand, and what is no secret does: in texts, and in every log record."""

import http.server
import json
import logging
import threading
from collections.abc import Callable, Iterator

import boto3
import pytest
import requests
from botocore import UNSIGNED
from botocore.config import Config

from raito_pipeline.redaction import HIDDEN, guard_logs, hide_in_logs, one_line, redact

TOKEN = "eyJhbGciOiJub25l.eyJzdWIiOiJ4In0.c2ln"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Token SECRET",
        "{'Authorization': 'Bearer SECRET'}",
        '"api-secret": "SECRET"',
        "api_secret=SECRET&x=1",
        "password: SECRET",
        "111122223333:password=SECRET",
        "111122223333:secret_key: SECRET",
        "111122223333:secret=SECRET",
        "https://files.example/x?X-Amz-Signature=SECRET&X-Amz-Date=1",
        "https://files.example/x?a=1&sig=SECRET",
        "aws_session_token = SECRET",
        "wss://raito.example/x?token=SECRET&y=1",
        '{"token": "SECRET"}',
        '{"SecretString": "{\\"user\\": \\"ann\\", \\"word\\": \\"SECRET x\\"}"}',
        'b\'{"PASSWORD": "a b SECRET"}\'',
        "<SecretAccessKey>SECRET</SecretAccessKey>",
        '{"RefreshToken": "SECRET"}',
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=SECRET",
        "Signature:\nSECRET",
        '{"Parameter": {"Name": "/x", "Value": "SECRET"}}',
        'Could not connect to the endpoint URL: "https://ann:SECRET@127.0.0.1:9/"',
        "s3://SECRET@bucket/prefix",
        "https_proxy=http://ann:a/SECRET@proxy.example:3128",
        "https_proxy=http://ann:a@#SECRET@proxy.example:3128",
        "Invalid header value b'SECRET\\nand more'",
        "return character(s) in header value: 'SECRET\\n'",
    ],
)
def test_what_is_named_like_a_secret_is_hidden(text: str) -> None:
    clean = redact(text.replace("SECRET", "Corr3ct-horse"))

    assert "Corr3ct-horse" not in clean
    assert HIDDEN in clean


def test_tokens_and_given_secrets_are_hidden_wherever_they_stand() -> None:
    clean = redact(f"login of ann with {TOKEN} and hunter22hunter", ["hunter22", "hunter22hunter"])

    assert clean == f"login of ann with {HIDDEN} and {HIDDEN}"


@pytest.mark.parametrize(
    "text",
    [
        "bucket secretary-notes was read",
        "task 7 of sales",
        "a=1&b=2",
        "",
        "NextToken=abcdef",
        "continuation-token=abcdef",
        "Error loading SSO Token: Token for corp does not exist",
        '{"Value": "green", "Key": "colour"}',
        "s3:GetObject of sig-data",
        "https://host:8080/a/ann@example.com?to=bob@example.com",
        "https://sts.eu-west-1.amazonaws.com/ of ann@example.com",
        "secretsmanager:GetSecretValue on raito: AWS denied the call",
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:raito-AbCdEf",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text, ["", "abc"]) == text


def test_words_of_others_become_one_line_without_secrets() -> None:
    said = one_line(f"The canonical string is\n'GET /\nx-amz-security-token:Corr3ct-horse'\n{'and so on ' * 90}")

    assert said.startswith(f"The canonical string is 'GET / x-amz-security-token:{HIDDEN}")
    assert len(said) < 500


# -- every record of the process --------------------------------------------------------------------------------------

PASSWORD, REFRESH, ACCESS_KEY, SESSION, STORED, PARAMETER, SIGNED = (
    f"{name}-Corr3ct/horse+battery" for name in ("pw", "refresh", "key", "session", "stored", "parameter", "signed")
)
ANSWERS = {
    "InitiateAuth": {"AuthenticationResult": {"IdToken": TOKEN, "AccessToken": TOKEN, "RefreshToken": REFRESH}},
    "GetSecretValue": {"Name": "raito", "SecretString": json.dumps({"api-secret": STORED})},
    "GetParameter": {"Parameter": {"Name": "/raito", "Type": "SecureString", "Value": PARAMETER}},
}
ASSUMED = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>{ACCESS_KEY}</SecretAccessKey>
<SessionToken>{SESSION}</SessionToken><Expiration>2035-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""


class Service(http.server.BaseHTTPRequestHandler):
    """What AWS answers, as far as secrets stand in it."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        self._answer(json.dumps(ANSWERS[operation]) if operation else ASSUMED)

    def do_GET(self) -> None:
        self._answer("")

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _login(address: str) -> None:
    config = Config(signature_version=UNSIGNED)
    client = boto3.client("cognito-idp", region_name="eu-central-1", endpoint_url=address, config=config)
    given = {"USERNAME": "ann", "PASSWORD": PASSWORD}
    answer = client.initiate_auth(ClientId="c", AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    client.initiate_auth(
        ClientId="c",
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": answer["AuthenticationResult"]["RefreshToken"]},
    )


def _session() -> boto3.Session:
    given = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": ACCESS_KEY, "aws_session_token": SESSION}
    return boto3.Session(region_name="eu-central-1", **given)


def _assumed_role(address: str) -> None:
    sts = _session().client("sts", endpoint_url=address)
    assert sts.assume_role(RoleArn="arn:aws:iam::111122223333:role/r", RoleSessionName="sync")["Credentials"][
        "SessionToken"
    ]


def _secret(address: str) -> None:
    client = _session().client("secretsmanager", endpoint_url=address)
    assert STORED in client.get_secret_value(SecretId="raito")["SecretString"]


def _parameter(address: str) -> None:
    client = _session().client("ssm", endpoint_url=address)
    assert client.get_parameter(Name="/raito", WithDecryption=True)["Parameter"]["Value"] == PARAMETER


def _signed_address(address: str) -> None:
    client = _session().client("s3", endpoint_url=address)
    requests.get(client.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"}), timeout=10)
    requests.get(f"{address}/upload", params={"X-Amz-Signature": SIGNED}, timeout=10)


USES = {
    "login": _login,
    "role": _assumed_role,
    "secret": _secret,
    "parameter": _parameter,
    "signed address": _signed_address,
}


@pytest.fixture
def plain_records() -> Iterator[None]:
    """Records as `logging` makes them, whatever another test has installed."""
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    yield
    logging.setLogRecordFactory(factory)


@pytest.mark.usefixtures("plain_records")
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_with_everything_at_debug_no_secret_stands_in_the_log(
    use: Callable[[str], None], address: str, caplog: pytest.LogCaptureFixture
) -> None:
    guard_logs()
    with caplog.at_level(logging.DEBUG):
        use(address)

    assert len(caplog.records) > 3
    for secret in (PASSWORD, REFRESH, ACCESS_KEY, SESSION, STORED, PARAMETER, SIGNED, TOKEN):
        lines = [line for line in caplog.text.splitlines() if secret in line]
        assert lines == []


@pytest.mark.usefixtures("plain_records")
def test_what_was_named_is_hidden_with_arguments_and_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hide_in_logs("hunter22")
    hide_in_logs("hunter22")
    try:
        raise ValueError("refused hunter22")
    except ValueError:
        logging.getLogger("x").exception("login with %s", "hunter22")
    logging.getLogger("x").error("wrong arguments %d", "hunter22")

    assert "hunter22" not in caplog.text
    assert "ValueError: refused ***" in caplog.text
    assert f"login with {HIDDEN}" in caplog.text


@pytest.mark.usefixtures("plain_records")
def test_a_record_without_a_secret_is_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    guard_logs()
    try:
        raise ValueError("no answer")
    except ValueError as error:
        logging.getLogger("x").exception("bucket %s", "data")
        raised = error

    (record,) = caplog.records
    assert (record.msg, record.args) == ("bucket %s", ("data",))
    assert record.exc_info is not None
    assert record.exc_info[1] is raised

"""The rules of `raito.yml`, each with files that are right and files that are wrong."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from raito_pipeline.config import ConfigError, Options, Problem, find_config, load
from raito_pipeline.config.describe import OptionDoc, describe

from .conftest import ACCOUNT, LOGIN, SECRET, Fails, Loads, account, besides, organization, raito_yml
from .test_config_docs import example_of, file_with

LINK = """
aws-organization-profile: master
aws-organization-region: eu-central-1
aws-organization-identity-center-instance-arn: arn:aws:sso:::instance/ssoins-1
aws-organization-identity-store: d-1234567890
"""


def found(problems: tuple[Problem, ...], option: str) -> Problem:
    (problem,) = [problem for problem in problems if problem.option == option]
    return problem


# -- finding the file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (["cwd/raito.yml", "cwd/raito.yaml", "home/.raito/raito.yml"], "cwd/raito.yml"),
        (["cwd/raito.yaml", "home/.raito/raito.yml"], "cwd/raito.yaml"),
        (["home/.raito/raito.yml", "home/.raito/raito.yaml"], "home/.raito/raito.yml"),
        (["home/.raito/raito.yaml"], "home/.raito/raito.yaml"),
    ],
)
def test_where_the_file_is_looked_for(tmp_path: Path, files: list[str], chosen: str) -> None:
    for folder in ("cwd", "home/.raito"):
        (tmp_path / folder).mkdir(parents=True)
    for file in files:
        (tmp_path / file).touch()
    assert find_config(tmp_path / "cwd", tmp_path / "home", {}) == tmp_path / chosen


@pytest.mark.parametrize("given", ["other.yml", "~/other.yml", "{absolute}"])
def test_the_environment_names_the_file(tmp_path: Path, given: str) -> None:
    other = tmp_path / "other.yml"
    other.touch()
    (tmp_path / "raito.yml").touch()
    environ = {"RAITO_CONFIG_FILE": given.format(absolute=other)}
    assert find_config(tmp_path, tmp_path, environ) == other


def test_no_file_tells_every_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_config(tmp_path, tmp_path / "home", {})
    for place in ("raito.yml", "raito.yaml", "home/.raito/raito.yml", "home/.raito/raito.yaml"):
        assert str(tmp_path / place) in str(caught.value)
    assert "RAITO_CONFIG_FILE" in str(caught.value)


def test_a_named_file_that_is_not_there_is_not_replaced_by_another(tmp_path: Path) -> None:
    (tmp_path / "raito.yml").touch()
    with pytest.raises(ConfigError, match=r"gone\.yml: found no such file, though RAITO_CONFIG_FILE"):
        find_config(tmp_path, tmp_path, {"RAITO_CONFIG_FILE": "gone.yml"})


def test_an_address_of_another_kind_is_no_path_and_shows_nobody_s_password(tmp_path: Path) -> None:
    environ = {"RAITO_CONFIG_FILE": "https://ada:hunter22@config.example/raito.yml"}
    with pytest.raises(ConfigError) as caught:
        find_config(tmp_path, tmp_path, environ)
    assert "expected the path of a raito.yml, or s3://BUCKET/KEY" in str(caught.value)
    assert "config.example" in str(caught.value)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("gone.yml", "no such file, though RAITO_CONFIG_FILE"),
        ("folder", "a folder, though RAITO_CONFIG_FILE"),
        ("/dev/zero", "something else than a file, though RAITO_CONFIG_FILE"),
        ("latin.yml", "bytes that are not UTF-8"),
        ("huge.yml", "more than 32 MiB"),
        ("binary.yml", "text that is not YAML|bytes that are not UTF-8"),
    ],
)
def test_a_named_file_that_is_no_configuration_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, found: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.yml").write_bytes("domain: é\n".encode("latin-1"))
    (tmp_path / "huge.yml").write_bytes(b"#" * (32 * 2**20 + 1))
    (tmp_path / "binary.yml").write_bytes(bytes(range(128)))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=found) as caught:
        load(environ={"HOME": "/nowhere", "RAITO_CONFIG_FILE": given})
    (problem,) = caught.value.problems
    assert problem.file.endswith(given)
    assert "\n" not in str(problem)


def test_loading_without_a_path_looks_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "raito.yml").write_text(raito_yml())
    monkeypatch.chdir(tmp_path)
    assert load(environ={"HOME": "/nowhere"}).file == str(tmp_path / "raito.yml")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "an empty file"),
        (b"# nothing\n", "an empty file"),
        (b"null\n", "an empty file"),
        (b"- a\n", "a list"),
        (b"just text\n", "a text"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a: [\n", "not YAML"),
    ],
)
def test_a_file_that_holds_no_options(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "raito.yml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=expected):
        load(path, {})


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read \(No such file or directory\)"):
        load(tmp_path / "raito.yml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "raito.yml"
    path.write_bytes(b"\xef\xbb\xbf" + raito_yml().encode())
    assert load(path, {}).accounts[0].domain == "acme"


# -- values ------------------------------------------------------------------------------------------------------------


def test_a_small_file_and_its_defaults(loads: Loads, tmp_path: Path) -> None:
    options = loads(raito_yml())
    (target,) = options.accounts
    assert (target.name, target.partition, target.account_id) == ("one", "123456789012", "123456789012")
    assert target.regions == ("eu-central-1",)
    assert target.profile is None
    assert target.organization is None
    assert (target.api_user, target.domain) == ("robot", "acme")
    assert target.api_secret is not None
    assert target.api_secret.get_secret_value() == SECRET
    assert (target.aws_s3_enabled, target.aws_glue_enabled) == (True, False)
    assert (target.aws_concurrency, target.aws_s3_max_folder_depth) == (5, 20)
    assert target.maximum_file_size == 512_000_000
    assert target.delete_untouched
    assert target.replace_groups
    assert not target.skip_data_usage_sync
    assert options.pipeline.storage == str(tmp_path / "data")
    assert options.pipeline.mode == "apply"
    assert (options.pipeline.cloudtrail_look_back_days, options.pipeline.usage_window_days) == (2, 90)
    assert options.pipeline.max_push_losses is None
    assert (options.pipeline.bucket_policies, options.pipeline.reads_bucket_policies) == ("show", True)
    assert options.warnings == ()


def test_options_are_frozen_hashable_and_survive_a_pickle(loads: Loads) -> None:
    options = loads(raito_yml(account("aws-s3-include-buckets: data-.*\n" + LINK)))
    with pytest.raises(ValidationError):
        options.accounts[0].name = "other"
    assert hash(options.accounts[0].locks) == hash(options.accounts[0].locks)
    assert pickle.loads(pickle.dumps(options)) == options


def test_environment_variables(loads: Loads) -> None:
    login = 'api-user: "{{USER}}"\napi-secret: "{{PASSWORD}}"\ndomain: \'{{ DOMAIN }}\'\n'
    text = raito_yml(account('aws-s3-exclude-buckets: ["{{A}}", "b.+"]\naws-glue-enabled: "{{GLUE}}"'), login=login)
    environ = {"USER": "robot", "PASSWORD": SECRET, "DOMAIN": "ACME", "A": "a{1,2}", "GLUE": "true"}
    (target,) = loads(text, environ).accounts
    assert (target.api_user, target.domain, target.aws_glue_enabled) == ("robot", "acme", True)
    assert [pattern.pattern for pattern in target.aws_s3_exclude_buckets] == ["a{1,2}", "b.+"]


def test_only_a_whole_value_is_a_variable(loads: Loads) -> None:
    assert loads(raito_yml(account('aws-profile: "my-{{PROFILE}}"'))).accounts[0].profile == "my-{{PROFILE}}"


def test_a_variable_that_is_not_set(fails: Fails) -> None:
    (problem,) = fails(raito_yml(account('aws-profile: "{{PROFILE}}"')))
    assert (problem.option, problem.target, problem.line) == ("aws-profile", "one", 9)
    assert problem.found == '"{{PROFILE}}"'
    assert problem.expected == "the environment variable PROFILE to be set"


def test_a_variable_without_quotes(fails: Fails) -> None:
    (problem,) = fails(raito_yml(account("aws-profile: {{PROFILE}}")))
    assert problem.expected == 'an environment variable in quotes, as in "{{NAME}}"'


BLANK = [option for option in describe() if option.example and not option.kind.startswith("list")]


@pytest.mark.parametrize("option", BLANK, ids=lambda option: f"{option.where[:12]}-{option.name}")
@pytest.mark.parametrize("end", ["\n", "\r\n", " \n", " "])
def test_a_line_break_at_the_end_of_a_value_is_taken_off_and_told(loads: Loads, option: OptionDoc, end: str) -> None:
    example = example_of(option).strip('"')
    if example.startswith("{"):
        return
    environ = {"AWS_REGION": "eu-central-1"}
    plain = loads(file_with(option, option.name, '"{{VALUE}}"'), {**environ, "VALUE": example})
    ended = loads(file_with(option, option.name, '"{{VALUE}}"'), {**environ, "VALUE": f"{example}{end}"})
    warnings = besides(ended.warnings)
    assert {problem.option for problem in warnings} == {option.name}
    assert all("(from the environment: VALUE)" in problem.found for problem in warnings)
    if not (option.kind == "secret" and end.startswith(" ")):
        assert ended.model_copy(update={"warnings": plain.warnings}) == plain


@pytest.mark.parametrize(
    ("value", "secret", "told"),
    [
        ("hunter22\n", "hunter22", ["line break"]),
        ("hunter22\r\n", "hunter22", ["line break"]),
        (" hunter22", " hunter22", ["blanks"]),
        ("hunter22 \n", "hunter22 ", ["line break", "blanks"]),
        ("hunter 22", "hunter 22", []),
    ],
)
def test_a_secret_keeps_its_blanks_but_no_line_break(loads: Loads, value: str, secret: str, told: list[str]) -> None:
    login = 'api-user: robot\napi-secret: "{{SECRET}}"\ndomain: acme\n'
    options = loads(raito_yml(login=login), {"SECRET": value})
    given = options.accounts[0].api_secret
    assert given is not None
    assert given.get_secret_value() == secret
    assert [warning.option for warning in options.warnings] == ["api-secret"] * len(told)
    assert all(words in warning.found for words, warning in zip(told, options.warnings, strict=True))
    assert "hunter" not in str(options.warnings)


def test_a_block_of_yaml_ends_in_a_line_break_too(loads: Loads) -> None:
    options = loads(raito_yml(login="api-user: |\n  robot\napi-secret: >\n  hunter22\ndomain: acme\n"))
    (target,) = options.accounts
    assert target.api_secret is not None
    assert (target.api_user, target.api_secret.get_secret_value()) == ("robot", "hunter22")
    assert [warning.option for warning in options.warnings] == ["api-user", "api-secret"]


def test_an_empty_variable_is_as_no_value(fails: Fails, loads: Loads) -> None:
    login = 'api-user: robot\napi-secret: "{{PASSWORD}}"\ndomain: acme\n'
    assert found(fails(raito_yml(login=login), {"PASSWORD": ""}), "api-secret").found == "nothing"
    assert loads(raito_yml(account('aws-profile: "{{P}}"')), {"P": ""}).accounts[0].profile is None


@pytest.mark.parametrize("written", ["012345678901", '"012345678901"', "'012345678901'"])
def test_account_ids_keep_their_zeros(loads: Loads, written: str) -> None:
    assert loads(raito_yml(account(account_id=written))).accounts[0].account_id == "012345678901"


@pytest.mark.parametrize("written", ["a-.+,b", '"a-.+, b,"', "[a-.+, b]", "\n      - a-.+\n      - b"])
def test_lists_have_commas_or_are_yaml_lists(loads: Loads, written: str) -> None:
    (target,) = loads(raito_yml(account(f"aws-s3-include-buckets: {written}"))).accounts
    assert [pattern.pattern for pattern in target.aws_s3_include_buckets] == ["a-.+", "b"]


def test_a_comma_inside_an_expression_needs_a_yaml_list(loads: Loads, fails: Fails) -> None:
    (problem,) = fails(raito_yml(account('aws-s3-include-buckets: "a{1,3},b"')))
    assert "YAML list" in str(problem.expected)
    (problem,) = fails(raito_yml(account('aws-s3-include-buckets: "(a,b)"')))
    assert "YAML list" in str(problem.expected)
    (target,) = loads(raito_yml(account('aws-s3-include-buckets: ["a{1,3}", "(b,c)"]'))).accounts
    assert [pattern.pattern for pattern in target.aws_s3_include_buckets] == ["a{1,3}", "(b,c)"]


WRONG_VALUES = [
    ("aws-account-id", "12345", '"12345"', "12 digits"),
    ("aws-regions", "Frankfurt", '"Frankfurt"', "AWS regions"),
    ("aws-regions", "[]", None, "an AWS region"),
    ("aws-concurrency", "many", '"many"', "from 1 to 1000"),
    ("aws-concurrency", "[1]", "a list", "from 1 to 1000"),
    ("aws-concurrency", "{a: 1}", "a mapping", "from 1 to 1000"),
    ("aws-s3-emulate-folder-structure", "perhaps", '"perhaps"', "true or false"),
    ("aws-s3-include-buckets", "a(", '"a("', "valid regular expression"),
    ("aws-s3-include-buckets", "[[a]]", "a list of other things than texts", "regular expressions"),
    ("aws-access-point-prefix", "Data-", '"Data-"', "lower-case"),
    ("aws-s3-cloudtrail-bucket", "s3://trail", '"s3://trail"', "S3 bucket"),
    ("aws-permissionset-custom-tags", "team", '"team"', "KEY:VALUE"),
    ("maximum-file-size", "big", '"big"', "512mb"),
    ("lock-who-by-tag", "machine", '"machine"', "key:value"),
    ("delete-untouched", "nope", '"nope"', "true or false"),
    ("domain", "acme.raito.cloud", '"acme.raito.cloud"', "DOMAIN of https://"),
]


@pytest.mark.parametrize(("option", "written", "shown", "expected"), WRONG_VALUES)
def test_a_wrong_value_in_a_target(fails: Fails, option: str, written: str, shown: str | None, expected: str) -> None:
    base = account("", regions="").replace("    aws-account-id: 123456789012\n", "")
    needed = {"aws-account-id": "123456789012", "aws-regions": "eu-central-1"} | {option: written}
    target = base.rstrip() + "".join(f"\n    {name}: {value}" for name, value in needed.items()) + "\n"
    (problem,) = fails(raito_yml(target))
    assert (problem.option, problem.target) == (option, "one")
    assert problem.line == 9 + list(needed).index(option)
    assert problem.found == (shown or "nothing")
    assert expected in str(problem.expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("frequency: 59", "at least 60"),
        ("frequency: hourly", "at least 60"),
        ("cron: '* * * * *'", "one sync an hour"),
        ("cron: '0 6 * *'", "five fields"),
        ("cron: '@every 1h'", "frequency"),
        ("raito-url-override: raito.example", "http"),
        ("skip-authentication: maybe", "true or false"),
        ("only-targets: two", "one"),
        ("targets2: 1\npipeline: 3", "mapping of options"),
        ("pipeline: {mode: dry}", "`apply` or `approve` or `plan`"),
        ("pipeline: {storage: 'gs://x'}", "s3://BUCKET/PREFIX"),
        ("pipeline: {storage: 's3://tables/our tables'}", "without spaces"),
        ("pipeline: {storage-region: mars}", "region"),
        ("pipeline: {cloudtrail-look-back-days: -1}", "from 0"),
        ("pipeline: {max-push-losses: none}", "whole number"),
        ("pipeline: {s3-inventory: s3://a/b}", "mapping of bucket names"),
        ("pipeline: {s3-inventory: {data: b/c}}", "s3://BUCKET/PREFIX/"),
        ("pipeline: {s3-inventory: {'two words': 's3://inventory/b/'}}", "S3 bucket"),
    ],
)
def test_a_wrong_value_for_the_whole_file(fails: Fails, line: str, expected: str) -> None:
    (problem,) = fails(raito_yml(top=line + "\n"))
    assert problem.target is None
    assert expected in str(problem)


@pytest.mark.parametrize(
    ("line", "cron", "frequency"),
    [
        ("frequency: 0", None, 0),
        ("frequency: 120", None, 120),
        ("cron: 0 0/2 * * *", "0 0-23/2 * * *", 0),
        ("cron: '@daily'", "0 0 * * *", 0),
        ("cron:", None, 0),
    ],
)
def test_when_to_sync(loads: Loads, line: str, cron: str | None, frequency: int) -> None:
    options = loads(raito_yml(top=line + "\n"))
    assert (options.cron, options.frequency, options.warnings) == (cron, frequency, ())


def test_an_interval_besides_cron_is_told(loads: Loads) -> None:
    options = loads(raito_yml(top="cron: 0 6 * * *\nfrequency: 60\n"))
    assert found(options.warnings, "frequency").line == 2


# -- the whole file and its targets ------------------------------------------------------------------------------------


def test_a_target_wins_over_the_whole_file(loads: Loads) -> None:
    top = """
    skip-data-usage-sync: true
    delete-untouched: "false"
    lock-all-who: true
    lock-what-by-name: everywhere
    maximum-file-size: 1mb
    """
    own = """
    skip-data-usage-sync: false
    lock-all-who: false
    lock-what-by-name: here
    domain: Other
    """
    one, two = loads(raito_yml(account(own), account(name="two", account_id="2" * 12), top=top)).accounts
    assert (one.skip_data_usage_sync, two.skip_data_usage_sync) == (False, True)
    assert (one.delete_untouched, two.delete_untouched) == (False, False)
    assert (one.locks.lock_all_who, two.locks.lock_all_who) == (False, True)
    assert [one.locks.lock_what_by_name[0].pattern, two.locks.lock_what_by_name[0].pattern] == ["here", "everywhere"]
    assert (one.domain, two.domain) == ("other", "acme")
    assert one.maximum_file_size == two.maximum_file_size == 1_000_000


def test_an_empty_value_in_a_target_clears_that_of_the_file_but_null_does_not(loads: Loads) -> None:
    top = "lock-what-by-name: everywhere\n"
    targets = (account('lock-what-by-name: ""'), account("lock-what-by-name:", name="two", account_id="2" * 12))
    one, two = loads(raito_yml(*targets, top=top)).accounts
    assert one.locks.lock_what_by_name == ()
    assert len(two.locks.lock_what_by_name) == 1


def test_the_older_name_of_fully_lock_by_name_counts_too(loads: Loads) -> None:
    (target,) = loads(raito_yml(account("make-not-internalizable: old\nfully-lock-by-name: new"))).accounts
    assert [pattern.pattern for pattern in target.locks.fully_lock_by_name] == ["new", "old"]


def test_the_login_may_stand_in_the_targets(loads: Loads, fails: Fails) -> None:
    own = f"api-user: mine\napi-secret: {SECRET}\ndomain: mine"
    assert loads(raito_yml(account(own), login="")).accounts[0].api_user == "mine"
    problems = fails(raito_yml(account(own), account(name="two", account_id="2" * 12), login=""))
    assert [(problem.option, problem.target) for problem in problems] == [
        ("api-user", None),
        ("api-secret", None),
        ("domain", None),
    ]
    assert all("at the top of the file or in each target" in str(problem) for problem in problems)


def test_without_authentication_only_the_domain_is_needed(loads: Loads, fails: Fails) -> None:
    assert loads(raito_yml(login="domain: acme\nskip-authentication: 'true'\n")).accounts[0].api_secret is None
    (problem,) = fails(raito_yml(login="skip-authentication: true\n"))
    assert problem.option == "domain"


@pytest.mark.parametrize(
    ("options", "s3", "glue"),
    [
        ("", True, False),
        ("aws-s3-enabled: true", True, False),
        ("aws-glue-enabled: true", False, True),
        ("aws-s3-enabled: false\naws-glue-enabled: true", False, True),
        ("aws-s3-enabled: 'true'\naws-glue-enabled: 'false'", True, False),
        ("aws-glue-enabled: false", True, False),
    ],
)
def test_one_source_of_data_objects(loads: Loads, options: str, s3: bool, glue: bool) -> None:
    (target,) = loads(raito_yml(account(options))).accounts
    assert (target.aws_s3_enabled, target.aws_glue_enabled) == (s3, glue)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ("aws-s3-enabled: true\naws-glue-enabled: true", "both on"),
        ("aws-s3-enabled: false\naws-glue-enabled: false", "neither on"),
        ("aws-s3-enabled: false", "neither on"),
    ],
)
def test_both_or_no_source_of_data_objects(fails: Fails, options: str, shown: str) -> None:
    (problem,) = fails(raito_yml(account(options)))
    assert str(problem).endswith(
        'raito.yml:9: target "one", option "aws-s3-enabled, aws-glue-enabled": '
        f"found {shown}, expected exactly one of aws-s3-enabled and aws-glue-enabled to be true"
    )


ALIASES = [
    ("aws-region", "us-east-1", "regions", ("us-east-1",)),
    ("aws-access-role-prefix", "r-", "aws_role_prefix", "r-"),
    ("aws-role-suffix", "-r", "aws_role_suffix", "-r"),
    ("aws-access-policy-suffix", "-p", "aws_policy_suffix", "-p"),
    ("aws-access-sso-role-prefix", "'#account#-'", "aws_sso_role_prefix", "#account#-"),
    ("aws-access-access-point-prefix", "ap-", "aws_access_point_prefix", "ap-"),
    ("aws-access-point-suffix", "-ap", "aws_access_point_suffix", "-ap"),
    ("aws-permission-set-dummy-user", "nobody", "aws_permissionset_dummy_user", "nobody"),
    ("aws-permissionset-dummy-user", "nobody", "aws_permissionset_dummy_user", "nobody"),
    ("aws-permission-set-owner-email-tag", "mail", "aws_permissionset_owner_email_tag", "mail"),
    ("aws-permissionset-owner-custom-tags", "a:b,c:d", "aws_permissionset_custom_tags", (("a", "b"), ("c", "d"))),
    ("aws-permission-set-custom-tags", "a:b", "aws_permissionset_custom_tags", (("a", "b"),)),
    ("AWS-Permissionset-Account-Id-Tag", "id", "aws_permissionset_account_id_tag", "id"),
]


@pytest.mark.parametrize(("option", "written", "attribute", "value"), ALIASES)
def test_spellings(loads: Loads, option: str, written: str, attribute: str, value: object) -> None:
    options = loads(raito_yml(account(f"{option}: {written}", regions="" if attribute == "regions" else "eu-west-1")))
    assert getattr(options.accounts[0], attribute) == value
    assert besides(options.warnings) == []


def test_two_spellings_of_one_option(loads: Loads) -> None:
    options = loads(raito_yml(account("aws-access-role-prefix: b\naws-role-prefix: a\n")))
    assert options.accounts[0].aws_role_prefix == "a"
    assert "`aws-role-prefix`" in found(options.warnings, "aws-access-role-prefix").found


# -- names, connectors, selection --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (LOGIN, "nothing"),
        (LOGIN + "targets:\n", "nothing"),
        (LOGIN + "targets: []\n", "an empty list"),
        (LOGIN + "targets: one\n", "a text"),
        (LOGIN + "targets:\n  name: one\n", "a mapping"),
    ],
)
def test_targets_are_a_list(fails: Fails, text: str, shown: str) -> None:
    (problem,) = fails(text)
    assert (problem.option, problem.found) == ("targets", shown)


def test_an_entry_that_is_no_target(fails: Fails) -> None:
    (problem,) = fails(raito_yml() + "  - two\n")
    assert (problem.line, problem.found) == (11, "an entry without options")


def test_a_target_without_a_connector(fails: Fails) -> None:
    (problem,) = fails(LOGIN + "targets:\n  - name: one\n    aws-account-id: 123456789012\n")
    assert (problem.target, problem.option, problem.line) == ("one", "connector-name", 5)


def test_two_targets_of_one_name(fails: Fails) -> None:
    (problem,) = fails(raito_yml(account(), account("data-source-id: other", account_id="2" * 12)))
    assert (problem.option, problem.line) == ("name", 11)
    assert problem.found == '"one" a second time (first in line 5)'


def test_targets_without_names_get_their_connectors(loads: Loads) -> None:
    targets = [
        f"  - connector-name: {ACCOUNT}\n    aws-account-id: {n}\n    aws-region: eu-west-1\n"
        f"    data-source-id: ds-{n}\n    identity-store-id: is-{n}\n"
        for n in ("1" * 12, "2" * 12)
    ]
    assert [target.name for target in loads(raito_yml(*targets)).accounts] == [ACCOUNT, f"{ACCOUNT} (2)"]


def test_other_connectors_are_skipped_with_all_their_options(loads: Loads) -> None:
    other = account("sf-password: '{{NOT_SET}}'\naws-concurrency: x", name="snow")
    other = other.replace(ACCOUNT, "raito-io/cli-plugin-snowflake")
    options = loads(raito_yml(other, account()))
    assert [target.name for target in options.targets] == ["one"]
    (warning,) = options.warnings
    assert (warning.target, warning.line) == ("snow", 6)
    assert "skipped" in warning.found
    assert loads(raito_yml(other)).targets == ()


@pytest.mark.parametrize("selected", ["two,org", "[org, two]"])
def test_only_targets(loads: Loads, selected: str) -> None:
    targets = (account("aws-profile: '{{NOT_SET}}'"), account(name="two", account_id="2" * 12), organization())
    options = loads(raito_yml(*targets, top=f"only-targets: {selected}\n"))
    assert [target.name for target in options.targets] == ["org", "two"]
    assert options.warnings == ()


def test_only_targets_of_the_command_line_win(loads: Loads, fails: Fails) -> None:
    text = raito_yml(account(), account(name="two", account_id="2" * 12), top="only-targets: one\n")
    assert [target.name for target in loads(text, only_targets=["two"]).targets] == ["two"]
    assert [target.name for target in loads(text, only_targets=[]).targets] == ["one", "two"]
    (problem,) = fails(text, only_targets=["two", "three"])
    assert (
        str(problem)
        == 'command line: option "only-targets": found "three", expected names of targets of this file: one, two'
    )


def test_overrides_win_over_target_and_file(loads: Loads, fails: Fails) -> None:
    text = raito_yml(account("skip-data-usage-sync: false"), top="skip-authentication: false\n")
    options = loads(text, overrides={"skip-data-usage-sync": "true", "skip-authentication": "true"})
    assert options.accounts[0].skip_data_usage_sync
    assert options.skip_authentication
    (problem,) = fails(text, overrides={"skip-usage": "true"})
    assert (problem.file, problem.option) == ("command line", "skip-usage")
    (problem,) = fails(text, overrides={"skip-data-usage-sync": "maybe"})
    assert (problem.file, problem.line, problem.found) == ("command line", None, '"maybe"')


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("two", ["123456789012", "123456789012-two", "222222222222"]),
        ("a|b, [c]", ["123456789012", "123456789012-a_b___c_", "222222222222"]),
        ("o/ne", ["123456789012", "123456789012-o_ne", "222222222222"]),
    ],
)
def test_partitions_of_targets_that_share_an_account(loads: Loads, name: str, keys: list[str]) -> None:
    targets = (
        account(),
        account("aws-glue-enabled: true", name=f"'{name}'"),
        account(name="third", account_id="2" * 12),
    )
    assert [target.partition for target in loads(raito_yml(*targets)).accounts] == keys
    only_one = loads(raito_yml(*targets), only_targets=["one"])
    assert [target.partition for target in only_one.accounts] == keys[:1]


def test_names_that_become_one_key_are_told_apart(loads: Loads) -> None:
    targets = (account(name="a b"), account(name="a/b"), account(name="a_b"))
    keys = [target.partition for target in loads(raito_yml(*targets)).accounts]
    assert keys == ["123456789012", "123456789012-a_b", "123456789012-a_b-2"]


# -- organizations -----------------------------------------------------------------------------------------------------


def test_the_link_to_an_organization(loads: Loads) -> None:
    link = loads(raito_yml(account(LINK))).accounts[0].organization
    assert link is not None
    assert (link.profile, link.region, link.identity_store_id) == ("master", "eu-central-1", "d-1234567890")


@pytest.mark.parametrize("option", ["aws-organization-identity-center-instance-arn", "aws-organization-identity-store"])
def test_options_that_the_organization_profile_needs(fails: Fails, option: str) -> None:
    lines = "\n".join(line for line in LINK.splitlines() if not line.startswith(option))
    (problem,) = fails(raito_yml(account(lines)))
    assert (problem.option, problem.target, problem.found) == (option, "one", "nothing")
    assert "aws-organization-profile" in str(problem.expected)


def test_options_of_an_organization_without_its_profile(loads: Loads) -> None:
    options = loads(raito_yml(account(LINK.replace("aws-organization-profile: master", ""))))
    assert options.accounts[0].organization is None
    assert {warning.option for warning in options.warnings} == {
        "aws-organization-region",
        "aws-organization-identity-center-instance-arn",
        "aws-organization-identity-store",
    }


def test_an_organization_target(loads: Loads, fails: Fails) -> None:
    (target,) = loads(raito_yml(organization("identity-store-id: is-1\naws-profile: master"))).organizations
    assert (target.account_id, target.profile, target.region) == ("999999999999", "master", "eu-central-1")
    assert target.identity_store_id == "is-1"
    (problem,) = fails(raito_yml(organization(account_id='""')))
    assert (problem.option, problem.found) == ("aws-account-id", "nothing")


def test_two_targets_of_one_organization_are_told(loads: Loads) -> None:
    options = loads(raito_yml(organization(), organization(name="again"), organization(name="us", region="us-east-1")))
    (warning,) = options.warnings
    assert (warning.target, warning.option) == ("again", "aws-account-id")
    assert 'the target "org"' in warning.found


# -- regions of profiles -----------------------------------------------------------------------------------------------

AWS_CONFIG = """\
[default]
region = eu-west-1
[profile data]
region = eu-west-3
[profile bare]
output = json
"""


@pytest.mark.parametrize(
    ("profile", "environ", "region"),
    [
        ("data", {}, "eu-west-3"),
        ("data", {"AWS_REGION": "us-east-1"}, "eu-west-3"),
        ("bare", {"AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1"),
        ("keys", {}, "eu-north-1"),
        ("", {}, "eu-west-1"),
        ("", {"AWS_PROFILE": "data"}, "eu-west-3"),
        ("", {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-2"}, "us-east-1"),
    ],
)
def test_without_regions_the_profile_decides(
    loads: Loads, tmp_path: Path, profile: str, environ: dict[str, str], region: str
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(AWS_CONFIG)
    (tmp_path / ".aws/credentials").write_text("[keys]\nregion = eu-north-1\n")
    own = f"aws-profile: {profile}"
    options = loads(raito_yml(account(own, regions=""), organization(own, region="")), environ)
    assert options.accounts[0].regions == (region,)
    assert options.organizations[0].region == region


def test_the_aws_files_can_be_named_by_the_environment(loads: Loads, tmp_path: Path) -> None:
    (tmp_path / "aws.ini").write_text(AWS_CONFIG)
    environ = {"AWS_CONFIG_FILE": "~/aws.ini"}
    link = LINK.replace("master", "data").replace("aws-organization-region: eu-central-1", "")
    (target,) = loads(raito_yml(account(f"aws-profile: data\n{link}", regions="")), environ).accounts
    assert target.regions == ("eu-west-3",)
    assert target.organization is not None
    assert target.organization.region == "eu-west-3"


@pytest.mark.parametrize("config", [None, "[profile data]\n", "not an ini file"])
def test_no_region_at_all(fails: Fails, tmp_path: Path, config: str | None) -> None:
    if config is not None:
        (tmp_path / "aws.ini").write_text(config)
    environ = {"AWS_CONFIG_FILE": str(tmp_path / "aws.ini")}
    problems = fails(raito_yml(account("aws-profile: data", regions=""), organization(region="")), environ)
    assert [(problem.option, problem.target) for problem in problems] == [("aws-regions", "one"), ("aws-region", "org")]
    assert 'for the AWS profile "data"' in str(problems[0])


def test_a_profile_in_a_file_that_cannot_be_used_is_not_said_to_have_no_region(fails: Fails, tmp_path: Path) -> None:
    (tmp_path / "aws.ini").write_text("[profile data]\nregion = eu-west-1\nregion = eu-west-2\n")
    (problem,) = fails(
        raito_yml(account("aws-profile: data", regions="")), {"AWS_CONFIG_FILE": str(tmp_path / "aws.ini")}
    )
    assert problem.expected is not None
    assert problem.expected.endswith(f"({tmp_path}/aws.ini cannot be used: line 3 has a setting a second time)")


@pytest.mark.parametrize("regions", ["eu-west-1,cn-north-1", "us-gov-west-1,us-east-1", "eusc-de-east-1,eu-central-1"])
def test_one_account_has_no_regions_of_two_partitions(fails: Fails, regions: str) -> None:
    (problem,) = fails(raito_yml(account(regions=regions)))
    assert problem.option == "aws-regions"
    first, second = regions.split(",")
    assert first in problem.found
    assert second in problem.found
    assert "one partition" in str(problem.expected)


def test_a_region_of_a_profile_that_is_none(fails: Fails) -> None:
    (problem,) = fails(raito_yml(account(regions="")), {"AWS_REGION": "Frankfurt"})
    assert problem.found == '"Frankfurt" (from the AWS configuration)'


# -- warnings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "advice"),
    [
        ("aws-regoins", "aws-regions"),
        ("aws_concurrency", "aws-concurrency"),
        ("aws-s3-include-bucket", "aws-s3-include-buckets"),
        ("lock-all-whos", "lock-all-who"),
        ("sf-account", None),
    ],
)
def test_unknown_options_of_a_target(loads: Loads, option: str, advice: str | None) -> None:
    (warning,) = loads(raito_yml(account(f"{option}: x"))).warnings
    assert (warning.option, warning.target, warning.line) == (option, "one", 9)
    assert warning.expected == (f"perhaps `{advice}`" if advice else "a known option")


def test_unknown_options_elsewhere(loads: Loads) -> None:
    top = """
    api-usr: x
    frequenzy: 60
    pipeline: {storrage: x, mode: plan}
    """
    options = loads(raito_yml(account("frequncy: 60"), organization("aws-s3-enabled: true"), top=top))
    assert [(warning.option, warning.target, warning.expected) for warning in options.warnings] == [
        ("api-usr", None, "perhaps `api-user`"),
        ("frequenzy", None, "perhaps `frequency`"),
        ("storrage", None, "perhaps `storage`"),
        ("frequncy", "one", "a known option"),
        ("aws-s3-enabled", "org", "options of this target's connector"),
    ]
    assert options.pipeline.mode == "plan"


@pytest.mark.parametrize(
    "option", ["data-object-enrichers", "repositories", "log-file", "log-output", "debug", "config-file"]
)
def test_options_of_the_raito_cli_are_accepted_and_told(loads: Loads, option: str) -> None:
    (warning,) = loads(raito_yml(top=f"{option}: [{{name: a, token: b}}]\n")).warnings
    assert (warning.option, warning.line) == (option, 1)
    assert "does not use it" in warning.found


def test_a_connector_version_is_of_the_raito_cli(loads: Loads) -> None:
    (warning,) = loads(raito_yml(account("connector-version: latest"))).warnings
    assert (warning.option, "belongs to the Raito CLI" in warning.found) == ("connector-version", True)


# -- placeholders ------------------------------------------------------------------------------------------------------


def test_placeholders_load_and_are_refused_when_used(loads: Loads) -> None:
    target = account("identity-store-id: <id of it>", account_id='"<account id>"', regions='"<region, region>"')
    options = loads(raito_yml(target, account(name="two"), login=LOGIN.replace("robot", "<your user>")))
    one, two = options.accounts
    assert one.account_id == "<account id>"
    assert {problem.option for problem in one.placeholders} == {
        "api-user",
        "aws-account-id",
        "aws-regions",
        "identity-store-id",
    }
    assert [problem.option for problem in two.placeholders] == ["api-user"]
    assert set(one.placeholders) <= set(options.warnings)
    with pytest.raises(ConfigError, match="placeholder"):
        one.check_usable()
    with pytest.raises(ConfigError, match="placeholder"):
        options.check_usable()
    assert not set("|,[]") & set(one.partition + "".join(one.regions))


def test_a_placeholder_profile_is_not_asked_for_its_region(loads: Loads) -> None:
    (target,) = loads(raito_yml(account("aws-profile: <profile>", regions=""))).accounts
    assert [problem.option for problem in target.placeholders] == ["aws-profile"]


def test_a_placeholder_where_only_a_value_will_do(fails: Fails) -> None:
    assert {
        problem.option for problem in fails(raito_yml(account("aws-concurrency: <n>"), login=LOGIN + "cron: <when>\n"))
    } == {
        "aws-concurrency",
        "cron",
    }


def test_a_complete_file_is_usable(loads: Loads) -> None:
    loads(raito_yml(account(), organization())).check_usable()


# -- pipeline ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("tables", "{folder}/tables"),
        ("/var/tables", "/var/tables"),
        ("~/tables", "{folder}/tables"),
        ("with a space", "{folder}/with a space"),
        ("s3://tables/raito/", "s3://tables/raito"),
        ("s3://tables/raito\n  storage-profile: ours", "s3://tables/raito?profile=ours"),
        (
            "s3://tables\n  storage-profile: a b\n  storage-region: eu-west-1",
            "s3://tables?profile=a+b&region=eu-west-1",
        ),
        ("s3://tables\n  allow-plain-http: true", "s3://tables?plain-http=allowed"),
        ('"{{PLACE}}"', "s3://tables/x"),
    ],
)
def test_storage(loads: Loads, tmp_path: Path, written: str, place: str) -> None:
    options = loads(raito_yml(top=f"pipeline:\n  storage: {written}\n"), {"PLACE": "s3://tables/x"})
    assert options.pipeline.storage == place.format(folder=tmp_path)


def test_s3_inventory(loads: Loads) -> None:
    top = """
    pipeline:
      max-push-deletions: 20
      s3-inventory:
        big-bucket: s3://inventories/big-bucket/daily/
        other.bucket: "{{PLACE}}"
    """
    pipeline = loads(raito_yml(top=top), {"PLACE": "s3://inventories/other/"}).pipeline
    assert pipeline.s3_inventory == (
        ("big-bucket", "s3://inventories/big-bucket/daily/"),
        ("other.bucket", "s3://inventories/other/"),
    )
    assert pipeline.max_push_losses == 20


# -- all problems at once, and no secret -------------------------------------------------------------------------------


def test_all_problems_are_told_at_once_in_the_order_of_the_file(fails: Fails) -> None:
    text = raito_yml(
        account("aws-concurrency: x\naws-s3-enabled: false", account_id="12"),
        organization(account_id='"{{MASTER}}"'),
        top="frequency: 5\nfrequency: 6\ncron: nonsense\n",
    )
    problems = fails(text)
    assert [problem.line for problem in problems] == sorted(problem.line or 99 for problem in problems)
    assert [problem.option for problem in problems] == [
        "frequency",
        "frequency",
        "cron",
        "aws-account-id",
        "aws-concurrency",
        "aws-s3-enabled, aws-glue-enabled",
        "aws-account-id",
    ]
    text = str(ConfigError(problems))
    assert text.splitlines()[0] == "The configuration has 7 problems:"
    assert all(f"  {problem}" in text.splitlines() for problem in problems)


def test_a_mistyped_option_is_told_with_the_problem_that_it_makes(loads: Loads) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(raito_yml(account("aws-regoins: eu-central-1", regions="")))
    head, problem, besides, warning = str(caught.value).splitlines()
    assert (head, besides) == ("The configuration has a problem:", "Noticed besides:")
    assert 'option "aws-regions"' in problem
    assert "perhaps `aws-regions`" in warning
    assert pickle.loads(pickle.dumps(caught.value)).warnings == caught.value.warnings


def test_a_problem_of_the_whole_file_is_told_once_whatever_the_targets(fails: Fails) -> None:
    (problem,) = fails(raito_yml(account(), account(name="two"), organization(), top="delete-untouched: x\n"))
    assert (problem.option, problem.target, problem.line) == ("delete-untouched", None, 1)


SECRETS = [
    (f"api-secret: [{SECRET}]", {}),
    (f"api-secret: {{a: {SECRET}}}", {}),
    ("api-secret: '{{SECRET}}'\naws-concurrency: x", {"SECRET": SECRET}),
    (f"api-secret: {SECRET}\naws-concurrency: {SECRET}", {}),
    ("aws-concurrency: '{{API_KEY}}'", {"API_KEY": SECRET}),
    (f"api-secret: {SECRET}\naws-s3-include-buckets: '({SECRET}'", {}),
    (f"api-secret: {SECRET}\n{SECRET}: true\naws-concurrency: x", {}),
    (f"api-secret={SECRET}: true\naws-concurrency: x", {}),
    (f"password: {SECRET}\naws-concurrency: {SECRET}", {}),
    (f"api-secret: <{SECRET}>\naws-concurrency: x", {}),
    (f"api-secret: {SECRET}\naws-profile: {SECRET}", {"AWS_CONFIG_FILE": "none"}),
    (f"api-secret: {SECRET}\nconnector-version: [{SECRET}]", {}),
]


@pytest.mark.parametrize(("own", "environ"), SECRETS)
def test_no_secret_in_any_problem_or_warning(loads: Loads, own: str, environ: dict[str, str]) -> None:
    login = "api-user: robot\ndomain: acme\n"
    try:
        options = loads(raito_yml(account(own, regions=""), login=login), environ)
    except ConfigError as error:
        texts = f"{error} {error!r} {error.problems!r} {pickle.loads(pickle.dumps(error))}"
    else:
        texts = f"{options!r} {options} {options.warnings}"
    assert SECRET not in texts


def test_the_process_environment_is_read_when_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "raito.yml"
    path.write_text(raito_yml(account('aws-profile: "{{RAITO_TEST_PROFILE}}"')))
    monkeypatch.setitem(os.environ, "RAITO_TEST_PROFILE", "data")
    options: Options = load(path)
    assert options.accounts[0].profile == "data"
    assert options.account("123456789012") is options.accounts[0]
    with pytest.raises(KeyError, match="123456789012"):
        options.account("1")


@pytest.mark.parametrize(
    "line",
    [
        f"raito-url-override: https://ann:{SECRET}@proxy.example/",
        f"pipeline: {{storage: 'https://ann:{SECRET}@proxy.example/'}}",
        f"pipeline: {{storage: 's3://AKIA:{SECRET}/more+@bucket/prefix'}}",
        f"pipeline: {{s3-inventory: {{data: 'https://ann:{SECRET}@b/c'}}}}",
        f"frequency: https://{SECRET}@proxy.example/",
    ],
)
def test_the_password_in_an_address_is_not_shown(fails: Fails, line: str) -> None:
    login = "api-user: robot\napi-secret: another\ndomain: acme\n"
    (problem,) = fails(raito_yml(top=f"{line}\n", login=login))  # `fails` looks for the secret
    assert "://***@" in problem.found


def test_a_secret_of_the_command_line_is_in_no_other_problem(fails: Fails) -> None:
    login = "api-user: robot\napi-secret: another\ndomain: acme\n"
    (problem,) = fails(raito_yml(login=login), overrides={"api-secret": SECRET, "frequency": f"every {SECRET}"})
    assert problem.found == '"every ***"'


@pytest.mark.parametrize(
    "option",
    [each for each in describe() if each.kind.startswith("list") and each.name != "targets"],
    ids=lambda option: option.name,
)
def test_a_list_of_lines_without_commas_is_not_one_item(fails: Fails, option: OptionDoc) -> None:
    example = example_of(option).strip("[]").split(",")[0].strip().strip('"')
    environ = {"AWS_REGION": "eu-central-1", "VALUE": f"{example}\n{example}x\n"}
    for written in ('"{{VALUE}}"', '["{{VALUE}}"]'):
        problems = fails(file_with(option, option.name, written), environ)
        (problem,) = [each for each in problems if each.option == option.name]
        assert str(problem.expected).endswith("separated by commas or as a YAML list, not by line breaks")


@pytest.mark.parametrize("written", ["[~, a.+]", "[null, a.+]", "\n      -\n      - a.+"])
def test_an_item_that_is_nothing_is_left_out(loads: Loads, written: str) -> None:
    (target,) = loads(raito_yml(account(f"aws-s3-include-buckets: {written}"))).accounts
    assert [pattern.pattern for pattern in target.aws_s3_include_buckets] == ["a.+"]
    assert loads(raito_yml(account("aws-s3-include-buckets: [~]"))).accounts[0].aws_s3_include_buckets == ()
    (target,) = loads(raito_yml(account('aws-s3-include-buckets: ["null"]'))).accounts
    assert [pattern.pattern for pattern in target.aws_s3_include_buckets] == ["null"]


def test_a_line_break_at_the_end_of_an_item_is_taken_off(loads: Loads) -> None:
    text = raito_yml(account('aws-user-excludes: ["{{A}}", " b"]'))
    (target,) = loads(text, {"A": "a.+\r\n"}).accounts
    assert [pattern.pattern for pattern in target.aws_user_excludes] == ["a.+", " b"]


def test_lines_that_end_in_commas_are_a_list(loads: Loads) -> None:
    written = "aws-user-excludes: |\n  a.+,\n  b.+\naws-access-role-excludes: >\n  a,\n  b,\n"
    (target,) = loads(raito_yml(account(written))).accounts
    assert [pattern.pattern for pattern in target.aws_user_excludes] == ["a.+", "b.+"]
    assert [pattern.pattern for pattern in target.aws_access_role_excludes] == ["a", "b"]


@pytest.mark.parametrize("written", ['"{{A}},{{B}}"', '["{{A}}", "x-{{B}}"]'])
def test_a_variable_within_a_longer_value_is_told(loads: Loads, written: str) -> None:
    options = loads(raito_yml(account(f"aws-s3-include-buckets: {written}")), {"A": "a", "B": "b"})
    assert "{{...}}" in found(options.warnings, "aws-s3-include-buckets").found
    assert found(loads(raito_yml(account('aws-profile: "my-{{P}}"'))).warnings, "aws-profile").line == 9


@pytest.mark.parametrize("line", ["pipeline: {{P}}", "pipeline: {discover: {{P}}}"])
def test_a_variable_without_quotes_is_no_empty_mapping(fails: Fails, line: str) -> None:
    (problem,) = fails(raito_yml(top=f"{line}\n"), {"P": "x"})
    assert problem.expected == "a mapping of options"


def test_digits_are_those_that_aws_writes(fails: Fails) -> None:
    (problem,) = fails(raito_yml(account(account_id="１２３４５６７８９０１２")))
    assert problem.option == "aws-account-id"

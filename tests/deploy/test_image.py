"""What can be said of the image and of compose without running them: their files, names and programs are there."""

import configparser
import re
import shlex
from fnmatch import fnmatch
from importlib.metadata import entry_points
from pathlib import Path

import yaml

from raito_pipeline.config.describe import describe
from raito_pipeline.config.environment import CONFIG_FILE_VARIABLE

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
DOCKERFILE = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
PROGRAMS = {entry.name for entry in entry_points(group="console_scripts")}
OURS = ("code", "webserver", "daemon")


def instructions(name: str) -> list[str]:
    return re.findall(rf"(?m)^{name} (.*)$", DOCKERFILE)


def versions(lock: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([a-z0-9.-]+)(?:\[[^]]*\])?==(\S+)", (ROOT / lock).read_text()):
        found.setdefault(name, set()).add(version)
    return found


def test_an_image_copies_what_is_there_and_let_through() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert ignored[0] == "*"
    for copied in instructions("COPY"):
        if not copied.startswith("--from"):
            for source in shlex.split(copied)[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in ignored, source


def test_an_image_installs_locked_versions_with_hashes_and_runs_as_nobody_of_consequence() -> None:
    installs = [run for run in instructions("RUN") if "pip install" in run]
    assert all("--require-hashes" in run or "--no-index" in run for run in installs)
    assert [user for user in instructions("USER") if user in ("0", "root")] == []
    assert instructions("USER")
    # nothing of it writes where it runs, but to these folders
    assert re.search(r"mkdir -p /dagster /data /logs && chown raito", DOCKERFILE)


def test_what_an_image_installs_is_what_the_gate_tried() -> None:
    everything, image = versions("requirements.lock"), versions("deploy/requirements.lock")

    assert {name: found for name, found in image.items() if not found <= everything.get(name, set())} == {}
    assert {"dagster-postgres", "psycopg2-binary", "dagster-webserver", "dagster-aws"} <= image.keys()
    assert {"pytest", "moto", "mypy", "ruff"}.isdisjoint(image)


def test_each_command_is_a_program_of_the_image() -> None:
    commands = [COMPOSE["services"][name]["command"] for name in OURS]
    commands.append(yaml.safe_load(instructions("CMD")[0]))

    assert {command[0] for command in commands} == {"raito-code-server", "dagster-webserver", "dagster-daemon"}
    assert {command[0] for command in commands} <= PROGRAMS


def test_compose_gives_the_instance_all_that_it_asks_of_the_environment() -> None:
    wanted = set(re.findall(r"\{env: (\w+)\}", (DEPLOY / "compose" / "dagster.yaml").read_text()))
    for name in OURS:
        service = COMPOSE["services"][name]
        assert wanted <= service["environment"].keys(), name
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            here = DEPLOY / "compose" / source
            assert source in COMPOSE["volumes"] or here.exists() or source == "./config", volume
        for other in service["depends_on"]:
            assert "healthcheck" in COMPOSE["services"][other], other
    assert COMPOSE["services"]["code"]["build"] == {"context": "../..", "dockerfile": "deploy/Dockerfile"}


def test_the_pool_is_where_dagster_looks_for_postgres_and_looks_for_postgres_where_it_is() -> None:
    settings = configparser.ConfigParser()
    settings.read(DEPLOY / "compose" / "pool" / "pgbouncer.ini")
    behind = dict(part.split("=") for part in settings["databases"]["*"].split())
    assert "healthcheck" in COMPOSE["services"][behind["host"]]
    for name in OURS:
        environment = COMPOSE["services"][name]["environment"]
        pool = COMPOSE["services"][environment["DAGSTER_PG_HOST"]]
        assert environment["DAGSTER_PG_PORT"] == settings["pgbouncer"]["listen_port"]
        assert environment["DAGSTER_PG_USERNAME"] == pool["environment"]["DAGSTER_PG_USERNAME"]
        assert (DEPLOY / "compose" / pool["build"] / "Dockerfile").is_file()
        assert f":{int(environment['DAGSTER_PG_PORT']):X} " in pool["healthcheck"]["test"][-1]
        assert pool["depends_on"] == {behind["host"]: {"condition": "service_healthy"}}


def test_discovery_can_write_beside_raito_yml() -> None:
    for name in OURS:
        service = COMPOSE["services"][name]
        folder = str(Path(service["environment"][CONFIG_FILE_VARIABLE]).parent)
        (mounted,) = [volume for volume in service["volumes"] if volume.split(":")[1] == folder]
        assert not mounted.endswith(":ro"), name


def test_what_compose_sets_of_raito_yml_is_an_option() -> None:
    variables = {option.variable for option in describe()} | {CONFIG_FILE_VARIABLE}
    for name in OURS:
        given = {each for each in COMPOSE["services"][name]["environment"] if each.startswith("RAITO_")}
        assert given
        assert given <= variables


def test_compose_lets_only_this_machine_in_and_holds_no_secret() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:3000:3000"]
    for service in COMPOSE["services"].values():
        for name, value in service["environment"].items():
            if fnmatch(name, "*PASSWORD") or fnmatch(name, "*SECRET"):
                assert re.fullmatch(r"\$\{\w+:\?[^}]*\}", value), name


def test_the_workspace_is_where_the_code_location_answers() -> None:
    [location] = yaml.safe_load((DEPLOY / "compose" / "workspace.yaml").read_text())["load_from"]
    command = COMPOSE["services"][location["grpc_server"]["host"]]["command"]

    assert command[command.index("--port") + 1] == str(location["grpc_server"]["port"])

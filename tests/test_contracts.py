"""Each import contract of pyproject.toml, broken on purpose; and the lists in them, compared with the folders."""

import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract

ROOT = Path(__file__).parents[1]
CONFIGURATION = read_configuration(str(ROOT / "pyproject.toml"))
CONTRACTS: dict[str, dict[str, Any]] = {each["id"]: each for each in CONFIGURATION["contracts_options"]}
CLASSES = {"layers": LayersContract, "forbidden": ForbiddenContract, "protected": ProtectedContract}
OUTSIDE = ("boto3", "botocore", "requests", "urllib3", "dagster")
PURE_PACKAGES = (
    "raito_pipeline.aws.policy",
    "raito_pipeline.aws.access",
    "raito_pipeline.aws.data_objects",
    "raito_pipeline.aws.provider_types",
)
PUSH_PARTS_THAT_CALL = {"apply", "inputs", "calls"}
"""The modules and rooms of aws/push that are no part of the plan: they call AWS, or read tables."""


@pytest.fixture(scope="module")
def built() -> grimp.ImportGraph:
    return grimp.build_graph("raito_pipeline", "assets", include_external_packages=True, cache_dir=None)


@pytest.fixture
def graph(built: grimp.ImportGraph) -> grimp.ImportGraph:
    return deepcopy(built)


def kept(contract: str, graph: grimp.ImportGraph) -> bool:
    options = CONTRACTS[contract]
    made = CLASSES[options["type"]](
        name=options["name"], session_options=CONFIGURATION["session_options"], contract_options=options
    )
    return bool(made.check(deepcopy(graph), verbose=False).kept)


def pure_modules() -> list[str]:
    return sorted(CONTRACTS["pure"]["source_modules"])


def parts(folder: Path) -> Iterator[str]:
    parts = (path for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file())
    yield from sorted(path.stem for path in parts if path.stem != "__init__")


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_contract_is_kept_and_ignores_nothing(contract: str, graph: grimp.ImportGraph) -> None:
    assert kept(contract, graph)
    assert not CONTRACTS[contract].get("ignore_imports")


@pytest.mark.parametrize("module", pure_modules())
def test_what_is_pure_reaches_no_client(module: str, graph: grimp.ImportGraph) -> None:
    graph.add_import(importer=module, imported="raito_pipeline.aws.connection.clients")

    assert not kept("pure", graph)


@pytest.mark.parametrize("outside", [*OUTSIDE, "raito_pipeline.storage.s3"])
def test_what_is_pure_imports_nothing_that_does_io(outside: str, graph: grimp.ImportGraph) -> None:
    graph.add_import(importer=pure_modules()[0], imported=outside)

    assert not kept("pure", graph)


def test_every_part_of_a_plan_is_pure() -> None:
    pure = set(pure_modules())
    of_the_plan = set(parts(ROOT / "raito_pipeline/aws/push")) - PUSH_PARTS_THAT_CALL

    assert set(PURE_PACKAGES) <= pure
    assert {f"raito_pipeline.aws.push.{name}" for name in of_the_plan} <= pure


def test_importing_what_is_pure_loads_no_client() -> None:
    """Also through the packages around it, whose `__init__` Python runs and a linter does not look at."""
    names = pure_modules()
    script = (
        "import importlib, sys\n"
        f"for name in {names}:\n"
        "    importlib.import_module(name)\n"
        f"    if loaded := sys.modules.keys() & set({OUTSIDE}): sys.exit(f'{{name}} loads {{sorted(loaded)}}')"
    )

    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("package", ["raito_pipeline", "raito_pipeline.aws"])
def test_a_new_package_must_be_given_a_layer(package: str, graph: grimp.ImportGraph) -> None:
    contract = "layers" if package == "raito_pipeline" else "aws"
    graph.add_module(f"{package}.brand_new")

    assert not kept(contract, graph)


@pytest.mark.parametrize("contract", ["layers", "assets", "aws"])
def test_no_layer_imports_a_higher_one(contract: str, built: grimp.ImportGraph) -> None:
    container = "".join(f"{name}." for name in CONTRACTS[contract].get("containers", []))
    layers = [layer.replace("|", ":").split(":") for layer in CONTRACTS[contract]["layers"]]

    for higher, lower in itertools.pairwise(layers):
        for importer, imported in ((below.strip(), above.strip()) for below in lower for above in higher):
            graph = deepcopy(built)
            graph.add_import(importer=f"{container}{importer}", imported=f"{container}{imported}")
            assert not kept(contract, graph), f"{importer} may import {imported}"


@pytest.mark.parametrize(("importer", "imported"), [("raito", "aws"), ("aws", "raito")])
def test_raito_cloud_and_aws_do_not_know_each_other(importer: str, imported: str, graph: grimp.ImportGraph) -> None:
    graph.add_import(importer=f"raito_pipeline.{importer}", imported=f"raito_pipeline.{imported}")

    assert not kept("layers", graph)


def test_only_the_command_line_imports_the_sandbox(built: grimp.ImportGraph) -> None:
    packages = {"assets", "raito_pipeline.brand_new", *built.find_children("raito_pipeline")}

    for package in packages - {"raito_pipeline.cli", "raito_pipeline.sandbox"}:
        graph = deepcopy(built)
        graph.add_import(importer=f"{package}.any_module", imported="raito_pipeline.sandbox.aws.server")
        assert not kept("sandbox", graph), f"{package} may import the sandbox"


def test_the_sandbox_imports_nothing_of_the_product(built: grimp.ImportGraph) -> None:
    inside = {"raito_pipeline.sandbox", *built.find_descendants("raito_pipeline.sandbox")}
    imported = {name for module in inside for name in built.find_modules_directly_imported_by(module)}

    assert [name for name in imported - inside if name.startswith(("raito_pipeline", "assets"))] == []


def test_dagster_is_imported_by_its_public_names_only() -> None:
    private = re.compile(r"^\s*(?:from|import) dagster(?:\S*\._|\S* import .*\b_)", re.MULTILINE)
    files = [path for folder in ("raito_pipeline", "assets", "tests") for path in (ROOT / folder).rglob("*.py")]

    assert private.search("from dagster._core.instance import DagsterInstance")
    assert [str(path) for path in files if private.search(path.read_text())] == []

"""Whatever is imported by name is a declared dependency, and whatever is declared is imported."""

import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {"raito_pipeline", "assets", "tests"}
IMPORTS = re.compile(
    r"^[ \t]*(?:from[ \t]+([A-Za-z]\w*)[\w.]*[ \t]+import\b|"
    r"import[ \t]+(\w[\w.]*(?:[ \t]+as[ \t]+\w+)?(?:,[ \t]*\w[\w.]*(?:[ \t]+as[ \t]+\w+)?)*)[ \t]*(?:#.*)?$)",
    re.MULTILINE,
)
"""A line that imports: what from, or what. To parse all files takes twenty times as long."""
FOR_READERS = {"pandas"}
"""Not imported by the product: people read the stored tables with it (`pandas.read_parquet`, pyarrow's `to_pandas`)."""


def declared(*extras: str) -> set[str]:
    """The distributions that a set of extras asks for, those behind `types-boto3[SERVICE]` included."""
    requirements = [*PROJECT["dependencies"]]
    for extra in extras:
        requirements += PROJECT["optional-dependencies"][extra]
    names = set()
    for requirement in requirements:
        name, _, rest = requirement.partition("[")
        names.add(re.split(r"[^\w.-]", name)[0].lower())
        if name == "types-boto3":
            names |= {f"types-boto3-{service}" for service in rest.partition("]")[0].split(",")}
    return names


@cache
def imported(paths: tuple[Path, ...]) -> dict[str, str]:
    """The distributions that files import, in code or in the text of a program, with one file each."""
    files: dict[str, str] = {}
    for path in paths:
        for source, listed in IMPORTS.findall(path.read_text()):
            names = {source} if source else {each.split()[0].partition(".")[0] for each in listed.split(",")}
            for name in names - OWN - set(sys.stdlib_module_names):
                for distribution in distributions()[name]:
                    files[distribution.lower()] = str(path.relative_to(ROOT))
    return files


@cache
def distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


def files(*folders: str, without: str = "nothing") -> tuple[Path, ...]:
    return tuple(path for f in folders for path in (ROOT / f).rglob("*.py") if without not in path.parts)


DEPLOY = files("raito_pipeline/deploy")
PRODUCT = tuple(path for path in files("raito_pipeline", "assets", without="sandbox") if path not in DEPLOY)


@pytest.mark.parametrize(
    ("paths", "extras"),
    [
        (PRODUCT, ()),
        (DEPLOY, ("deploy",)),
        (files("raito_pipeline/sandbox"), ("sandbox",)),
        (files("tests"), ("sandbox", "deploy", "dev")),
    ],
    ids=["product", "deploy", "sandbox", "tests"],
)
def test_what_is_imported_is_declared(paths: tuple[Path, ...], extras: tuple[str, ...]) -> None:
    names = imported(paths)
    # Stubs are imported for the type checker only; no extra asks for one twice.
    allowed = declared(*extras) | {name for name in declared("dev") if name.startswith("types-")}

    assert {name: path for name, path in names.items() if name not in allowed} == {}


def test_what_the_product_needs_is_imported() -> None:
    assert declared() - imported(PRODUCT).keys() <= FOR_READERS


def test_a_sync_loads_neither_pandas_nor_what_loads_it_nor_the_sandbox() -> None:
    """Each costs a process 15 to 60 MB; pyarrow itself looks for pandas when it makes its first array."""
    script = (
        "import sys\n"
        "import raito_pipeline.cli.run, raito_pipeline.definitions\n"
        "import pyarrow as pa\n"
        "from raito_pipeline.model import S3Bucket\n"
        "from raito_pipeline.model.schema import to_batch\n"
        "from raito_pipeline.aws.readers.kept_policies import kept_policy\n"
        "assert to_batch(S3Bucket, [S3Bucket('data', None, None, True, ())]).num_rows == 1\n"
        "assert pa.default_memory_pool().backend_name == 'system'\n"
        "assert kept_policy('arn:aws:iam::aws:policy/ReadOnlyAccess')\n"
        "print(sys.modules.keys() & {'pandas', 'pyarrow.dataset', 'moto', 'graphql', 'dagster_graphql', 'websockets'})"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "set()\n", "")


@pytest.mark.parametrize("lock", ["requirements.lock", "tools.lock"])
def test_a_lock_names_exact_versions_with_hashes_and_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"(?m)^(?=\S)", text.replace("\\\n", " ").strip())[1:]
    assert len(entries) > 30
    for entry in entries:
        assert re.match(r"[A-Za-z0-9_.-]+(\[[\w, -]+\])?==[\w.!+-]+( ; [^#]+?)? +--hash=sha256:[0-9a-f]{64}", entry), (
            entry
        )
    assert "://" not in text
    assert "index" not in text.replace("--no-index", "")


def test_what_is_declared_is_locked() -> None:
    locked = {
        line.partition("==")[0].partition("[")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()
    }
    plain = {name.lower().replace("_", "-") for name in locked}
    assert {name.replace("_", "-") for name in declared(*PROJECT["optional-dependencies"])} - plain == set()

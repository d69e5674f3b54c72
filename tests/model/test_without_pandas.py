"""pyarrow without pandas: nothing loads it for us, and whoever uses it finds pyarrow as ever, in new processes."""

import subprocess
import sys

import pytest


def said(*lines: str) -> str:
    """What a new process prints; it must not fail."""
    ended = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


SERIES = "print(pa.array(pd.Series([1.5, float('nan')])).to_pylist(), type(pa.array(['x']).to_pandas()).__name__)"
AS_EVER = "[1.5, None] Series\n"


@pytest.mark.parametrize(
    "lines",
    [
        ("import pandas as pd, pyarrow as pa", "import raito_pipeline.model"),
        ("import pyarrow as pa", "import raito_pipeline.model", "import pandas as pd"),
        ("import pyarrow as pa", "import raito_pipeline.model", "pa.array(['x']).to_pandas()", "import pandas as pd"),
        ("import raito_pipeline.model", "import importlib.util, sys", "assert importlib.util.find_spec('pandas')",
         "assert 'pandas' not in sys.modules", "import pandas as pd, pyarrow as pa"),
    ],
    ids=["pandas first", "pandas later", "to_pandas first", "only looked for first"],
)  # fmt: skip
def test_whoever_loads_pandas_finds_that_pyarrow_takes_its_objects(lines: tuple[str, ...]) -> None:
    assert said(*lines, SERIES) == AS_EVER


def test_arrays_are_made_without_pandas() -> None:
    assert said(
        "import raito_pipeline.model, sys, pyarrow as pa",
        "from raito_pipeline.model.without_pandas import leave_pandas_out",
        "leave_pandas_out()",
        "pa.array(['x']), pa.scalar(1), pa.table({'a': [1]}).to_pylist()",
        "print('pandas' in sys.modules, sum(type(each).__name__ == '_PandasFinder' for each in sys.meta_path))",
    ) == ("False 1\n")

"""What pyproject.toml cannot say: the folder `assets` is installed as the package `raito_pipeline.assets`.

A package `assets` at the top level of an environment would be in the way of that of somebody's project.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["raito_pipeline", "raito_pipeline.*"]),
        *(f"raito_pipeline.{name}" for name in find_packages(include=["assets", "assets.*"])),
    ],
    package_dir={"raito_pipeline.assets": "assets"},
)

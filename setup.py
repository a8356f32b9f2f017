"""What a distribution contains: the package, and `scenarios/` as `des/shipped/`. All else is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["des*"]), "des.shipped"],
    package_dir={"des.shipped": "scenarios"},
    package_data={"des": ["py.typed", "report/page/templates/*"], "des.shipped": ["*.yaml"]},
)

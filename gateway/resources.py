"""Where the files that ship with the gateway are: beside the package in a checkout, inside it once installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "bundled"


def schema_folder() -> Path:
    """Return the folder of the XSD files."""
    return _BUNDLED / "schemas" if _BUNDLED.is_dir() else _PACKAGE.parent / "schemas"


def scenario_folder() -> Path:
    """Return the folder of the scenarios that ``gateway demo`` plays."""
    return _BUNDLED / "scenarios" if _BUNDLED.is_dir() else _PACKAGE.parent / "fixtures" / "scenarios"


def demo_directory() -> Path:
    """Return the directory of parties and units that the scenarios use."""
    return _BUNDLED / "directory.toml" if _BUNDLED.is_dir() else _PACKAGE.parent / "fixtures" / "directory.toml"

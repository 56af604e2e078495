"""The settings of one gateway: flags win over the environment, which wins over a file, which wins over defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from gateway.errors import ConfigurationError, Fault

INVALID = Fault(
    "config.invalid", "Inställningen {name} är felaktig eller okänd.", "The setting {name} is wrong or not known."
)
UNREADABLE = Fault(
    "config.unreadable", "Filen {file} kan inte läsas som TOML.", "The file {file} cannot be read as TOML."
)

DEFAULT_FILE = Path("gateway.toml")
"""Read from the working folder when no other file is named."""


class Settings(BaseSettings):
    """What one gateway must know to run. In the environment each name has the prefix ``GATEWAY_``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", extra="forbid", frozen=True, toml_file=DEFAULT_FILE)

    party: str = "kommun"
    """The party this gateway serves, by its name in the directory."""
    store: str = "sqlite+aiosqlite:///gateway.sqlite"
    """The gateway's own database, as an SQLAlchemy URL."""
    exchange: str = "sqlite+aiosqlite:///exchange.sqlite"
    """The exchange; the embedded one is a SQLite file that the gateways of one machine share."""
    directory: Path = Path("directory.toml")
    """The file of parties and units."""
    adapter: str = "treserva"
    """The kind of case system, by its name in the table of adapters."""
    folder: Path = Path("case-system")
    """The folder that the case system and the gateway exchange files in."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where settings come from, the strongest first."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @classmethod
    def load(cls, file: Path | None = None, **flags: Any) -> Settings:
        """Return the settings from flags, environment and ``file`` (or ``./gateway.toml`` where there is one).

        Raises:
            ConfigurationError: the file cannot be read, or a setting is wrong or not known.
        """
        chosen = file or DEFAULT_FILE
        if file is not None and not file.is_file():
            raise ConfigurationError(UNREADABLE.at(file=file))

        class FromFile(cls):  # type: ignore[valid-type, misc]
            model_config = SettingsConfigDict(toml_file=chosen)

        try:
            settings: Settings = FromFile(**{name: value for name, value in flags.items() if value is not None})
        except ValidationError as error:
            names = [".".join(str(part) for part in fault["loc"]) for fault in error.errors()]
            raise ConfigurationError([INVALID.at(name=name) for name in names]) from None
        except (OSError, ValueError):
            raise ConfigurationError(UNREADABLE.at(file=chosen)) from None
        return settings

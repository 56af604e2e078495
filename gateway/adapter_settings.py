"""The settings of one adapter among several: what it speaks, which way its words come and go, and for whom.

Which options a way takes and needs is known where the ways are (:mod:`gateway.adapters.ways`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyNetwork, PlainSerializer

LISTEN = r"^(\[[0-9a-fA-F:.]+\]|[^:\s]+):[0-9]{1,5}$"
"""The form of an address to listen on: ``host:port``, and ``[::1]:port``."""
NAME = r"^[a-z][a-z0-9-]{0,22}$"


def _never_or_seldom(seconds: float) -> float:
    if 0 < seconds < 1:
        raise ValueError("too often")
    return seconds


Text = Annotated[str, Field(min_length=1)]
Codes = Mapping[str, Annotated[Mapping[Text, Text], Field(min_length=1)]]


class AdapterSettings(BaseModel):
    """One ``[[adapters]]`` table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=NAME, examples=["a-z, 0-9, - (1–23)"])]
    """What it is called: in addresses, in commands, and as the source of its events."""
    words: Text
    """The vocabulary it speaks."""
    way: Text
    """How its words come and go."""
    direction: Literal["in", "out", "both"] = "both"
    """Whether it brings events, takes messages, or does both."""
    units: tuple[Text, ...] = ()
    """The units (HSA-ids) whose messages go to it."""
    unit_types: tuple[Text, ...] = ()
    """The types of units whose messages go to it; without these and without units it takes what goes to no other."""
    folder: Path | None = None
    """The folder that is shared with the system."""
    settle_seconds: Annotated[float, Field(ge=0.1, le=60)] = 10
    """How long a CSV file there must have stood still before it is taken."""
    listen: Annotated[str | None, Field(pattern=LISTEN, examples=["host:port"])] = None
    """Where the system connects."""
    senders: tuple[IPvAnyNetwork, ...] = ()
    """The addresses or networks of other machines that may connect there; without these all may."""
    url: Annotated[str | None, Field(pattern=r"^https?://[^/@\s?#]+[^@\s?#]*$", examples=["https://host/path"])] = None
    """Where messages are sent, and what has changed is fetched from."""
    token_file: Path | None = None
    """The file with the token that is shown there; read anew each time."""
    fetch_seconds: Annotated[
        float, Field(ge=0, le=86_400, examples=["0 | 1 … 86400"]), AfterValidator(_never_or_seldom)
    ] = 60
    """How often what has changed is fetched, where nothing tells of it; 0: only when something does."""
    secret_file: Path | None = None
    """The file with what both ends know: it signs what is sent, and vouches for what comes."""
    tokens_file: Path | None = None
    """The file with the SHA-256 of each token that lets events in."""
    certificates_file: Path | None = None
    """The file with the SHA-256 of each certificate that lets events in."""
    ca_file: Path | None = None
    """The certificates that may vouch for the system."""
    certificate_file: Path | None = None
    """The certificate that is shown to the system."""
    key_file: Path | None = None
    """The key of that certificate."""
    timeout_seconds: Annotated[float, Field(ge=1, le=50)] = 10
    """How long the system may take to give its receipt."""
    fields: Mapping[Text, Text] = {}
    """Where its events have what stands elsewhere in the tables."""
    codes: Codes = {}
    """For members of its events and messages, by name: its own words, and what each is in the vocabulary."""

    def shown(self) -> dict[str, Any]:
        """Return what has been set. Secrets stand in files, so none is in it."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def brings(self) -> bool:
        """Tell whether events come from it."""
        return self.direction != "out"

    @property
    def takes(self) -> bool:
        """Tell whether messages go to it."""
        return self.direction != "in"


def _tables(value: Any) -> Any:
    """Read tables that are written as one JSON array, as they are in the environment."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)  # what is no JSON raises a ValueError, which pydantic tells
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _on_one_line(adapters: tuple[AdapterSettings, ...]) -> str:
    if not adapters:
        return ""
    return json.dumps([one.shown() for one in adapters], ensure_ascii=False)


Adapters = Annotated[
    tuple[AdapterSettings, ...], BeforeValidator(_tables), PlainSerializer(_on_one_line, return_type=str)
]
"""The adapters of a gateway: an array of tables in a file, one line of JSON in the environment."""

"""The table of adapters. A new one is one line here, beside its module and its event fixtures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gateway.adapters.adapter import FolderAdapter
from gateway.adapters.journal import JOURNAL
from gateway.adapters.treserva import TRESERVA
from gateway.ports import Adapter

VOCABULARIES = {words.name: words for words in (TRESERVA, JOURNAL)}
"""The words of every system that exchanges files; a simulated one speaks them too."""

ADAPTERS: dict[str, Callable[..., Adapter]] = {
    "treserva": partial(FolderAdapter.over, TRESERVA),
    "journal": partial(FolderAdapter.over, JOURNAL),
}
"""Every adapter by name. Called with the system's folder and the directory of units."""

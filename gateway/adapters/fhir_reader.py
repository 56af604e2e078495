"""Reading a FHIR resource: the reader of events, for which extensions are members and a place is a FHIR expression.

A known extension is a member by its ``url``, a part of a complex one by its bare name, so that a table of shapes tells
where every field stands, whether FHIR has an element for it or not. What a resource says beside what is read stays in
the event, which is kept whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from gateway.adapters.fhir_extensions import EXTENSIONS, Extension
from gateway.adapters.fhir_resource import Package, Resource
from gateway.adapters.reading import Reader, Reading
from gateway.directory import Directory
from gateway.errors import Fault
from gateway.messages.binding import WRONG_TYPE

TWICE: Final = Fault(
    "fhir.extension-twice",
    "Tillägget (extension) står mer än en gång.",
    "The extension stands more than once.",
)
UNRESOLVED: Final = Fault(
    "fhir.reference-unresolved",
    "Det som referensen pekar på finns inte i det som kom; skicka med det, eller ange identifier.",
    "What the reference names is not in what came; send it along, or give its identifier.",
)
WRONG_TARGET: Final = Fault(
    "fhir.reference-target",
    "Referensen ska peka på {expected}.",
    "The reference must name {expected}.",
)


class ResourceReader(Reader):
    """Stands at one object of a resource of ``package``; see :class:`~gateway.adapters.reading.Reader`."""

    __slots__ = ("_catalogue", "_expression", "_items", "_places", "_targets", "package", "resource")

    def __init__(
        self,
        value: Any,
        reading: Reading,
        above: Reader | None,
        name: str,
        *,
        package: Package,
        resource: Resource,
        expression: str,
        catalogue: Mapping[str, Extension] = EXTENSIONS,
        items: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(value, reading, above, name)
        self.package = package
        self.resource = resource
        self._expression = expression
        self._catalogue = catalogue
        self._places: dict[str, str] = {}
        self._items: dict[str, tuple[str, ...]] = {}
        self._targets: dict[str, ResourceReader | None] = {}
        if items is not None:
            self._places = {str(index): place for index, place in enumerate(items)}
        elif type(self.members.get("extension")) is list:
            self._lift(self.members["extension"])

    @classmethod
    def at(cls, package: Package, resource: Resource, directory: Directory) -> ResourceReader:
        """Return the reader of a whole resource, which is what the event is about."""
        reading = Reading(directory)
        root = cls(
            dict(resource.members),
            reading,
            None,
            "",
            package=package,
            resource=resource,
            expression=resource.expression,
        )
        reading.root = root
        return root

    def place(self, name: str) -> str:
        """Return the FHIR expression of member ``name``."""
        known = self._places.get(name)
        if known is not None:
            return known
        if name in self._catalogue:
            return f"{self._expression}.extension('{name}')"
        return f"{self._expression}.{name}" if name else self._expression

    def target(self, name: str, *kinds: str) -> ResourceReader | None:
        """Return the reader of the resource that the Reference in member ``name`` names, one of ``kinds``.

        It is ``None``, with a finding, where it is none of them or not in what came.
        """
        if name not in self._targets:
            self._targets[name] = self._resolved(cast("ResourceReader", self.inside(name)), kinds)
        return self._targets[name]

    def _resolved(self, reference: ResourceReader, kinds: tuple[str, ...]) -> ResourceReader | None:
        text = reference.text("reference")
        if text is None:
            return None
        found = self.package.find(text, self.resource)
        if found is None:
            reference.note(UNRESOLVED.at(reference.place("reference")))
            return None
        if found.type not in kinds:
            reference.note(WRONG_TARGET.at(reference.place("reference"), expected=", ".join(kinds)))
            return None
        # What stands inside a resource is in turn resolved against the one that contains it.
        container = self.resource if text.startswith("#") else found
        return ResourceReader(
            dict(found.members),
            self._reading,
            None,
            "",
            package=self.package,
            resource=container,
            expression=found.expression,
        )

    def _lift(self, extensions: list[Any]) -> None:
        members = dict(self.members)
        for index, extension in enumerate(extensions):
            name = extension.get("url") if type(extension) is dict else None
            kind = self._catalogue.get(name) if type(name) is str else None
            if kind is None or type(name) is not str:
                continue
            place = f"{self._expression}.extension[{index}]"
            value = extension if kind.parts else extension.get(kind.member)
            place = place if kind.parts else f"{place}.{kind.member}"
            if value is None:
                self.note(WRONG_TYPE.at(place.rpartition(".")[0], expected=kind.member))
            if kind.repeats:
                members.setdefault(name, []).append(value)
                self._items[name] = (*self._items.get(name, ()), place)
            elif name in self._places:
                self.note(TWICE.at(place))
            else:
                members[name] = value
                self._places[name] = place
        self.members = members

    def _reader_of(self, found: Any, name: str) -> Reader:
        catalogue, items = EXTENSIONS, None
        members = found
        if type(found) is list or type(found) is tuple:
            members = dict(zip(map(str, range(len(found))), found, strict=True))
            place = self.place(name)
            items = self._items.get(name) or tuple(f"{place}[{index}]" for index in range(len(found)))
            # An item of a list of complex extensions has the parts of the extension.
            catalogue = self._parts(name) if name in self._items else self._catalogue
        elif name in self._catalogue:
            catalogue = self._parts(name)
        elif self._catalogue is not EXTENSIONS and name.isdecimal():
            catalogue = self._catalogue
        return ResourceReader(
            members,
            self._reading,
            self,
            name,
            package=self.package,
            resource=self.resource,
            expression=self.place(name),
            catalogue=catalogue,
            items=items,
        )

    def _parts(self, name: str) -> Mapping[str, Extension]:
        return self._catalogue[name].parts or EXTENSIONS

    def _is_read(self) -> bool:
        # A resource tells the whole state of something, of which a message needs a part.
        return True

"""The characters of an HL7 v2 message: which delimiters and character set it has, and what its escapes mean.

HL7 v2.5 chapter 2: §2.5.4 delimiters, §2.7 escapes, §2.14.9.18 character sets. Any five different characters may be
delimiters; two of them may be left out. Nothing is guessed: an escape or character set that is not known is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.errors import Fault, InvalidDocumentError

NOT_HL7: Final = Fault(
    "hl7.header-missing",
    "Det som kom börjar inte med ett MSH-segment.",
    "What came does not begin with an MSH segment.",
)
DELIMITERS: Final = Fault(
    "hl7.delimiters",
    "Avgränsarna ska vara olika tecken som varken är bokstäver, siffror eller mellanslag.",
    "The delimiters must be different characters, and neither letters, digits nor spaces.",
)
CHARSET: Final = Fault(
    "hl7.charset-unsupported",
    "Teckenuppsättningen stöds inte; de som stöds är {supported}.",
    "The character set is not supported; those that are: {supported}.",
)
NOT_IN_CHARSET: Final = Fault(
    "hl7.encoding",
    "Meddelandet har tecken som inte hör till den teckenuppsättning det anger i MSH-18.",
    "The message has characters that do not belong to the character set it states in MSH-18.",
)
CONTRADICTED: Final = Fault(
    "hl7.encoding-contradicted",
    "Meddelandet anger {stated} i MSH-18 men är skrivet i UTF-8.",
    "The message states {stated} in MSH-18, and is written in UTF-8.",
)
ESCAPE: Final = Fault(
    "hl7.escape",
    "En escapesekvens är okänd eller inte avslutad.",
    "An escape sequence is not known, or has no end.",
)

CHARSETS: Final[dict[str, str]] = {
    "ASCII": "ascii",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "UNICODE UTF-8": "utf-8",
}
"""The codes of HL7 table 0211 that are understood, and how Python calls each."""
UNSTATED: Final = "ASCII"
"""What a message has that states no character set (§2.14.9.18)."""

_BOM = b"\xef\xbb\xbf"
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")
_SPACING = re.compile(r"\.(?:(sp|sk)\s?\+?([0-9]{0,2})|br|ce|fi|nf|in\s?[+-]?[0-9]{1,2}|ti\s?[+-]?[0-9]{1,2})")
_HIGHLIGHTING = ("H", "N")


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The characters that part a message (MSH-1, MSH-2); ``escape`` and ``subcomponent`` are empty when left out."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation

    @classmethod
    def of_header(cls, header: str) -> Delimiters:
        """Return the delimiters that a segment begins with whose name, of three letters, they follow.

        Raises:
            InvalidDocumentError: they cannot be told apart.
        """
        field, rest = header[3:4], header[4:]
        encoding = rest.partition(field)[0] if field else ""
        used = field + encoding
        if len(set(used)) != len(used) or not 3 <= len(used) <= 6 or not all(_can_part(sign) for sign in used):
            raise InvalidDocumentError(DELIMITERS.at("MSH-1" if not field or not _can_part(field) else "MSH-2"))
        return cls(field, *encoding, *[""] * (4 - len(encoding)))

    def escaped(self, text: str) -> str:
        """Return ``text`` as it stands in a message: its delimiters escaped, its line breaks as ``.br``."""
        if not self.escape:
            return "".join(" " if sign in self.field + self.encoding or sign in "\r\n" else sign for sign in text)
        codes = {
            self.escape: "E",
            self.field: "F",
            self.component: "S",
            self.repetition: "R",
            self.subcomponent: "T",
            "\r": ".br",
            "\n": ".br",
        }
        return "".join(f"{self.escape}{codes[sign]}{self.escape}" if sign in codes else sign for sign in text)

    def plain(self, text: str, codec: str) -> str:
        """Return what ``text`` means, its escapes undone; bytes told in hexadecimal are of ``codec``.

        Raises:
            ValueError: an escape is not known, or has no end.
        """
        if not self.escape or self.escape not in text:
            return text
        parts = text.split(self.escape)
        if len(parts) % 2 == 0:
            raise ValueError
        return "".join(self._meaning(part, codec) if n % 2 else part for n, part in enumerate(parts))

    def _meaning(self, code: str, codec: str) -> str:
        standing = {"F": self.field, "S": self.component, "R": self.repetition, "E": self.escape}
        standing |= {"T": self.subcomponent or "&", "P": self.truncation or "#"}
        if code in standing:
            return standing[code]
        if code in _HIGHLIGHTING:
            return ""
        if found := _HEX.fullmatch(code):
            return bytes.fromhex(found[1]).decode(codec)  # a UnicodeDecodeError is a ValueError
        if found := _SPACING.fullmatch(code):
            if found[1] == "sk":
                return " " * int(found[2] or 1)
            breaks = found[1] == "sp" or code in (".br", ".ce")
            return "\n" * int(found[2] or 1) if breaks else ""
        raise ValueError


def _can_part(sign: str) -> bool:
    return "!" <= sign <= "~" and not sign.isalnum()


def text_of(content: bytes, stated: str) -> tuple[str, str]:
    """Return ``content`` as text, and the codec it has been read with: that of the ``stated`` code of table 0211.

    Raises:
        InvalidDocumentError: the character set is not supported, or the bytes are not of it.
    """
    codec = CHARSETS.get(stated or UNSTATED)
    if codec is None:
        raise InvalidDocumentError(CHARSET.at("MSH-18", supported=", ".join(CHARSETS)))
    if content.startswith(_BOM):
        content, codec = content[len(_BOM) :], "utf-8"
    if codec.startswith("iso8859") and _is_utf_8(content):
        # å, ä and ö would become two characters each, and nobody would see it here.
        raise InvalidDocumentError(CONTRADICTED.at("MSH-18", stated=stated))
    try:
        return content.decode(codec), codec
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\r") + 1
        raise InvalidDocumentError(NOT_IN_CHARSET.at("MSH-18", line)) from None


def _is_utf_8(content: bytes) -> bool:
    """Tell whether there is something in ``content`` that only UTF-8 explains."""
    if content.isascii():
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def beginning(content: bytes) -> str:
    """Return the first segment of ``content``, byte by byte, whatever its character set."""
    return re.split(r"[\r\n]", content.removeprefix(_BOM)[:8192].decode("latin-1").lstrip("\r\n"), maxsplit=1)[0]

"""Signatures after Standard Webhooks, and who is trusted."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.http_trust import Asked, Certificates, Signed, Tokens
from gateway.adapters.signing import Secrets, is_timely
from gateway.clock import ManualClock
from gateway.errors import ConfigurationError

NOW = datetime(2026, 11, 4, 10, 0, tzinfo=UTC)
SECRET = " ".join(["a", "secret", "of", "more", "than", "24", "bytes"])


def secrets(*lines: str, folder: Path) -> Secrets:
    file = folder / "secret"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Secrets.read(file)


def test_a_signature_is_the_one_that_the_standard_describes(tmp_path: Path) -> None:
    # The example of the reference libraries of Standard Webhooks.
    known = secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", folder=tmp_path)
    at = datetime.fromtimestamp(1614265330, UTC)
    signed = known.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert signed == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_secret_in_plain_text_is_its_bytes(tmp_path: Path) -> None:
    signed = secrets(SECRET, folder=tmp_path).sign("id", NOW, b"{}")
    content = f"id.{int(NOW.timestamp())}.{{}}".encode()
    expected = base64.b64encode(hmac.new(SECRET.encode(), content, hashlib.sha256).digest()).decode()
    assert signed["webhook-signature"] == f"v1,{expected}"


def test_while_a_secret_is_changed_both_are_right(tmp_path: Path) -> None:
    old, new = secrets(SECRET, folder=tmp_path), secrets(SECRET[::-1], folder=tmp_path)
    both = secrets(SECRET[::-1], SECRET, folder=tmp_path)
    for known in (old, new):
        assert both.vouch_for(known.sign("id", NOW, b"x"), b"x")
        assert known.vouch_for(both.sign("id", NOW, b"x"), b"x")
    assert not new.vouch_for(old.sign("id", NOW, b"x"), b"x")


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "webhook-signature", "body"])
def test_whatever_is_changed_nobody_has_signed_it(tmp_path: Path, changed: str) -> None:
    known = secrets(SECRET, folder=tmp_path)
    headers = known.sign("id", NOW, b"x")
    assert known.vouch_for(headers, b"x")
    if changed != "body":
        headers[changed] += "1"
    assert not known.vouch_for(headers, b"y" if changed == "body" else b"x")


@pytest.mark.parametrize("content", ["", "\n\n", "too short", "whsec_AAAA", "whsec_not base64 at all, but long enough"])
def test_a_secret_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        secrets(content, folder=tmp_path)
    assert caught.value.codes == ("http.secret-unusable",)


def test_a_secret_is_not_shown_where_it_is_printed(tmp_path: Path) -> None:
    known = secrets(SECRET, folder=tmp_path)
    assert SECRET not in repr(Signed(known, ManualClock(NOW)))


@pytest.mark.parametrize(
    ("offset", "timely"), [(0, True), (-300, True), (300, True), (-301, False), (301, False), (-3600, False)]
)
def test_a_signature_holds_for_five_minutes(tmp_path: Path, offset: int, timely: bool) -> None:
    known, clock = secrets(SECRET, folder=tmp_path), ManualClock(NOW)
    headers = known.sign("id", NOW + timedelta(seconds=offset), b"x")
    assert Signed(known, clock).vouches(Asked(headers, b"x")) is timely


@given(st.text(max_size=20))
def test_any_text_for_a_time_is_timely_or_not(text: str) -> None:
    assert is_timely(text, NOW) is (text.isascii() and text.isdigit() and abs(int(text) - NOW.timestamp()) <= 300)


@given(
    st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()), st.binary()
)
def test_nobody_gets_in_by_chance(headers: dict[str, str], body: bytes) -> None:
    known = Signed(Secrets((SECRET.encode(),)), ManualClock(NOW))
    assert not known.vouches(Asked(headers, body))


# --- tokens and certificates ----------------------------------------------------------------------------------------

TOKEN = "0123456789abcdef" * 2


def hashes(folder: Path, *lines: str) -> Path:
    file = folder / "hashes"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer {TOKEN}", True),
        (f"Basic {TOKEN}", False),
        (f"Bearer  {TOKEN}", False),
        (f"Bearer {TOKEN}0", False),
        ("Bearer ", False),
        ("", False),
        ("Bearer " + "å" * 40, False),
    ],
)
def test_a_token_is_known_by_its_hash(tmp_path: Path, header: str, known: bool) -> None:
    file = hashes(tmp_path, "# the case system", hashlib.sha256(TOKEN.encode()).hexdigest() + "  # until June")
    assert Tokens.read(file).vouches(Asked({"authorization": header}, b"")) is known


def test_a_short_token_is_refused_even_if_its_hash_is_known(tmp_path: Path) -> None:
    file = hashes(tmp_path, hashlib.sha256(b"sommar2026").hexdigest())
    assert not Tokens.read(file).vouches(Asked({"authorization": "Bearer sommar2026"}, b""))


def test_a_certificate_is_known_by_its_fingerprint(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"DER").hexdigest().upper()
    colons = ":".join(digest[index : index + 2] for index in range(0, 64, 2))
    known = Certificates.read(hashes(tmp_path, colons))
    assert known.vouches(Asked({}, b"", b"DER"))
    assert not known.vouches(Asked({}, b"", b"other"))
    assert not known.vouches(Asked({}, b""))


@pytest.mark.parametrize("content", ["", "# nothing", TOKEN, "g" * 64])
def test_a_file_of_hashes_that_has_none_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Tokens.read(hashes(tmp_path, content))
    assert caught.value.codes == ("http.hashes-unusable",)

"""What every answer tells a browser not to do."""

from __future__ import annotations

from gateway.web.headers import security_headers


def policy(*, is_https: bool = True, issuer: str | None = None) -> dict[str, str]:
    told = security_headers(is_https=is_https, issuer=issuer)["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in told.split("; "))


def test_pages_load_and_run_nothing_of_others_and_are_framed_by_nobody() -> None:
    assert policy() == {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert "unsafe" not in security_headers(is_https=True)["Content-Security-Policy"]


def test_a_form_may_lead_to_the_identity_provider_and_nowhere_else() -> None:
    led = policy(issuer="https://idp.example:8443/realms/sip")
    assert led["form-action"] == "'self' https://idp.example:8443"
    assert {name: value for name, value in led.items() if name != "form-action"} == {
        name: value for name, value in policy().items() if name != "form-action"
    }


def test_browsers_are_held_to_https_when_they_came_by_it_alone() -> None:
    over_https, in_clear = security_headers(is_https=True), security_headers(is_https=False)
    assert over_https["Strict-Transport-Security"] == "max-age=31536000"
    assert set(over_https) - set(in_clear) == {"Strict-Transport-Security"}
    assert (in_clear["X-Content-Type-Options"], in_clear["Referrer-Policy"]) == ("nosniff", "same-origin")
    assert in_clear["Cross-Origin-Opener-Policy"] == in_clear["Cross-Origin-Resource-Policy"] == "same-origin"
    assert {"camera=()", "microphone=()", "geolocation=()"} <= set(in_clear["Permissions-Policy"].split(", "))


def test_no_header_can_be_broken_in_two() -> None:
    for value in security_headers(is_https=True, issuer="https://idp.example").values():
        assert value.isprintable()
        assert value.isascii()

"""Small pages under the content security policy of the windows, right and wrong ones, to try the visitor's tools on."""

from __future__ import annotations

from aiohttp import web

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

_STYLE = """
:root { color-scheme: light dark; }
a, button { display: inline-block; padding: 6px 12px; }
:focus-visible { outline: 2px solid; }
.tiny { padding: 0; width: 10px; height: 10px; overflow: hidden; }
.pale { color: #ccc; background: #fff; }
.unmarked:focus-visible { outline: none; }
.wide { width: 700px; }
.turning { width: 40px; height: 40px; background: #06c; animation: turn 1s linear infinite; }
@keyframes turn { to { transform: rotate(360deg); } }
"""
_SCRIPT = """
document.querySelector("#said").textContent = "script";
document.querySelector("#clock").textContent = new Date().toISOString();
"""
_RIGHT = '<h1>Försök</h1><p id="said">–</p><p id="clock">–</p><noscript><p id="unscripted">utan skript</p></noscript>'
_FROM_ELSEWHERE = '<h1>Fel</h1><img src="http://192.0.2.1/dot.svg" alt="annan">'
"""An image of an address that no machine has: it is for documents (RFC 5737)."""
_WITH_SCRIPT = '<script src="/script.js" defer></script>'

PAGES = {
    "/": _RIGHT + '<p><a href="/first">Första</a> <a href="/second">Andra</a> <button>Kvittera</button></p>',
    "/first": "<h1>Första</h1>",
    "/second": "<h1>Andra</h1>",
    "/moving": _RIGHT + '<div class="turning"></div>',
    "/hard-to-use": '<h1>Fel</h1><img src="/dot.svg"><p class="pale">svag</p>'
    '<p><button class="tiny">a</button><button class="tiny">b</button></p>',
    "/unmarked": '<h1>Fel</h1><p><a class="unmarked" href="/">Dold</a></p>',
    "/wide": '<h1>Fel</h1><p class="wide">bred</p>',
    "/inline-script": "<h1>Fel</h1><script>document.title = 'x';</script>",
    "/inline-style": '<h1>Fel</h1><p style="color: red">röd</p>',
    "/failing-script": '<h1>Fel</h1><script src="/failing.js"></script>',
    "/missing": '<h1>Fel</h1><img src="/no-such.svg" alt="saknas">',
}
"""What stands in the body of each page, by its path."""

_FILES = {
    "/style.css": (_STYLE, "text/css"),
    "/script.js": (_SCRIPT, "text/javascript"),
    "/failing.js": ('throw new Error("planted");', "text/javascript"),
    "/dot.svg": ('<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"/>', "image/svg+xml"),
}


def site() -> web.Application:
    """Return the pages, and ``/elsewhere``, which has an image of another machine and the policy that lets it."""
    application = web.Application()
    for path in PAGES:
        application.router.add_get(path, _page)
    for path in _FILES:
        application.router.add_get(path, _file)
    application.router.add_get("/elsewhere", _elsewhere)
    return application


async def _page(request: web.Request) -> web.Response:
    return _document(PAGES[request.path], POLICY)


async def _elsewhere(_: web.Request) -> web.Response:
    return _document(_FROM_ELSEWHERE, POLICY.replace("img-src 'self'", "img-src *"))


async def _file(request: web.Request) -> web.Response:
    text, kind = _FILES[request.path]
    return web.Response(text=text, content_type=kind)


def _document(body: str, policy: str) -> web.Response:
    script = _WITH_SCRIPT if 'id="said"' in body else ""
    head = f'<meta charset="utf-8"><title>Försök</title><link rel="stylesheet" href="/style.css">{script}'
    text = f'<!doctype html><html lang="sv"><head>{head}</head><body><main>{body}</main></body></html>'
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": policy})

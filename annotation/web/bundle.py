"""The template tag that names the built viewer files, from Vite's manifest."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@lru_cache(maxsize=4)
def _manifest(path: Path, changed: float) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def entry(source: str) -> dict[str, Any] | None:
    path = Path(settings.BASE_DIR) / "static" / "viewer" / ".vite" / "manifest.json"
    if not path.is_file():
        return None
    found: dict[str, Any] | None = _manifest(path, path.stat().st_mtime).get(source)
    return found


def _ahead(built: dict[str, Any]) -> list[str]:
    """Give the chunks that an entry will ask for, so that the browser has them before it has run the first line."""
    names = [*built.get("imports", []), *(name for name in built.get("dynamicImports", []) if name.startswith("src/"))]
    return [chunk["file"] for chunk in map(entry, names) if chunk is not None]


@register.simple_tag
def bundle(source: str) -> SafeString:
    built = entry(source)
    if built is None:
        return SafeString("<!-- the viewer is not built: ./run demo builds it -->")
    sheets = format_html_join(
        "", '<link rel="stylesheet" href="{}">', ((static(f"viewer/{f}"),) for f in built.get("css", []))
    )
    chunks = format_html_join(
        "", '<link rel="modulepreload" href="{}">', ((static(f"viewer/{f}"),) for f in _ahead(built))
    )
    script = format_html('<script type="module" src="{}"></script>', static(f"viewer/{built['file']}"))
    return format_html("{}{}{}", sheets, script, chunks)

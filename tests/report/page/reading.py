"""Reads a page as a browser or a screen reader does: its sections, tables and charts."""

import json
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """`tables` by caption: rows of cells. `ids`, `tags` and `links` of all elements; `text` outside of scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self._inside: list[str] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self.feed(html)
        self.close()

    @property
    def charts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.scripts[1])
        return found["charts"]  # type: ignore[no-any-return]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag in ("meta", "link"):
            return
        self._inside.append(tag)
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        elif tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data: str) -> None:
        if "script" in self._inside:
            self.scripts[-1] += data
        elif "style" in self._inside:
            return
        elif self._inside and self._inside[-1] in ("td", "th"):
            self._rows[-1][-1] += data
        elif self._inside and self._inside[-1] == "caption":
            self._caption += data
        if "script" not in self._inside and data.strip():
            self.text.append(data)

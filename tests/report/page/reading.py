"""Reads a page as a browser or a screen reader does: its sections, tables and charts."""

import json
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """`tables` by caption: rows of cells, without marks. `seen` and `spoken` are the same with the marks that eyes see
    and with the words that a screen reader says; `legends` are the lines below captions. `ids`, `tags` and `attributes`
    of all elements; `text` outside of scripts.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.seen: dict[str, list[list[str]]] = {}
        self.spoken: dict[str, list[list[str]]] = {}
        self.legends: dict[str, list[str]] = {}
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self._inside: list[str] = []
        self._rows: list[list[str]] = []
        self._seen: list[list[str]] = []
        self._spoken: list[list[str]] = []
        self._legend: list[str] = []
        self._caption = ""
        self._span = ""
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
            self._rows, self._seen, self._spoken, self._legend, self._caption = [], [], [], [], ""
        elif tag == "tr":
            for rows in (self._rows, self._seen, self._spoken):
                rows.append([])
        elif tag in ("td", "th"):
            for rows in (self._rows, self._seen, self._spoken):
                rows[-1].append("")
        elif tag == "script":
            self.scripts.append("")
        elif tag == "span":
            of = dict(attrs)
            self._span = "hidden" if of.get("aria-hidden") == "true" else of.get("class") or ""

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass
        if tag == "table":
            self.tables[self._caption], self.seen[self._caption] = self._rows, self._seen
            self.spoken[self._caption], self.legends[self._caption] = self._spoken, self._legend

    def handle_data(self, data: str) -> None:
        data = data.replace("\N{NO-BREAK SPACE}", " ")
        inside = self._inside[-1] if self._inside else ""
        around = self._inside[-2] if inside == "span" and len(self._inside) > 1 else ""
        if "script" in self._inside:
            self.scripts[-1] += data
        elif "style" in self._inside:
            return
        elif inside in ("td", "th"):
            for rows in (self._rows, self._seen, self._spoken):
                rows[-1][-1] += data
        elif around in ("td", "th"):
            (self._seen if self._span == "hidden" else self._spoken)[-1][-1] += data
        elif around == "caption" and self._span == "legend":
            self._legend.append(data)
        elif around == "caption":
            self._caption += data
        if "script" not in self._inside and data.strip():
            self.text.append(data)

"""Checked derivations as Markdown, formulas between dollars."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from toymodels.derive.document import LAWS, Document, Entry, Formula
from toymodels.derive.page import count
from toymodels.derive.prose import shapes, to_markdown

RELATIONS = {"<=": r"\le", ">=": r"\ge", "->": r"\to", "computes": "=", "<": r"\lt", ">": r"\gt"}
_SPELT = {
    r"\|": r"\Vert ", r"\{": r"\lbrace ", r"\}": r"\rbrace ", r"\,": r"\thinspace ", r"\;": r"\thickspace ",
    r"\:": r"\medspace ", r"\_": r"\text{\textunderscore}", r"\ ": " ", r"\!": "", "\\\\": r"\cr ",
}  # fmt: skip


def markdown(documents: Sequence[Document], seconds: float) -> str:
    """Return one section per derivation, and the closing count."""
    sections = ["\n".join(document_lines(document)) for document in documents]
    return "\n\n".join([*sections, to_markdown(count(documents, seconds))]) + "\n"


def document_lines(document: Document) -> Iterator[str]:
    """Yield the lines of one derivation."""
    yield f"## {to_markdown(document.title)}"
    yield ""
    source = f"Source: {to_markdown(document.source)}. " if document.source else ""
    yield f"{source}File: {to_markdown(document.name)}."
    yield ""
    for group in document.letters:
        names = ", ".join(map(math, group.names))
        yield f"- {names}: {to_markdown(shapes(group.words))}"
    for assumption in document.assumptions:
        yield f"- assume {math(assumption)}"
    case = None
    for entry in document.entries:
        if entry.case != case:
            yield f"\n**{'In general' if entry.case is None else 'Case'}** {math(entry.case)}".rstrip()
        case = entry.case
        yield ""
        yield from _entry(entry)
    if not document.judged:
        yield "\nNo step to check."


def math(formula: Formula | None) -> str:
    """Return a formula between dollars, without the escapes that Markdown readers take away."""
    if formula is None:
        return ""
    return f"${_plain(formula.latex)}$"


def _plain(latex: str) -> str:
    """Spell out what begins with a backslash and no letter: Markdown would take the backslash away."""
    text = re.sub(r"\\[^a-zA-Z]", lambda match: _SPELT.get(match[0], match[0]), latex)
    text = re.sub(r"\\operatorname\{(\w+)\}", r"\\mathop{\\mathrm{\1}}", text)
    text = text.replace(r"\operatorname{", r"\mathop{")
    return " ".join(text.replace("<", r"\lt ").replace(">", r"\gt ").replace("*", r"\ast ").split())


def _entry(entry: Entry) -> Iterator[str]:
    if entry.kind == "remark":
        yield to_markdown(entry.text)
    elif entry.kind in LAWS:
        yield to_markdown(entry.reason or ("Let" if entry.kind == "names" else "Declared")) + ":"
        for x, y in entry.rules:
            yield f"- {math(x)} $=$ {math(y)}"
    elif entry.kind == "mistake":
        yield f"**ERROR** {to_markdown(entry.finding)}"
    else:
        yield f"**({entry.number})** {_statement(entry)}"
        yield ""
        yield from (f"- {remark}" for remark in _remarks(entry))


def _statement(entry: Entry) -> str:
    left, right = (_plain(x.latex) if x else "" for x in (entry.left, entry.right))
    if entry.kind == "ships" and entry.left is not None:
        return f"`{entry.left.text}` computes ${right}$"
    text = f"{left} {RELATIONS.get(entry.relation, entry.relation)} {right}"
    if entry.order is not None:
        text += f" + {_plain(entry.order.latex)}"
    conditions = (("as", entry.limit), ("given", entry.given))
    return f"${text}$" + "".join(f" {words} {math(x)}" for words, x in conditions if x is not None)


def _remarks(entry: Entry) -> Iterator[str]:
    for x, y in entry.rules:
        yield f"with {math(x)} $=$ {math(y)}"
    if entry.reason:
        yield to_markdown(entry.reason)
    if entry.slack is not None:
        yield f"slack {math(entry.slack)}"
    if entry.mark:
        yield f"**{entry.mark}** {to_markdown(entry.finding)}"
    for note in [entry.follows, *entry.notes]:
        if note:
            yield to_markdown(note)
    if entry.example:
        yield f"counterexample: {to_markdown('; '.join(entry.example))}"

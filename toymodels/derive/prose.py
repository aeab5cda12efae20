"""Authors' prose as LaTeX and as Markdown: special characters, Unicode, formulas between dollars."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\ensuremath{<}",
    ">": r"\ensuremath{>}", "|": r"\ensuremath{|}", '"': "''", "`": r"\textasciigrave{}",
}  # fmt: skip
_LETTERS = {
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''",
    "„": ",,", "…": r"\dots{}", "§": r"\S{}", "¶": r"\P{}", "©": r"\copyright{}", "\u00a0": "~", "€": "EUR",
}  # fmt: skip
_SYMBOLS = {
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "≡": r"\equiv", "∼": r"\sim", "∝": r"\propto",
    "→": r"\to", "←": r"\leftarrow", "↔": r"\leftrightarrow", "⇒": r"\Rightarrow", "⇔": r"\Leftrightarrow",
    "↦": r"\mapsto", "∞": r"\infty", "∇": r"\nabla", "∂": r"\partial", "∈": r"\in", "∉": r"\notin",
    "⊂": r"\subset", "⊆": r"\subseteq", "∪": r"\cup", "∩": r"\cap", "∅": r"\emptyset", "∀": r"\forall",
    "∃": r"\exists", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "√": r"\surd", "×": r"\times", "·": r"\cdot",
    "⋅": r"\cdot", "∘": r"\circ", "⊙": r"\odot", "⊗": r"\otimes", "⊕": r"\oplus", "±": r"\pm", "∓": r"\mp",
    "−": "-", "÷": r"\div", "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\|", "∥": r"\|", "⊥": r"\perp",
    "⊤": r"\top", "ᵀ": r"{}^{\top}", "†": r"\dagger", "°": r"{}^{\circ}", "′": "'", "½": r"\tfrac{1}{2}",
    "¼": r"\tfrac{1}{4}", "¾": r"\tfrac{3}{4}", "ℝ": r"\mathbb{R}", "ℕ": r"\mathbb{N}", "ℤ": r"\mathbb{Z}",
    "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}", "𝔼": r"\mathbb{E}", "ℓ": r"\ell", "≪": r"\ll", "≫": r"\gg",
    "≲": r"\lesssim", "≳": r"\gtrsim", "⪰": r"\succeq", "⪯": r"\preceq", "≻": r"\succ", "≺": r"\prec",
    "□": r"\square", "∎": r"\blacksquare", "ϕ": r"\phi", "φ": r"\varphi", "ϵ": r"\epsilon",
    "ε": r"\varepsilon",
    "µ": r"\mu", "ο": "o", "Ω": r"\Omega", "ς": r"\varsigma", "ϑ": r"\vartheta", "ϱ": r"\varrho",
}  # fmt: skip
_ACCENTS = {
    0x300: "`", 0x301: "'", 0x302: "^", 0x303: "~", 0x304: "=", 0x306: "u", 0x307: ".", 0x308: '"',
    0x30A: "r", 0x30B: "H", 0x30C: "v", 0x327: "c", 0x323: "d", 0x331: "b",
}  # fmt: skip
_LATIN_SHAPED = dict(Alpha="A", Beta="B", Epsilon="E", Zeta="Z", Eta="H", Iota="I", Kappa="K", Mu="M",
                     Nu="N", Omicron="O", Rho="P", Tau="T", Chi="X")  # fmt: skip

LONG_WORD = 20
"""Characters that fit a line however it is filled."""

_COMMANDS = """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma
    tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega le leq ge
    geq ne neq approx equiv sim propto to rightarrow leftarrow Rightarrow mapsto infty nabla partial in notin
    subset cup cap forall exists sum prod int times cdot circ odot otimes oplus pm mp langle rangle top dagger
    ell ll gg succeq preceq succ prec log exp sin cos tan sinh cosh tanh max min sup inf lim det dim ker frac
    tfrac sqrt dot ddot hat tilde bar vec overline underline mathrm mathbf mathbb mathcal mathit operatorname
    text left right big bigl bigr Big Bigl Bigr quad qquad dots ldots cdots prime star ast mid perp
"""
_KNOWN_COMMANDS = frozenset(_COMMANDS.split())


def to_latex(text: str) -> str:
    r"""Return prose as LaTeX that compiles in any article; formulas between dollars stay.

    Examples
    --------
    >>> print(to_latex("50% of λ_1 ≤ $W_1^\\top W_2$"))
    50\% of \ensuremath{\lambda}\_1 \ensuremath{\le} $W_1^\top W_2$
    """
    return _outside_formulas(text, lambda part: " ".join(map(_word, part.split(" "))))


def to_markdown(text: str) -> str:
    r"""Return prose as Markdown; formulas between dollars stay.

    Examples
    --------
    >>> print(to_markdown("a_1 * b"))
    a\_1 \* b
    """
    return _outside_formulas(text, lambda part: re.sub(r"([\\`*_{}\[\]<>#|$])", r"\\\1", part))


def shapes(words: str) -> str:
    """Return a description of letters with its shapes as formulas.

    Examples
    --------
    >>> shapes("matrix (m, d), constant")
    'matrix $(m, d)$, constant'
    """
    return re.sub(r"\((\w+(?:, \w+)?)\)", r"$(\1)$", words)


def _outside_formulas(text: str, escape: Callable[[str], str]) -> str:
    """Escape what stands outside of formulas; a dollar without a formula is a dollar."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    out, at = [], 0
    for match in re.finditer(r"\$([^$]+)\$", text):
        if _is_formula(match[1]):
            out += [escape(text[at : match.start()]), match[0]]
            at = match.end()
    return "".join([*out, escape(text[at:])])


def _is_formula(body: str) -> bool:
    """Whether what stands between dollars is a formula that LaTeX certainly takes."""
    if not body.isascii() or body != body.strip() or re.search(r"[#%&~]|\\[^a-zA-Z,;:!|{}]|\\$", body):
        return False
    if any(command not in _KNOWN_COMMANDS for command in re.findall(r"\\([a-zA-Z]+)", body)):
        return False
    if len(re.findall(r"\\left\b", body)) != len(re.findall(r"\\right\b", body)):
        return False
    depth, bare = 0, re.sub(r"\\.", "  ", body)
    for character in bare:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    single = r"(?:\{[^{}]*\}|\\[a-zA-Z]+|[^\s{}])"
    twice = re.search(rf"([\^_'])\s*{single}\s*\1|[\^_]\s*([\^_}}]|$)", body)
    bad = re.search(
        r"\\(frac|tfrac)(?!\{[^{}]*\}\{)|\\(sqrt|dot|hat|bar|text|math\w+|operatorname)(?!\{)", body
    )
    return depth == 0 and twice is None and bad is None


def _character(c: str) -> str:
    """Return one character as LaTeX."""
    if c in _SPECIAL:
        return _SPECIAL[c]
    if c.isascii():
        return c if c.isprintable() else " "
    if c in _LETTERS:
        return _LETTERS[c]
    if c in _SYMBOLS:
        return rf"\ensuremath{{{_SYMBOLS[c]}}}"
    return _greek(c) or _script(c) or _accented(c) or f"[U+{ord(c):04X}]"


def _greek(c: str) -> str:
    match = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", unicodedata.name(c, ""))
    if match is None:
        return ""
    name = match[2].capitalize().replace("Lamda", "Lambda")
    if match[1] == "CAPITAL":
        return _LATIN_SHAPED.get(name, rf"\ensuremath{{\{name}}}")
    return rf"\ensuremath{{\{name.lower()}}}"


def _script(c: str) -> str:
    """Return a superscript or subscript digit, sign or letter."""
    match = re.fullmatch(r"<(super|sub)> ([0-9A-F]{4})", unicodedata.decomposition(c))
    if match is None or not chr(int(match[2], 16)).isascii():
        return "\\ensuremath{{}^{-}}" if c == "⁻" else ""
    return rf"\ensuremath{{{{}}{'^' if match[1] == 'super' else '_'}{{{chr(int(match[2], 16))}}}}}"


def _accented(c: str) -> str:
    """Return a Latin letter with one accent."""
    parts = unicodedata.normalize("NFD", c)
    if len(parts) != 2 or not parts[0].isascii() or ord(parts[1]) not in _ACCENTS:
        return ""
    letter = {"i": r"\i", "j": r"\j"}.get(parts[0], parts[0])
    return rf"\{_ACCENTS[ord(parts[1])]}{{{letter}}}"


def _word(word: str) -> str:
    """Return one word; long ones, such as names of functions, may be broken after their punctuation."""
    escaped = "".join(map(_character, word))
    if len(word) <= LONG_WORD:
        return escaped
    return re.sub(r"(\\_|[./,*=)\]])(?=\S)", r"\1\\allowbreak{}", escaped)

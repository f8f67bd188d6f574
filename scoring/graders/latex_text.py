r"""LaTeX to plain text, in the manner of the converter behind the published maths scores of LLMRouterBench.

Fractions become `a/b` without brackets, roots `sqrt(x)` without their degree, matrices `[ a b ; c d ]`, groups lose
their braces, layout commands vanish and so do commands nobody knows. Two answers are then compared as text, so what
matters is that equal things come out equal and different symbols stay different.
"""

import re
import unicodedata
from collections.abc import Iterator

_TOKEN = re.compile(r"\\(?:begin|end)\s*\{([^{}]*)\}|\\[A-Za-z]+\*?\s*|\\.|[{}&~]|[^\\{}&~]", re.DOTALL)
_MATRICES = {"matrix", "pmatrix", "bmatrix", "vmatrix", "Bmatrix", "Vmatrix", "smallmatrix", "array"}
# Symbols by the name of their command. Operators get the form in which an expression can be computed.
_TABLE = """
    infty inf   inf inf   cup U   cdot *   times *   pi pi   bmod mod   ln ln   log log   lg lg   exp exp   lim lim
    sin sin   cos cos   tan tan   sec sec   csc csc   cot cot   sinh sinh   cosh cosh   tanh tanh   coth coth
    arcsin arcsin   arccos arccos   arctan arctan   max max   min min   sup sup   gcd gcd   det det   dim dim   deg deg
    cap ∩   in ∈   notin ∉   pm ±   mp ∓   div ÷   ast ∗   circ ∘   star ⋆   square □   degree °   cents ¢   prime ′
    le ≤   leq ≤   ge ≥   geq ≥   ne ≠   neq ≠   lt <   gt >   leqslant ⩽   geqslant ⩾   approx ≈   sim ∼   simeq ≃
    cong ≅   equiv ≡   propto ∝   to →   rightarrow →   leftarrow ←   Rightarrow ⇒   Leftarrow ⇐   iff ⇔   mapsto ↦
    ldots …   dots …   cdots ⋯   vdots ⋮   ddots ⋱   angle ∠   triangle △   perp ⊥   parallel ∥   mid ∣   vert |
    emptyset ∅   varnothing ∅   setminus ∖   backslash \\   subset ⊂   subseteq ⊆   supset ⊃   supseteq ⊇   forall ∀
    exists ∃   neg ¬   lnot ¬   land ∧   lor ∨   wedge ∧   vee ∨   oplus ⊕   otimes ⊗   partial ∂   nabla ∇   sum ∑
    prod ∏   int ∫   lfloor ⌊   rfloor ⌋   lceil ⌈   rceil ⌉   langle ⟨   rangle ⟩   lbrace {   rbrace }
    Vert ‖   ell ℓ   Re ℜ   Im ℑ   hbar ℏ
"""
_WORDS = _TABLE.split()
_SYMBOL = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True)) | {"quad": "  ", "qquad": "    "}
_SIGN = {",": " ", ";": " ", ":": " ", " ": " ", "": " ", "!": "", "(": "", ")": "", "\\": "\n", "|": "‖"}
_ACCENTS = {"overline": "\u0305", "bar": "\u0304", "hat": "\u0302", "widehat": "\u0302", "vec": "\u20d7"}
_ACCENTS |= {"tilde": "\u0303", "widetilde": "\u0303", "dot": "\u0307", "ddot": "\u0308", "underline": "\u0332"}
_ALPHABETS = {"mathbf": "BOLD", "boldsymbol": "BOLD", "mathcal": "SCRIPT", "mathfrak": "FRAKTUR"}
_ALPHABETS |= {"mathbb": "DOUBLE-STRUCK", "mathsf": "SANS-SERIF", "mathtt": "MONOSPACE"}
_FOR_UNICODE = str.maketrans({"√": "sqrt", "π": "pi", "∞": "inf", "∪": "U", "·": "*", "×": "*"})


def latex_to_text(latex: str) -> str:
    """The plain text of a piece of LaTeX, stripped."""
    return _text(_TOKEN.finditer(latex)).translate(_FOR_UNICODE).strip()


def _text(tokens: Iterator[re.Match[str]], until: str = "") -> str:
    """Text up to the token that closes the group or environment, which is consumed."""
    parts = []
    for token in tokens:
        if until and _closes(token, until):
            break
        parts.append(_one(token, tokens))
    return "".join(parts)


def _closes(token: re.Match[str], until: str) -> bool:
    return token[0] == "}" if until == "}" else token[0].startswith("\\end")


def _one(token: re.Match[str], tokens: Iterator[re.Match[str]]) -> str:
    """Text of one token together with the arguments it takes."""
    mark = token[0]
    if mark == "{":
        return _text(tokens, "}")
    if token[1] is not None:
        body = _text(tokens, "\\end") if mark.startswith("\\begin") else ""
        return _matrix(body) if token[1] in _MATRICES else body
    if not mark.startswith("\\"):
        return {"}": "", "~": " ", "&": "   "}.get(mark, mark)
    name = mark[1:].rstrip().rstrip("*")
    if name == "frac":
        above = _argument(tokens)
        return f"{above}/{_argument(tokens)}"
    if name == "sqrt":
        return f"sqrt({_root(tokens)})"
    if name in _ACCENTS:
        return _argument(tokens) + _ACCENTS[name]
    if name in _ALPHABETS:
        return "".join(_styled(character, _ALPHABETS[name]) for character in _argument(tokens))
    if name == "pmod":
        return f"(mod {_argument(tokens)})"
    if not name.isalpha():
        return _SIGN.get(name, name)
    return _SYMBOL.get(name) or _greek(name)


def _argument(tokens: Iterator[re.Match[str]]) -> str:
    """Text of the next group or token, white space before it skipped."""
    for token in tokens:
        if not token[0].isspace():
            return _one(token, tokens)
    return ""


def _root(tokens: Iterator[re.Match[str]]) -> str:
    """What stands below a root; a degree in square brackets is read and lost, as in the published scores."""
    first = _argument(tokens)
    if first != "[":
        return first
    for token in tokens:
        if token[0] == "]":
            break
    return _argument(tokens)


def _matrix(body: str) -> str:
    rows = [" ".join(cell.strip() for cell in row.split("   ")) for row in body.split("\n") if row.strip()]
    return f"[ {' ; '.join(rows)} ]"


def _styled(character: str, alphabet: str) -> str:
    """A letter or digit in a mathematical alphabet, itself where that has none."""
    name = unicodedata.name(character, "").replace("LATIN ", "").replace("LETTER ", "")
    try:
        return unicodedata.lookup(f"MATHEMATICAL {alphabet} {name}")
    except KeyError:
        return character


def _greek(name: str) -> str:
    """The Greek letter of that command, empty where the command is no letter."""
    size = "CAPITAL" if name[0].isupper() else "SMALL"
    stem = name.lower().removeprefix("var").replace("lambda", "lamda")
    try:
        return unicodedata.lookup(f"GREEK {size} LETTER {stem}")
    except KeyError:
        return ""
